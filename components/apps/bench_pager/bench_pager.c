/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_pager.c - the same page again and again, made before anything is measured. */
#include <interfaces/bench.h>
#include <tessera/tessera.h>
#include "slots.h"

static void on_page(void *state, struct tss_request *request)
{
	request->tag = TSS_TAG(TSS_FAULT_RESUME, 16, 1);
	request->words[1] = TSS_RIGHT_READ | TSS_RIGHT_WRITE;
	tss_ipc()->send_caps[0] = (cap_t) * (const uint64_t *)state;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	(void)state;
	return tss_refuse(request, TSS_REPLY_METHOD);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .page = on_page};
	uint64_t page = TSS_CAP_NULL;
	if (tss_memory_create(TSS_SLOT_UNIT, 1, &page) != TSS_OK)
		return 1;
	return (int)tss_serve(SLOT_PORT_PAGES, &server, &page);
}
