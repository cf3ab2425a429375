/* SPDX-License-Identifier: BSD-2-Clause */
/* waiters.c - short queues of deferred replies, kept in order in an array. */
#include "serial.h"

static void waiters_remove(struct waiters *waiters, uint32_t index)
{
	waiters->count--;
	memmove(&waiters->list[index], &waiters->list[index + 1], (waiters->count - index) * sizeof(struct waiter));
}

struct waiter *waiters_add(struct waiters *waiters, uint64_t badge, cap_t reply)
{
	const uint64_t none[4] = {0, 0, 0, 0};
	for (uint32_t i = 0; i < waiters->count; i++) {
		if (waiters->list[i].badge != badge)
			continue;
		(void)tss_reply_send(waiters->list[i].reply, TSS_TAG(tss_reply_type(TERMINAL_ERROR_BUSY), 0, 0), none);
		waiters_remove(waiters, i);
		break;
	}
	if (waiters->count == WAITERS_MAX)
		return NULL;
	struct waiter *waiter = &waiters->list[waiters->count++];
	waiter->badge = badge;
	waiter->reply = reply;
	return waiter;
}

void waiters_remove_first(struct waiters *waiters)
{
	waiters_remove(waiters, 0);
}
