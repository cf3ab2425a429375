/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.h - a port's asynchronous queue in memory of the one who receives there (port_mailbox).
 *
 * The kernel puts messages in, so that senders cannot get in each other's way; the owner takes them out without a system
 * call. Message n is entry n % depth: page 1 + n / TSS_MAILBOX_PER_PAGE of the memory, where n counts from 0 up to depth.
 * `tail` counts the messages that were put in, `head` those that the owner has taken out and needs no more. The kernel
 * takes `head` for an allegation: what lies outside of what it has put in is ignored. It gives senders back the places of a
 * few messages each time it is sent one. Capabilities do not go through a mailbox: such a message is refused (ARGUMENT).
 *
 * TSS_EVENT_MAILBOX is set in the event that is bound to the port whenever a message has been put in.
 */
#pragma once
#include "message.h"

#define TSS_EVENT_MAILBOX (1ull << 62)

struct tss_mailbox_entry {
	uint64_t tag, badge;
	uint64_t words[TSS_MESSAGE_WORDS];
};
#define TSS_MAILBOX_PER_PAGE ((uint32_t)(TSS_PAGE_SIZE / sizeof(struct tss_mailbox_entry)))
#define TSS_MAILBOX_PAGES(depth) (1 + ((depth) + TSS_MAILBOX_PER_PAGE - 1) / TSS_MAILBOX_PER_PAGE)

struct tss_mailbox { /* the first page */
	uint64_t tail, reserved[7]; /* the kernel's; each in a cache line of its own */
	uint64_t head;              /* the owner's */
};
