/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - intrusive circular doubly-linked lists. A list head is a link of its own; a link that is in no list points
 * to itself, so removing twice is harmless. Every operation is O(1).
 */
#pragma once
#include <types.h>

struct link {
	struct link *next, *prev;
};

#define LINK_ENTRY(pointer, type, member) CONTAINER_OF(pointer, type, member)
#define LINK_FOR_EACH(at, head) for (struct link *at = (head)->next; at != (head); at = at->next)

static inline void link_init(struct link *link)
{
	link->next = link->prev = link;
}
static inline bool link_empty(const struct link *head)
{
	return head->next == head;
}
static inline void link_insert_after(struct link *at, struct link *link)
{
	link->next = at->next;
	link->prev = at;
	at->next->prev = link;
	at->next = link;
}
static inline void link_append(struct link *head, struct link *link)
{
	link_insert_after(head->prev, link);
}
static inline void link_remove(struct link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link_init(link);
}
static inline struct link *link_take_first(struct link *head)
{
	struct link *first = head->next;
	if (first == head)
		return NULL;
	link_remove(first);
	return first;
}
