/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message_copy.h - moving one message from a thread to a thread. Tags are checked when a message enters the kernel;
 * lengths and counts in a checked tag can be trusted.
 */
#pragma once
#include <port.h>

#define MESSAGE_REGISTER_BYTES (TSS_MESSAGE_REGISTERS * sizeof(uint64_t))

/* A tag that a unit may send: length and capability count in range, no kernel type, unused bits zero. */
ALWAYS_INLINE bool tag_valid(uint64_t tag)
{
	return TSS_TAG_LENGTH(tag) <= TSS_MESSAGE_MAX && TSS_TAG_CAPS(tag) <= TSS_MESSAGE_CAPS && tag >> 56 == 0 &&
	       TSS_TAG_TYPE(tag) < TSS_TYPE_KERNEL;
}

/* Bytes past the registers, exactly as many as the tag says. */
ALWAYS_INLINE void message_copy_payload(uint64_t *to, const uint64_t *from, uint64_t tag)
{
	uint64_t length = TSS_TAG_LENGTH(tag);
	if (LIKELY(length <= MESSAGE_REGISTER_BYTES))
		return;
	uint64_t words = length / sizeof(uint64_t), tail = length % sizeof(uint64_t);
	arch_copy_words(&to[TSS_MESSAGE_REGISTERS], &from[TSS_MESSAGE_REGISTERS], words - TSS_MESSAGE_REGISTERS);
	for (uint64_t i = 0; i < tail; i++)
		((uint8_t *)&to[words])[i] = ((const uint8_t *)&from[words])[i];
}

ALWAYS_INLINE void message_copy_words(struct thread *to, const struct thread *from)
{
	to->frame.r10 = from->frame.r10;
	to->frame.r8 = from->frame.r8;
	to->frame.r9 = from->frame.r9;
	to->frame.rbx = from->frame.rbx;
}

ALWAYS_INLINE void message_set_result(struct thread *to, uint64_t badge, uint64_t tag, uint64_t reply)
{
	to->frame.rax = TSS_OK;
	to->frame.rdi = badge;
	to->frame.rsi = tag;
	to->frame.rdx = reply;
}

/*
 * Hand over the capabilities of from's message, all or none: to the slots that `to` has declared, or (NULL) into a
 * message for the queue. Errors are from's: CAPABILITY, RIGHTS (argument 2: the tag), DEPTH, AGAIN, and NO_SLOT if the
 * receiver declared too few usable slots, and SHARE for memory that the guard does not let pass.
 */
MUST_CHECK status_t message_move_caps(struct thread *to, struct message *message, struct thread *from, uint64_t tag,
				       struct guard guard);
/* fast.S: the same for just one. False: nothing is done, and message_move_caps() has to look (or to say what is wrong). */
bool message_hand_over_cap(struct thread *from, struct thread *to);
/* Out of a queued message into to's slots; what finds no slot is deleted. NULL: all are. */
void message_take_caps(struct message *message, struct thread *to);
