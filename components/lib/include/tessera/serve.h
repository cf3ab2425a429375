/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - the server loop: receive, dispatch, reply and receive the next.
 *
 *   static const struct tss_server server = {.request = on_request, .event = on_event};
 *   tss_serve(SLOT_PORT_ECHO, &server, &state);
 *
 * on_request usually is one line that calls the interface's generated dispatcher. It returns TSS_OK when
 * request->tag and request->words are the reply, TSS_DEFER when it kept request->reply to answer later. A message
 * that needs no reply (reply == 0) is handled the same way; its "reply" goes nowhere.
 */
#pragma once
#include <tessera/ipc.h>

struct tss_server {
	tss_status_t (*request)(void *state, struct tss_request *request);
	void (*event)(void *state, uint64_t bits); /* the bound event; NULL if none is bound */
	/* A fault of a unit whose fault_port this is: the record in words and recv[]; leaves the reply there. NULL: give up */
	void (*fault)(void *state, struct tss_request *request);
};

/* A reply could not be delivered. If the caller still waits (its slots did not fit), it must hear something. */
void tss_serve_reply_failed(tss_status_t status, cap_t reply) __attribute__((cold));

#define TSS_SERVE_ERRORS_MAX 64u /* failed receives in a row: then the port is gone for good and the loop gives up */

/* Serves `port` for ever; returns only the status that made receiving impossible. */
TSS_INLINE tss_status_t tss_serve(cap_t port, const struct tss_server *server, void *state)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	unsigned errors = 0;
	for (;;) {
		cap_t replied = request.reply;
		tss_status_t status = tss_port_reply_receive(port, &request, TSS_INFINITE);
		if (__builtin_expect(status != TSS_OK, 0)) {
			if (replied != TSS_CAP_NULL)
				tss_serve_reply_failed(status, replied);
			else if (++errors >= TSS_SERVE_ERRORS_MAX)
				return status;
			request.reply = TSS_CAP_NULL;
			request.tag = 0;
			continue;
		}
		errors = 0;
		if (__builtin_expect(TSS_TAG_TYPE(request.tag) >= TSS_TYPE_KERNEL, 0)) {
			if (TSS_TAG_TYPE(request.tag) == TSS_MSG_EVENT && server->event)
				server->event(state, request.words[0]);
			if (request.reply != TSS_CAP_NULL) {
				request.tag = TSS_TAG(TSS_FAULT_GIVE_UP, 0, 0);
				if (server->fault)
					server->fault(state, &request);
				continue;
			}
			request.reply = TSS_CAP_NULL;
			request.tag = 0;
		} else if (server->request(state, &request) == TSS_DEFER) {
			request.reply = TSS_CAP_NULL;
			request.tag = 0;
		}
	}
}
