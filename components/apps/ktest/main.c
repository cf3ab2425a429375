/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - runs the tests in order and prints "ok NAME" or "not ok NAME: FILE:LINE WHAT got X want Y", one line each,
 * the first thing wrong only; at the end "done N passed, M failed". Prints to COM1 itself: no server is in the way.
 */
#include "ktest.h"

#define UART_STATUS 5
#define UART_EMPTY 0x20

static const char *failed_test;
static unsigned passed, failed;
static char failure[200];

void tss_output(const char *text, size_t size)
{
	uint64_t status = 0;
	for (size_t i = 0; i < size; i++) {
		do
			(void)tss_ioport_read(SLOT_REGS, UART_STATUS, 1, &status);
		while (!(status & UART_EMPTY));
		(void)tss_ioport_write(SLOT_REGS, 0, 1, (uint8_t)text[i]);
	}
}

void print(const char *format, ...)
{
	char text[TSS_OUTPUT_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tss_output(text, strlen(text));
}

void check_value(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
	if (got == want || failed_test)
		return;
	failed_test = what;
	snprintf(failure, sizeof(failure), "%s:%d %s got 0x%lx want 0x%lx", file, line, what, got, want);
}

void check_trace(const char *file, int line, const char *want)
{
	if (strcmp(trace(), want) == 0 || failed_test)
		return;
	failed_test = want;
	snprintf(failure, sizeof(failure), "%s:%d trace got \"%s\" want \"%s\"", file, line, trace(), want);
}

static void check_usage(struct usage before)
{
	struct usage extra = spent_take(), after = usage_now();
	if (!failed_test) {
		check_value("main.c", 0, "slots in use after the test", after.slots - extra.slots, before.slots);
		check_value("main.c", 0, "pages in use after the test", after.pages - extra.pages, before.pages);
	}
}

/* Every object, slot and frame is counted again by the kernel itself. */
static void check_audit(void)
{
	const struct tss_inspect_audit *record = (const struct tss_inspect_audit *)tss_ipc()->recv;
	uint64_t wrong = 1;
	tss_status_t status = tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, 0, &wrong);
	if ((status == TSS_OK && !wrong) || failed_test)
		return;
	failed_test = "audit";
	snprintf(failure, sizeof(failure), "audit: status %lx, %.64s, id 0x%lx, got 0x%lx want 0x%lx", status,
		 record->what, record->id, record->got, record->want);
}

static bool run_once(const struct test *test)
{
	failed_test = NULL;
	struct usage before = usage_now();
	test->run();
	check_audit();
	own_nothing();
	check_audit();
	check_usage(before);
	return !failed_test;
}

/*
 * Where the host's clock runs, the host may stop the machine in the middle of a short time-out: a test may try again.
 * Where the clock counts instructions, nothing excuses a failure.
 */
void run_all(const struct test *tests)
{
	unsigned tries = clock_is_counted() ? 1 : 8;
	for (; tests->name; tests++) {
		bool good = false;
		for (unsigned i = 0; i < tries && !good; i++) {
			(void)tss_self_sleep(i * 20000); /* until the host has time again */
			good = run_once(tests);
		}
		if (good)
			print("ok %s\n", tests->name);
		else
			print("not ok %s: %s\n", tests->name, failure);
		*(good ? &passed : &failed) += 1;
	}
}

int main(void)
{
	static const struct test *const groups[] = {
		message_tests, direct_tests,    reply_tests,    queue_tests,    transfer_tests, capability_tests,
		event_tests,   schedule_tests,  inherit_tests,  depth_tests,    fault_tests,    unit_tests,
		delete_tests,  restart_tests,   place_tests,    memory_tests,   time_tests,     life_tests,
		device_tests,  dma_tests,       argument_tests, machine_tests,  handler_tests,  fault_port_tests,
		vector_tests,  hand_on_tests,   revoke_tests,   credit_tests,   budget_tests,   audit_tests,
		trace_tests,   mailbox_tests,   cpu_tests,      redirect_tests, mode_tests,     paranoid_tests,
		pager_tests,   interpose_tests, share_tests,    random_tests,   slice_tests,    taken_apart_tests,
		secret_tests,
	};
	workers_init();
	children_init();
	print("ktest\n");
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		run_all(groups[i]);
	print("done %u passed, %u failed\n", passed, failed);
	for (;;)
		(void)tss_self_sleep(SECOND);
}
