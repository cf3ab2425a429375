/* SPDX-License-Identifier: BSD-2-Clause */
/* show.c - the kernel's tables as text: units, threads, memory, interrupts, connections, configuration, counters. */
#include <abi/inspect.h>
#include "shell.h"
#include "slots.h"

bool inspect_next(struct cursor *cursor, unsigned what, uint64_t detail, void *record, size_t size)
{
	uint64_t next = 0;
	if (cursor->done)
		return false;
	tss_status_t status = tss_system_inspect(TSS_SLOT_SYSTEM, what, cursor->index, detail, &next);
	if (status != TSS_OK) {
		cursor->done = true;
		return false;
	}
	memcpy(record, tss_ipc()->recv, size); /* before anything is printed: that is a message too */
	cursor->index = next;
	cursor->done = next == 0;
	return true;
}

/* With a budget: its time and period, and how often it was used up. */
static void show_thread(const struct tss_inspect_thread *t)
{
	static const char *const states[] = {"new",     "ready",    "running", "receiving", "calling",
					     "waiting", "sleeping", "ended",   "faulted"};
	printf("%4lu %-15.16s %-9s %3lu %3lu %8lu %10lu %8lu", t->id, (const char *)t->unit_name,
	       t->state < sizeof(states) / sizeof(states[0]) ? states[t->state] : "?", t->cpu, t->priority, t->slice_us,
	       t->time_us, t->switches);
	if (t->budget.period_us != 0)
		printf(" %lu/%lu us, %lu overruns", t->budget.time_us, t->budget.period_us, t->budget.overruns);
	printf("\n");
}

void show_threads(const char *argument)
{
	struct tss_inspect_thread t;
	struct cursor cursor = {0, false};
	(void)argument;
	printf("%4s %-15s %-9s %3s %3s %8s %10s %8s %s\n", "id", "unit", "state", "cpu", "pri", "slice_us", "time_us",
	       "switches", "budget");
	while (inspect_next(&cursor, TSS_INSPECT_THREAD, 0, &t, sizeof(t)))
		show_thread(&t);
}

void show_memory(const char *argument)
{
	struct tss_inspect_memory m;
	struct tss_inspect_unit u;
	struct cursor memory = {0, false}, units = {0, false};
	(void)argument;
	if (inspect_next(&memory, TSS_INSPECT_MEMORY, 0, &m, sizeof(m)))
		printf("total %lu KiB, free %lu KiB, kernel %lu KiB, bundle %lu KiB\n", m.total_pages * 4,
		       m.free_pages * 4, m.kernel_pages * 4, m.bundle_pages * 4);
	while (inspect_next(&units, TSS_INSPECT_UNIT, 0, &u, sizeof(u)))
		printf("%-15.16s %8lu of %8lu KiB\n", (const char *)u.name, u.used_pages * 4, u.budget_pages * 4);
}

void show_irqs(const char *argument)
{
	struct tss_inspect_irq i;
	struct cursor cursor = {0, false};
	(void)argument;
	while (inspect_next(&cursor, TSS_INSPECT_IRQ, 0, &i, sizeof(i)))
		printf("line %3lu %10lu %.16s\n", i.line, i.count, (const char *)i.unit);
}

void show_connections(const char *argument)
{
	struct tss_inspect_connection c;
	struct cursor cursor = {0, false};
	(void)argument;
	while (inspect_next(&cursor, TSS_INSPECT_CONNECTION, 0, &c, sizeof(c)))
		printf("%-15.16s -> %-15.16s badge %2lu calls %lu sends %lu refused %lu %s\n", (const char *)c.client,
		       (const char *)c.server, c.badge, c.calls, c.sends, c.refused, mode_name(c.mode));
}

void show_config(const char *argument)
{
	struct tss_inspect_config c;
	struct cursor cursor = {0, false};
	(void)argument;
	while (inspect_next(&cursor, TSS_INSPECT_CONFIG, 0, &c, sizeof(c)))
		printf("%.128s\n", c.text);
}

void show_uptime(const char *argument)
{
	struct tss_inspect_counters c;
	struct cursor cursor = {0, false};
	(void)argument;
	if (!inspect_next(&cursor, TSS_INSPECT_COUNTERS, 0, &c, sizeof(c)))
		return;
	printf("up %lu.%06lu s\n", c.uptime_us / 1000000, c.uptime_us % 1000000);
	const uint64_t calls = c.fast_calls + c.slow_calls;
	printf("switches %lu, fast calls %lu, slow calls %lu (%lu %% fast), faults %lu, denied calls %lu\n", c.switches,
	       c.fast_calls, c.slow_calls, calls != 0 ? 100 * c.fast_calls / calls : 0, c.faults, c.syscalls_denied);
	printf("boot: %lu ticks from the kernel's entry to init, %lu to the prompt\n", c.init_tsc - c.entry_tsc,
	       shell_started - c.entry_tsc);
	printf("CPUs %lu, exclusive sections %lu\n", c.cpus, c.exclusives);
	printf("interrupts %lu, of the timer %lu, TSC %lu ticks/ms\n", c.interrupts, c.timer_interrupts, c.tsc_per_ms);
}

void show_audit(const char *argument)
{
	struct tss_inspect_audit a;
	struct cursor cursor = {0, false};
	(void)argument;
	if (!inspect_next(&cursor, TSS_INSPECT_AUDIT, 0, &a, sizeof(a)))
		printf("audit: not in this kernel\n");
	else if (a.what[0] == '\0')
		printf("audit: all adds up\n");
	else
		printf("audit: %.64s: %#lx is %#lx, not %#lx\n", a.what, a.id, a.got, a.want);
}
