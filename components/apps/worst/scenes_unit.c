/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes_unit.c - units as full as they get, which end, start again, and go; and their tables of calls. */
#include "scenes.h"

#define PORTS 60u
#define FIRST_SLOT 32u
#define NOT_CANONICAL (1ull << 63) /* no address at all: not a page fault */
#define FOREIGN 39u /* a number that no row has */

static void crew_of(cap_t unit, cap_t event)
{
	give(unit, FIRST_SLOT, event, TSS_RIGHT_WAIT);
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(unit, PATIENT, DO(event_wait, FIRST_SLOT, FOREVER), DO(self_sleep, FOREVER), NOTHING);
}

static void ports_of(cap_t unit)
{
	for (unsigned i = 0; i < PORTS; i++) {
		cap_t port = port_of(unit, 8);
		(void)reply_of(port, unit);
		(void)connection_of(port, unit);
	}
}

static void copies_in(cap_t unit, cap_t what)
{
	for (unsigned i = FIRST_SLOT + 1; i < 4000; i++)
		give(unit, i, what, TSS_RIGHT_WAIT);
}

static void restart(cap_t unit)
{
	tss_status_t status;
	do
		status = tss_unit_restart(unit);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	if (status != TSS_OK)
		printf("worst: restart: %lx\n", status);
}

/* Killed when it is full, brought back twice, then deleted with all it has. */
void scene_unit(void)
{
	cap_t event = event_of(SELF), unit = unit_of(2500, TSS_SLOTS_MAX), memory = memory_of(unit, 256);
	crew_of(unit, event);
	ports_of(unit);
	copies_in(unit, event);
	give(unit, 4001, memory, RW);
	(void)tss_unit_map(unit, 4001, MAP_AT + TSS_PAGE_SIZE, RW);
	pause_us(20000);
	(void)tss_unit_seal(unit);
	(void)tss_unit_kill(unit, 0);
	restart(unit);
	pause_us(20000);
	(void)tss_unit_kill(unit, 0);
	restart(unit);
	(void)tss_unit_kill(unit, 1);
	destroy(unit);
}

/* Its ports have 200 callers, half of them received; the unit ends with its last thread. */
void scene_last(void)
{
	cap_t unit = unit_of(600, 1024), port = port_of(unit, 8), connection = connection_of(port, SELF);
	cap_t sink = port_of(SELF, 4);
	(void)tss_unit_supervise(unit, connection_of(sink, SELF));
	(void)tss_unit_fault_port(unit, connection_of(sink, SELF));
	ports_of(unit);
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connection, TSS_TAG(1, 0, 0), FOREVER), NOTHING,
				NOTHING);
	pause_us(20000);
	(void)thread_of(unit, PATIENT, DO(self_fault_handler, 0, 0), DO(self_exit, 0), NOTHING);
	pause_us(20000);
	cap_t full = unit_of(1000, 1024), event = event_of(SELF);
	crew_of(full, event);
	(void)thread_of(full, PATIENT, (struct step){STEP_TOUCH, {8}}, NOTHING, NOTHING);
	pause_us(20000);
	full = unit_of(1000, 1024);
	crew_of(full, event);
	(void)thread_of(full, PATIENT, (struct step){STEP_TOUCH, {NOT_CANONICAL}}, NOTHING, NOTHING);
	pause_us(20000);
}

/* The monitor: allows the first call, with its answer told; of the others it answers the results. */
static void answer_two(cap_t port)
{
	struct tss_request request;
	static const uint64_t results[4] = {TSS_OK, 0};
	for (unsigned i = 0; i < 2 && tss_port_receive(port, &request, 100000) == TSS_OK; i++)
		(void)tss_reply_send(request.reply, i ? TSS_TAG(TSS_CALL_RESULT, 16, 0) : TSS_TAG(TSS_CALL_ALLOW, 0, 0),
				     results);
}

void scene_asked(void)
{
	cap_t port = port_of(SELF, 0), monitor = connection_of(port, SELF), unit = unit_of(100, 64);
	cap_t denied = unit_of(100, 64);
	(void)reply_of(port, SELF);
	(void)tss_unit_interpose(unit, monitor, ~0ull, ~0ull);
	(void)tss_unit_restrict(denied, 0, 0);
	(void)tss_unit_reserve(unit, event_of(SELF), 1, 1, 1);
	(void)tss_unit_vectors(unit);
	(void)thread_of(unit, PATIENT, DO(self_yield, 0), DO(self_clock, 0), NOTHING);
	(void)thread_of(denied, PATIENT, DO(self_yield, 0), NOTHING, NOTHING);
	answer_two(port);
	(void)thread_of(unit_of(100, 64), PATIENT, (struct step){FOREIGN, {0}}, NOTHING, NOTHING);
	pause_us(20000);
}
