/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - the memory server: one port for its clients' requests, for their missing pages, which the kernel asks for in
 * their name, and for the kernel's word that memory is low.
 *
 * Its budget (`memory` in the manifest) is what all its clients share. It lets none of them wait: who gets no page faults.
 */
#include <interfaces/log.h>
#include "mem.h"

enum { EXIT_CLIENTS = 1 };

static struct mem server_state;

TSS_OUTPUT_SENT_TO_LOG(SLOT_LOG)

static tss_status_t on_request(void *state, struct tss_request *request)
{
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	return client_request(state, request);
}

static void on_event(void *state, uint64_t bits)
{
	(void)bits;
	reclaim_low(state);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .event = on_event, .page = on_page};
	struct mem *m = &server_state;
	pages_init(m);
	if (!clients_init(m))
		return EXIT_CLIENTS;
	reclaim_init(m);
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	return (int)tss_serve(SLOT_PORT_MEM, &server, m);
}
