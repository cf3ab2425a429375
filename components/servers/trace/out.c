/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - the trace as text, one line a thing, for `tessera trace` (generator/trace.py reads it):
 *
 *   ~trace VERSION ABI CPUS RECORDS TSC_PER_MS TSC    the beginning; numbers from here on are hexadecimal
 *   ~u ID NAME                    a unit that there is now
 *   ~t ID UNIT                    a thread
 *   ~c ID PORT BADGE CLIENT SERVER    a connection, with the names of both sides
 *   ~l CPU WRITTEN LOST           how many records there were, and how many of them are not here
 *   ~r CPU NUMBER TSC EVENT THREAD UNIT ARGUMENT...    a record
 *   ~end LINES SUM                how many lines there were before, and the sum of their characters
 */
#include <abi/inspect.h>
#include <interfaces/terminal.h>
#include "slots.h"
#include "ring.h"

#define LINE_MAX 160
#define VERSION 1u

static struct {
	char text[TERMINAL_WRITE_TEXT_MAX]; /* whole lines that have not been put out */
	size_t size;
	uint64_t lines, sum;
	bool failed;
} out;

static void flush(void)
{
	if (out.size && terminal_write(SLOT_TERMINAL, out.text, out.size, NULL, TSS_INFINITE) != TSS_OK)
		out.failed = true;
	out.size = 0;
	tss_heartbeat();
}

static void put_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put_line(const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;
	va_start(arguments, format);
	size_t size = (size_t)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (size > sizeof(out.text) - out.size)
		flush();
	memcpy(out.text + out.size, line, size);
	out.size += size;
	out.lines++;
	for (size_t i = 0; i < size; i++)
		out.sum += (uint8_t)line[i];
}

/* The next record of system_inspect; false: that was all. */
static bool next_record(unsigned what, uint64_t *index, void *record, size_t size)
{
	uint64_t next = 0;
	if (*index == UINT64_MAX || tss_system_inspect(TSS_SLOT_SYSTEM, what, *index, 0, &next) != TSS_OK)
		return false;
	memcpy(record, tss_ipc()->recv, size);
	*index = next ? next : UINT64_MAX;
	return true;
}

static void put_names(void)
{
	struct tss_inspect_unit u;
	struct tss_inspect_thread t;
	struct tss_inspect_connection c;
	uint64_t units = 0, threads = 0, connections = 0;
	while (next_record(TSS_INSPECT_UNIT, &units, &u, sizeof(u)))
		put_line("~u %lx %.16s\n", u.id, (const char *)u.name);
	while (next_record(TSS_INSPECT_THREAD, &threads, &t, sizeof(t)))
		put_line("~t %lx %lx\n", t.id, t.unit);
	while (next_record(TSS_INSPECT_CONNECTION, &connections, &c, sizeof(c)))
		put_line("~c %lx %lx %lx %.16s %.16s\n", c.id, c.port, c.badge, (const char *)c.client,
			 (const char *)c.server);
}

static void put_cpu(uint64_t cpu)
{
	struct tss_trace_record r;
	uint64_t written = ring_written(cpu), kept = ring_records();
	uint64_t first = written > kept ? written - kept + 1 : 0; /* one more: its place may be being written */
	put_line("~l %lx %lx %lx\n", cpu, written, first);
	for (uint64_t n = first; n < written; n++)
		if (ring_read(cpu, n, &r))
			put_line("~r %x %lx %lx %x %x %x %lx %lx %lx %lx\n", r.cpu, r.sequence, r.tsc, r.event,
				 r.thread, r.unit, r.arguments[0], r.arguments[1], r.arguments[2], r.arguments[3]);
}

uint64_t put_out(void)
{
	const struct tss_trace_header *header = ring_header();
	out.lines = out.sum = out.size = 0;
	out.failed = false;
	put_line("~trace %u %u %lx %lx %lx %lx\n", VERSION, TSS_ABI_VERSION, header->cpus, ring_records(),
		 header->tsc_per_ms, header->tsc);
	put_names();
	for (uint64_t cpu = 0; cpu < header->cpus; cpu++)
		put_cpu(cpu);
	put_line("~end %lx %lx\n", out.lines, out.sum);
	flush();
	return out.failed ? 0 : out.lines;
}
