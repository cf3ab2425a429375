/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mode.c - security modes: the checks of a guarded message, what happens to who breaks a rule, and raising a mode.
 *
 * A mode only ever goes up, and what a connection declares is settled while it is FAST: so nothing that was promised of
 * a connection is taken back while it runs. Whatever is PARANOID happens with all locks, since the record is one.
 */
#include <memory.h>
#include <mode.h>
#include <trace.h>

#define SHARES_SLICE 500 /* capabilities */

static bool method_allowed(const struct connection *connection, uint32_t type)
{
	return connection->methods == TSS_METHODS_ANY || (type < 64 && connection->methods >> type & 1);
}

/* The bucket is full when due_us is past; each token moves it one interval into the future. */
static bool token_take(struct connection *connection)
{
	uint64_t now = arch_clock_us(), due = connection->due_us > now ? connection->due_us : now;
	if (due - now > (connection->burst - 1) * connection->interval_us)
		return false;
	connection->due_us = due + connection->interval_us;
	return true;
}

status_t mode_check(struct thread *self, struct connection *connection, uint64_t tag, unsigned places)
{
	bool paranoid = connection->guard.mode == TSS_MODE_PARANOID;
	status_t status = TSS_OK;
	if (paranoid && !record_room(places))
		status = ERR(AUDIT_FULL, 1);
	else if (!method_allowed(connection, TSS_TAG_TYPE(tag)))
		return mode_violated(self, self, connection->target, connection->guard, tag, ERR(METHOD, 2));
	else if (paranoid && connection->interval_us && !token_take(connection))
		status = ERR(RATE, 1);
	connection->refused += status != TSS_OK;
	return status;
}

/* Who goes on breaking rules does not fill the log: the first time, the second, the fourth, and so on. */
static void violation_tell(struct connection *connection, const struct unit *sender, uint64_t tag)
{
	uint64_t count = ++connection->violations;
	if ((count & (count - 1)) == 0)
		log_printf("violation %lu: %.16s, connection %u to %.16s, message %#lx\n", count, sender->name,
			   connection->object.id, connection->target->object.payer->name, tag);
}

status_t mode_violated(struct thread *sender, const struct thread *client, const struct port *port, struct guard guard,
		       uint64_t tag, status_t error)
{
	TRACE_BY(sender, REFUSED, guard.connection, tag, error);
	OBJECTS_OF(CONNECTION, connection, connection)
		if (connection->object.id == guard.connection)
			violation_tell(connection, sender->unit, tag);
	if (guard.mode < TSS_MODE_PARANOID)
		return error;
	record_add(TSS_AUDIT_VIOLATION, guard, client->unit, port, tag);
	thread_stop(sender, TSS_FAULT_MESSAGE, tag);
	return SYSCALL_NO_RESULT;
}

void mode_call(struct thread *caller, const struct connection *connection)
{
	caller->guard = connection->guard;
	caller->badge = connection->badge;
	if (caller->guard.mode < TSS_MODE_PARANOID)
		return;
	record_reserve(1);
	record_add(TSS_AUDIT_CALL, caller->guard, caller->unit, connection->target, caller->frame.rsi);
}

void mode_send(const struct thread *self, const struct connection *connection, uint64_t tag)
{
	if (connection->guard.mode == TSS_MODE_PARANOID)
		record_add(TSS_AUDIT_SEND, connection->guard, self->unit, connection->target, tag);
}

void mode_clean(struct thread *to, uint64_t tag, uint8_t mode)
{
	uint64_t length = TSS_TAG_LENGTH(tag),
		 *words[] = {&to->frame.r10, &to->frame.r8, &to->frame.r9, &to->frame.rbx};
	for (unsigned i = 0; i < TSS_MESSAGE_REGISTERS && length < MESSAGE_REGISTER_BYTES; i++) {
		uint64_t bits = length > 8 * i ? 8 * (length - 8 * i) : 0;
		if (bits < 64)
			*words[i] &= (1ull << bits) - 1;
	}
	uint64_t from = length > MESSAGE_REGISTER_BYTES ? length : MESSAGE_REGISTER_BYTES;
	__builtin_memset((uint8_t *)to->ipc->recv + from, 0, sizeof(to->ipc->recv) - from);
	if (mode == TSS_MODE_PARANOID)
		arch_flush_speculation();
}

