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
/* Every entry of a list, which `entry` must not leave or end before the next one has been looked for. */
#define LINK_FOR_EACH(type, entry, head, member)                                                                       \
	for (type *entry = LINK_ENTRY((head)->next, type, member); &entry->member != (head);                           \
	     entry = LINK_ENTRY(entry->member.next, type, member))
/* The first entry, or NULL; LINK_TAKE() takes it out as well. */
#define LINK_FIRST(head, type, member) (link_empty(head) ? NULL : LINK_ENTRY((head)->next, type, member))
#define LINK_TAKE(head, type, member)                                                                                  \
	({                                                                                                             \
		type *first_entry = LINK_FIRST(head, type, member);                                                    \
		if (first_entry)                                                                                       \
			link_remove(&first_entry->member);                                                             \
		first_entry;                                                                                           \
	})

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
/* All of `list`, which is empty then, behind the last of `head`. */
static inline void link_append_all(struct link *head, struct link *list)
{
	list->next->prev = head->prev;
	head->prev->next = list->next;
	list->prev->next = head;
	head->prev = list->prev;
	link_init(list);
}
static inline void link_remove(struct link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link_init(link);
}
