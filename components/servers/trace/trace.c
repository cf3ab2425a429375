/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - serves the interface `trace`. The ring is memory of this unit: its first page, then a ring for each CPU, as
 * abi/trace.h says. The kernel overwrites the oldest records; what is gone is counted here, by the records' numbers.
 */
#include <abi/inspect.h>
#include <interfaces/trace.h>
#include "slots.h"
#include "ring.h"

static cap_t ring;

uint64_t ring_written(uint64_t cpu)
{
	return __atomic_load_n(&ring_header()->cpu[cpu].written, __ATOMIC_ACQUIRE);
}

bool ring_read(uint64_t cpu, uint64_t n, struct tss_trace_record *to)
{
	const struct tss_trace_record *records = (const struct tss_trace_record *)(RING_AT + TSS_PAGE_SIZE);
	*to = records[cpu * ring_records() + n % ring_records()];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ring_written(cpu) - n < ring_records();
}

static bool ring_make(void)
{
	uint64_t next = 0, handle = 0;
	if (tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, &next) != TSS_OK)
		return false;
	uint64_t cpus = ((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus;
	uint64_t pages = 1 + cpus * ((PARAMETERS->ring + TSS_PAGE_SIZE - 1) / TSS_PAGE_SIZE);
	if (tss_memory_create(TSS_SLOT_UNIT, pages, &handle) != TSS_OK)
		return false;
	ring = (cap_t)handle;
	return tss_unit_map(TSS_SLOT_UNIT, ring, RING_AT, TSS_RIGHT_READ) == TSS_OK;
}

static tss_status_t on_start(void *state, struct tss_request *request, uint32_t categories)
{
	(void)state, (void)request;
	if (ring == TSS_CAP_NULL || (categories & ~(uint32_t)TSS_TRACING_ALL) != 0)
		return TRACE_ERROR_REFUSED;
	tss_status_t status = tss_system_trace(TSS_SLOT_SYSTEM, ring, categories ? categories : TSS_TRACING_ALL);
	return status == TSS_OK ? TSS_OK : TRACE_ERROR_REFUSED;
}

static tss_status_t on_stop(void *state, struct tss_request *request)
{
	(void)state, (void)request;
	return ring && tss_system_trace(TSS_SLOT_SYSTEM, ring, 0) == TSS_OK ? TSS_OK : TRACE_ERROR_REFUSED;
}

static tss_status_t on_tell(void *state, struct tss_request *request, uint32_t *categories, uint64_t *written,
			    uint64_t *lost)
{
	(void)state, (void)request;
	*written = *lost = 0;
	*categories = ring ? (uint32_t)ring_header()->mask : 0;
	for (uint64_t cpu = 0; ring && cpu < ring_header()->cpus; cpu++) {
		uint64_t count = ring_written(cpu);
		*written += count;
		*lost += count > ring_records() ? count - ring_records() : 0;
	}
	return TSS_OK;
}

static tss_status_t on_dump(void *state, struct tss_request *request, uint64_t *lines)
{
	tss_status_t status = on_stop(state, request);
	if (status != TSS_OK)
		return status;
	*lines = put_out();
	return *lines ? TSS_OK : TRACE_ERROR_SILENT;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct trace_operations operations = {
		.start = on_start, .stop = on_stop, .tell = on_tell, .dump = on_dump};
	return trace_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	if (!ring_make())
		return 1; /* the manifest's memory is less than its ring */
	if (PARAMETERS->start)
		(void)on_start(NULL, NULL, 0);
	return (int)tss_serve(SLOT_PORT_TRACE, &server, NULL);
}
