/* SPDX-License-Identifier: BSD-2-Clause */
/* input.h - what was typed and those who wait for it: a ring of bytes, and callers whose reply is due later. */
#pragma once
#include <interfaces/terminal.h>
#include <tessera/tessera.h>
#include "slots.h"

#define INPUT_SIZE 1024u /* a power of two */
#define READERS_MAX (REPLIES_TERMINAL - 2) /* the others keep room for those who write */

struct reader {
	uint64_t badge;
	cap_t reply;
	uint32_t max;
};

struct input {
	uint32_t head, tail; /* count up; masked on use */
	uint8_t bytes[INPUT_SIZE];
	uint32_t reader_count;
	struct reader readers[READERS_MAX]; /* oldest first; a client has at most one place */
	uint64_t lost; /* bytes that nobody read in time */
};

/* Adds what was typed and answers those who wait. */
void input_typed(struct input *input, const uint8_t *text, size_t size);

/* Fills `text` with up to `max` bytes, or keeps the reply and returns TSS_DEFER. */
tss_status_t input_read(struct input *input, struct tss_request *request, uint32_t max, void *text, size_t *size);
