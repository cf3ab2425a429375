/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_end.c - a unit ends, in slices: its threads, then what they were in the middle of, then its ports; last of all the
 * supervisor is told.
 *
 * How far that is can be seen from the objects, or lies in the unit, so whoever wants it to go on does a slice: who has
 * killed it, wants to restart or to delete it; and, if one of its own threads began it, that thread. It is FAULTED from then
 * on, and each time the scheduler would run it there is a slice instead, with interrupts allowed behind each.
 */
#include <port.h>
#include <trace.h>

static bool threads_end(const struct unit *unit, unsigned *left)
{
	OBJECTS_OF(THREAD, thread, thread) {
		if (thread->unit != unit || thread == unit->last || thread->state == TSS_THREAD_ENDED)
			continue;
		if (!slice_spend(left, 1))
			return false;
		thread_end(thread);
	}
	return true;
}

/* Ports of a sealed unit are down until it is restarted, those of others die, and those of one that stays dead. */
static bool ports_end(struct unit *unit, bool down, unsigned *left)
{
	OBJECTS_OF(PORT, port, port) {
		if (port->object.payer != unit)
			continue;
		if (!down && !port_die(port, left))
			return false;
		port_fast_update(port);
	}
	OBJECTS_OF(CONNECTION, connection, connection)
		if (down && !unit->seen && connection->target->object.payer == unit)
			connection_lead(connection, &port_stale);
	OBJECTS_OF(REPLY, reply, reply) {
		struct connection *untold;
		if (reply->object.id <= unit->seen || reply->port->object.payer != unit || !reply->caller)
			continue;
		if (!slice_spend(left, 1))
			return false;
		unit->seen = reply->object.id;
		if (down && (untold = caller_untold(reply->caller, reply->port)))
			(void)connection_tell(untold);
		thread_wake(reply->caller, down ? ERR(PEER_RESTARTED, 1) : ERR(PEER_DEAD, 1));
	}
	return true;
}

bool unit_ended(struct unit *unit, unsigned *left)
{
	uint64_t words[TSS_MESSAGE_WORDS] = {unit->code};
	if (unit->stage != UNIT_STAGE_END)
		return true;
	if (!threads_end(unit, left) || !threads_forget(unit, NULL, left) ||
	    !ports_end(unit, unit->sealed && unit->state != UNIT_DEAD, left))
		return false;
	unit->stage = UNIT_STAGE_CLEAR;
	if (unit->last)
		thread_end(unit->last);
	unit->last = NULL;
	__builtin_memcpy(&words[1], unit->name, TSS_NAME_SIZE);
	if (unit->supervisor && !unit->told)
		(void)connection_post(unit->supervisor, TSS_TAG(TSS_MSG_ENDED, 24, 0), words);
	unit->told = true;
	return true;
}

void unit_end(struct unit *unit, uint64_t code, bool for_good, struct thread *by)
{
	enum unit_state state = for_good ? UNIT_DEAD : UNIT_ENDED;
	if (by)
		thread_halt(by, TSS_THREAD_FAULTED);
	if (unit->state >= state)
		return;
	if (!unit->parent)
		panic("the first unit ended with code %#lx", code);
	if (unit->state < UNIT_ENDED) {
		TRACE(END, unit->object.id, code);
		unit->code = code;
		unit->told = false;
		unit->last = by;
	}
	unit->state = (uint8_t)state;
	unit_stage(unit, UNIT_STAGE_END);
}
