/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.h - receiving asynchronous messages without system calls, from a port whose queue lies in our memory
 * (abi/mailbox.h says how). One thread receives.
 *
 *   static struct mailbox box;
 *   mailbox_open(&box, SLOT_PORT_INBOX, SLOT_MAILBOX_INBOX, MAILBOX_INBOX, INBOX_DEPTH);
 *   while (mailbox_wait(&box, &request, event, TSS_INFINITE) == TSS_OK)
 *           inbox_dispatch(&operations, NULL, &request);
 *
 * Messages that were queued before are taken out first, by system calls; the event is to be bound and waited for here only.
 * A request is as tss_port_receive() leaves it: badge, tag, words, what is longer in recv[] of the IPC page; reply is 0.
 */
#pragma once
#include <stdbool.h>
#include <abi/mailbox.h>
#include <tessera/ipc.h>

struct mailbox {
	struct tss_mailbox *shared;
	uint64_t head; /* messages taken out: ours, since what lies in the memory is for the kernel to read */
	uint32_t depth; /* of the port */
	cap_t port, memory;
	bool open; /* the port's queue is there; not while messages are left that came before */
};

/* The port's queue is in `memory`, which is mapped at `at`, as soon as it is empty; errors are those of port_mailbox. */
tss_status_t mailbox_open(struct mailbox *box, cap_t port, cap_t memory, void *at, uint32_t depth);

/* Messages that are there, in memory. */
uint64_t mailbox_count(const struct mailbox *box);

/* Takes the next message, and its place is free again. False: there is none. No system call. */
bool mailbox_receive(struct mailbox *box, struct tss_request *request);

/* The same, waiting up to timeout_us for `event`, which is bound to the port. TIMEOUT, or what event_wait ends with. */
tss_status_t mailbox_wait(struct mailbox *box, struct tss_request *request, cap_t event, uint64_t timeout_us);
