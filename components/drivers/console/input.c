/* SPDX-License-Identifier: BSD-2-Clause */
/* input.c - typed bytes go to the oldest reader; without one they wait in the ring. */
#include "input.h"

static uint32_t used(const struct input *input)
{
	return input->tail - input->head;
}

static size_t peek(const struct input *input, uint32_t max, uint8_t *text)
{
	uint32_t size = used(input) < max ? used(input) : max;
	for (uint32_t i = 0; i < size; i++)
		text[i] = input->bytes[(input->head + i) % INPUT_SIZE];
	return size;
}

static void remove_reader(struct input *input, uint32_t index)
{
	input->reader_count--;
	memmove(&input->readers[index], &input->readers[index + 1],
		(input->reader_count - index) * sizeof(struct reader));
}

/* What a reader that gave up would have got is the next one's. */
static void answer(struct input *input)
{
	uint8_t text[TERMINAL_READ_TEXT_MAX];
	while (input->reader_count > 0 && used(input) > 0) {
		const struct reader *reader = &input->readers[0];
		size_t size = peek(input, reader->max, text);
		if (terminal_read_reply(reader->reply, TSS_OK, text, size) == TSS_OK)
			input->head += (uint32_t)size;
		remove_reader(input, 0);
	}
}

void input_typed(struct input *input, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (used(input) < INPUT_SIZE)
			input->bytes[input->tail++ % INPUT_SIZE] = text[i];
		else
			input->lost++;
	}
	answer(input);
}

/* A client that calls again has given up its older call. */
static void forget(struct input *input, uint64_t badge)
{
	for (uint32_t i = 0; i < input->reader_count; i++) {
		if (input->readers[i].badge != badge)
			continue;
		(void)terminal_read_reply(input->readers[i].reply, TERMINAL_ERROR_BUSY, NULL, 0);
		remove_reader(input, i);
		return;
	}
}

tss_status_t input_read(struct input *input, struct tss_request *request, uint32_t max, void *text, size_t *size)
{
	if (max == 0)
		return TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT);
	if (max > TERMINAL_READ_TEXT_MAX)
		max = TERMINAL_READ_TEXT_MAX;
	forget(input, request->badge);
	if (input->reader_count == 0 && used(input) > 0) {
		*size = peek(input, max, text);
		input->head += (uint32_t)*size;
		return TSS_OK;
	}
	if (input->reader_count == READERS_MAX)
		return TERMINAL_ERROR_BUSY;
	input->readers[input->reader_count++] = (struct reader){request->badge, request->reply, max};
	return TSS_DEFER;
}
