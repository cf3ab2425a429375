/* SPDX-License-Identifier: BSD-2-Clause */
/* queue_sink.c - the owner of a mailbox: it enters the kernel to wait, and not for what is there already. */
#include <interfaces/log.h>
#include <interfaces/note.h>
#include <tessera/mailbox.h>
#include <tessera/tessera.h>
#include "slots.h"

#define WRITERS 8u

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static struct writer {
	uint64_t next, wrong;
} writers[WRITERS];

/* A text is the number's low byte, as often as the number says. */
static bool text_is(uint64_t n, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] != (uint8_t)n)
			return false;
	return size == 1 + n % NOTE_POST_TEXT_MAX;
}

static tss_status_t on_post(void *state, struct tss_request *request, uint64_t n, const void *text, size_t size)
{
	struct writer *writer = &writers[request->badge % WRITERS];
	(void)state;
	if (size == 0) {
		printf("%lu notes of writer %lu, %lu wrong\n", writer->next, request->badge, writer->wrong);
		*writer = (struct writer){0, 0};
		return TSS_OK;
	}
	writer->wrong += n != writer->next || !text_is(n, text, size);
	writer->next = n + 1;
	return TSS_OK;
}

int main(void)
{
	static const struct note_operations operations = {.post = on_post};
	struct mailbox box;
	struct tss_request request;
	if (tss_event_bind(SLOT_EVENT_MAIL, SLOT_PORT_INBOX) != TSS_OK ||
	    mailbox_open(&box, SLOT_PORT_INBOX, SLOT_MAILBOX_INBOX, MAILBOX_INBOX, DEPTH_INBOX) != TSS_OK)
		return 1;
	printf("ready\n");
	while (mailbox_wait(&box, &request, SLOT_EVENT_MAIL, TSS_INFINITE) == TSS_OK)
		(void)note_dispatch(&operations, NULL, &request);
	return 1;
}
