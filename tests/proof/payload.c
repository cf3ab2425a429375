/* SPDX-License-Identifier: BSD-2-Clause */
/* payload.c - for Eva: message_copy_payload() of kernel/include/message_copy.h with each length a checked tag can have. */
#include <stdint.h>
#define arch_copy_words words_by_rep_movsq
#include <arch.h>
#include <arch_inline.h>
#undef arch_copy_words
#define arch_copy_words copy_words

static inline void copy_words(void *to, const void *from, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		((uint64_t *)to)[i] = ((const uint64_t *)from)[i];
}

#include "eva.h"
#include <message_copy.h>

static uint64_t to[TSS_MESSAGE_WORDS], from[TSS_MESSAGE_WORDS];

/* Bytes behind the registers up to the length are copied, and no others. */
void payload_prove(void)
{
	for (unsigned i = 0; i < TSS_MESSAGE_WORDS; i++)
		from[i] = ~0ull;
	for (uint64_t length = 0; length <= TSS_MESSAGE_MAX; length++) {
		uint64_t tag = TSS_TAG(0, length, 0);
		PROVE(tag_valid(tag));
		for (unsigned i = 0; i < TSS_MESSAGE_WORDS; i++)
			to[i] = 0;
		message_copy_payload(to, from, tag);
		for (unsigned i = 0; i < TSS_MESSAGE_WORDS; i++) {
			uint64_t bytes = length > i * 8 ? length - i * 8 : 0;
			uint64_t wanted = bytes >= 8 ? ~0ull : ~(~0ull << 8 * bytes);
			PROVE(to[i] == (i < TSS_MESSAGE_REGISTERS ? 0 : wanted));
		}
	}
}
