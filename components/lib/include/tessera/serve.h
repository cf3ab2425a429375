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
 *
 * The loop sends the heartbeats that the manifest asks for. A server that stays in an operation longer than that is
 * taken for hung.
 */
#pragma once
#include <stdbool.h>
#include <tessera/heartbeat.h>
#include <tessera/ipc.h>

struct tss_server {
	tss_status_t (*request)(void *state, struct tss_request *request);
	void (*event)(void *state, uint64_t bits); /* the bound event; NULL if none is bound */
	/* A fault of a unit whose fault_port this is: the record in words and recv[]; leaves the reply there. NULL: give up */
	void (*fault)(void *state, struct tss_request *request);
	/* A page of a region whose pager this is (TSS_MSG_PAGE): its words; leaves the reply there. NULL: give up */
	void (*page)(void *state, struct tss_request *request);
	/* Nothing came for half a heartbeat; without `heartbeat:` in the manifest never. May be NULL */
	void (*idle)(void *state);
};

/* A reply could not be delivered. If the caller still waits (its slots did not fit), it must hear something. */
void tss_serve_reply_failed(tss_status_t status, cap_t reply) __attribute__((cold));

/*
 * A receive failed without a reply to blame. True: the port is gone or not ours, and will be. False: it may be better
 * later (another thread receives there); a millisecond has gone by.
 */
bool tss_serve_receive_failed(tss_status_t status) __attribute__((cold));

/* Serves `port` for ever; returns only the status that made receiving impossible. */
TSS_INLINE tss_status_t tss_serve(cap_t port, const struct tss_server *server, void *state)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	const uint64_t timeout_us = tss_heartbeat_timeout(), beats = timeout_us ^ TSS_INFINITE;
	for (;;) {
		cap_t replied = request.reply;
		tss_status_t status = tss_port_reply_receive(port, &request, timeout_us);
		/* One test for both: a server without heartbeats pays nothing for those of others. */
		if (TSS_UNLIKELY((status | beats) != 0)) {
			if (beats)
				tss_heartbeat();
			if (status == TSS_OK)
				goto received;
			const bool late = TSS_CODE(status) == TSS_E_TIMEOUT, fine = late || status == TSS_RECEIVE_AGAIN;
			if (late && server->idle)
				server->idle(state);
			if (!fine && replied != TSS_CAP_NULL)
				tss_serve_reply_failed(status, replied);
			else if (!fine && tss_serve_receive_failed(status))
				return status;
			request.reply = TSS_CAP_NULL;
			request.tag = 0;
			continue;
		}
	received:
		if (TSS_UNLIKELY(TSS_TAG_TYPE(request.tag) >= TSS_TYPE_KERNEL)) {
			if (TSS_TAG_TYPE(request.tag) == TSS_MSG_EVENT && server->event)
				server->event(state, request.words[0]);
			if (request.reply != TSS_CAP_NULL) {
				bool page = TSS_TAG_TYPE(request.tag) == TSS_MSG_PAGE;
				void (*answer)(void *, struct tss_request *) = page ? server->page : server->fault;
				request.tag = TSS_TAG(TSS_FAULT_GIVE_UP, 0, 0);
				if (answer)
					answer(state, &request);
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
