/* SPDX-License-Identifier: BSD-2-Clause */
/* faults.c - the ways in which a server can fail. */
#include "faulty.h"

#define FLOOD 1000u

static void crash(void)
{
	__builtin_trap();
}

static void quit(void)
{
	(void)tss_self_exit(0);
}

static void leave(void)
{
	(void)tss_self_exit(3);
}

static void spin(void)
{
	for (;;)
		asm volatile("");
}

static void wait_for_nothing(void)
{
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}

/* Everything it can get; a restart takes it away again, so each life gets the same. */
static void leak(void)
{
	unsigned count = 0;
	uint64_t event;
	tss_status_t status;
	while ((status = tss_event_create(TSS_SLOT_UNIT, &event)) == TSS_OK)
		count++;
	printf("%u events, then %s\n", count, tss_error_name(status));
}

/* Floods a queue, which costs the queue's owner nothing, then the supervisor, which takes note. */
static void babble(void)
{
	const uint64_t none[4] = {0, 0, 0, 0};
	unsigned full = 0;
	for (unsigned i = 0; i < FLOOD; i++)
		full += TSS_CODE(faulty_work_send(SLOT_VICTIM, i)) == TSS_E_FULL;
	printf("%s\n", full > 0 ? "the queue is full" : "the queue never was full");
	for (;;)
		(void)tss_connection_send(TSS_SLOT_HEARTBEAT, TSS_TAG(TSS_MSG_HEARTBEAT, 0, 0), none);
}

static const struct {
	const char *name;
	void (*start)(void), (*work)(void);
} faults[] = {
	{"crash", NULL, crash},           {"quit", NULL, quit},  {"exit", NULL, leave}, {"spin", NULL, spin},
	{"wait", NULL, wait_for_nothing}, {"leak", leak, leave}, {"loop", crash, NULL}, {"babble", babble, NULL},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

void fault_start(const char *name)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].name, name) == 0 && faults[i].start != NULL)
			faults[i].start();
}

void fault_work(const char *name)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].name, name) == 0 && faults[i].work != NULL)
			faults[i].work();
}

/* Answers that no client should believe: another length, another type, more than was asked for. */
void fault_answer(const char *name, struct tss_request *request)
{
	static const tss_tag_t lies[] = {TSS_TAG(0, 3, 0), TSS_TAG(0, 0, 0), TSS_TAG(7, 8, 0), TSS_TAG(0, 256, 0)};
	static unsigned next;
	if (strcmp(name, "wrong") == 0)
		request->tag = lies[next++ % (sizeof(lies) / sizeof(lies[0]))];
}
