/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - the audit ring: records of what is PARANOID, from the one after `acknowledged` to `last`. A record is made
 * only where there was room before its message was accepted; an answer's room is reserved when its call is. So nothing
 * is overwritten and nothing goes unrecorded: without a reader everything PARANOID stops.
 *
 * Everything here happens with all locks, but that calls which end without an answer give their room back.
 */
#include <abi/audit.h>
#include <mode.h>
#include <syscall.h>

static struct {
	uint64_t acknowledged, last; /* numbers */
	int reserved;
	uint64_t head[TSS_MESSAGE_REGISTERS]; /* the reader's, kept for its successor */
	struct event *event; /* signalled with each record, or NULL */
	struct tss_audit_record ring[TSS_AUDIT_RECORDS];
} audit;

/* One place is left over: for the violation of a server whose caller has only room for the answer. */
bool record_room(unsigned places)
{
	uint64_t taken = audit.last - audit.acknowledged + (unsigned)__atomic_load_n(&audit.reserved, __ATOMIC_RELAXED);
	return taken + places < TSS_AUDIT_RECORDS;
}

void record_reserve(int places)
{
	__atomic_fetch_add(&audit.reserved, places, __ATOMIC_RELAXED);
}

void record_add(enum tss_audit_what what, struct guard guard, const struct unit *client, const struct port *port,
		uint64_t tag)
{
	if (audit.last - audit.acknowledged == TSS_AUDIT_RECORDS)
		return; /* a server's second violation, and it has ended with the first */
	struct tss_audit_record *record = &audit.ring[++audit.last % TSS_AUDIT_RECORDS];
	*record = (struct tss_audit_record){.number = audit.last,
					    .time_us = arch_clock_us(),
					    .what = what,
					    .connection = guard.connection,
					    .tag = tag};
	__builtin_memcpy(record->client, client->name, TSS_NAME_SIZE);
	__builtin_memcpy(record->server, port->object.payer->name, TSS_NAME_SIZE);
	if (audit.event)
		event_signal(audit.event, 1);
}

void record_forget_event(const struct event *event)
{
	if (audit.event == event)
		audit.event = NULL;
}

/* (system, event, acknowledged) */
status_t sys_system_audit(struct thread *self, struct capability *cap)
{
	struct tss_audit_batch *batch = (struct tss_audit_batch *)self->ipc->recv;
	uint64_t upto = ARG3(self), count = 0;
	struct event *event = ARGUMENT2(self, EVENT, SIGNAL);
	if (upto > audit.last)
		return ERR(ARGUMENT, 3);
	if (upto > audit.acknowledged) {
		audit.acknowledged = upto;
		arch_copy_words(audit.head, self->ipc->send, COUNT_OF(audit.head));
	}
	audit.event = event;
	arch_copy_words(batch->head, audit.head, COUNT_OF(audit.head));
	for (; count < TSS_AUDIT_BATCH && audit.acknowledged + count < audit.last; count++)
		batch->records[count] = audit.ring[(audit.acknowledged + count + 1) % TSS_AUDIT_RECORDS];
	return syscall_value(self, count);
}