/* The answer's words are wiped where the server left them; the call's were overwritten by them. */
void mode_reply(struct thread *self, struct thread *caller, const struct port *port, uint64_t tag)
{
	struct guard guard = caller->guard;
	mode_clean(caller, tag, guard.mode);
	mode_end(caller);
	if (guard.mode < TSS_MODE_PARANOID)
		return;
	record_add(TSS_AUDIT_REPLY, guard, caller->unit, port, tag);
	self->frame.r10 = self->frame.r8 = self->frame.r9 = self->frame.rbx = 0;
}

void mode_end(struct thread *caller)
{
	if (caller->guard.mode == TSS_MODE_PARANOID)
		record_reserve(-1);
	caller->guard.mode = TSS_MODE_FAST;
}

/* Does server hold what leads to the frames of a memory capability, or did either get it from the other? */
static bool memory_is_shared(const struct capability *cap, const struct unit *server, int *left)
{
	for (const struct link *at = cap->derivation.next; at != &cap->derivation; at = at->next, (*left)--)
		if (LINK_ENTRY(at, const struct capability, derivation)->space == server)
			return true;
	return false;
}

/*
 * BUSY: the units that pay for the connection and for its port share memory that was not declared. AGAIN: not known yet.
 * How far it was looked is kept in the connection, and holds until one of the two gets a capability to memory.
 */
static status_t check_shares(struct connection *connection)
{
	const struct unit *client = connection->object.payer, *server = connection->target->object.payer;
	uint64_t memories = client->memories + server->memories + 1;
	int left = SHARES_SLICE;
	if (connection->looked_at != memories)
		connection->looked = 1;
	connection->looked_at = memories;
	if (connection->guard.shares || client == server)
		return TSS_OK;
	for (struct capability *cap; (cap = cspace_next(client, connection->looked));
	     connection->looked = cap->slot + 1ull) {
		if (left-- <= 0)
			return ERR(AGAIN, 0);
		if (cap->type == TSS_TYPE_MEMORY && memory_is_shared(cap, server, &left))
			return ERR(BUSY, 1);
	}
	return TSS_OK;
}

/* Does a change at cap, a connection's or a port's, change this connection? */
static bool concerns(const struct capability *cap, const struct connection *connection)
{
	return cap->object == &connection->object || cap->object == &connection->target->object;
}

status_t sys_capability_set_mode(struct thread *self, struct capability *cap)
{
	uint64_t mode = ARG2(self);
	unsigned raised = 0;
	if (cap->type != TSS_TYPE_CONNECTION && cap->type != TSS_TYPE_PORT)
		return ERR(TYPE, 1);
	uint8_t *set = cap->type == TSS_TYPE_PORT ? &((struct port *)cap->object)->mode
						  : &((struct connection *)cap->object)->mode;
	if (mode > TSS_MODE_PARANOID || mode < *set)
		return ERR(ARGUMENT, 2);
	OBJECTS_OF(CONNECTION, connection, connection) {
		if (!concerns(cap, connection) || connection->guard.mode >= mode)
			continue;
		status_t status = check_shares(connection);
		if (status != TSS_OK)
			return status == ERR(AGAIN, 0) ? syscall_again(self) : status;
		raised++;
	}
	if (mode == TSS_MODE_PARANOID && !record_room(raised))
		return ERR(AUDIT_FULL, 1);
	*set = (uint8_t)mode;
	OBJECTS_OF(CONNECTION, connection, connection) {
		uint8_t before = connection->guard.mode;
		if (!concerns(cap, connection))
			continue;
		connection_lead(connection, connection->port);
		if (connection->guard.mode == TSS_MODE_PARANOID && before != TSS_MODE_PARANOID)
			record_add(TSS_AUDIT_MODE, connection->guard, connection->object.payer, connection->target,
				   before);
	}
	return TSS_OK;
}

/* (connection, methods, interval_us, burst, shares) */
status_t sys_connection_declare(struct thread *self, struct capability *cap)
{
	struct connection *connection = (struct connection *)cap->object;
	uint64_t interval_us = ARG3(self), burst = ARG4(self);
	if (interval_us > UINT32_MAX)
		return ERR(ARGUMENT, 3);
	if (burst > MODE_BURST_MAX || !burst != !interval_us)
		return ERR(ARGUMENT, 4);
	if (ARG5(self) > 1)
		return ERR(ARGUMENT, 5);
	if (connection->guard.mode != TSS_MODE_FAST)
		return ERR(BUSY, 1);
	connection->methods = ARG2(self);
	connection->interval_us = interval_us;
	connection->burst = burst;
	connection->guard.shares = ARG5(self);
	return TSS_OK;
}
