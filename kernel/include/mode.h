/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mode.h - security modes: what a message through a connection must be like that is not FAST, and the record of those
 * that are PARANOID.
 *
 * A connection's mode counts, or the floor of its port if that is stricter: connection->guard. A call keeps the guard it
 * was accepted under (thread->guard) until it is answered or given up. FAST ones never come here: connection->fast
 * leads to no receiver for the others, and the answers to them are never direct for the fast path (reply_guard()).
 */
#pragma once
#include <abi/audit.h>
#include <message_copy.h>

#define MODE_BURST_MAX 0x10000u

/*
 * May self send this? `places` records will be made of it. METHOD (2), RATE (1), AUDIT_FULL (1); SYSCALL_NO_RESULT: it
 * has been stopped. Nothing has happened yet but that a token of the rate is spent.
 */
MUST_CHECK status_t mode_check(struct thread *self, struct connection *connection, uint64_t tag, unsigned places);
/* The call is accepted: caller waits for its answer under the connection's guard from now on. */
void mode_call(struct thread *caller, const struct connection *connection);
/* So is a message for the queue. */
void mode_send(const struct thread *self, const struct connection *connection, uint64_t tag);
/*
 * A message of that tag has been put into to's registers and IPC page under that mode: nothing of what is past its length
 * is left there, and if it is PARANOID nothing in the CPU's predictors and buffers.
 */
void mode_clean(struct thread *to, uint64_t tag, uint8_t mode);
/* The answer from self to a guarded call through port is at caller's. */
void mode_reply(struct thread *self, struct thread *caller, const struct port *port, uint64_t tag);
/* The guarded call of caller ends without an answer. */
void mode_end(struct thread *caller);
/*
 * What sender sent under guard broke a rule, as `error` says; the result of its call, or SYSCALL_NO_RESULT: it has been
 * stopped. client and port are the two ends of the connection.
 */
status_t mode_violated(struct thread *sender, const struct thread *client, const struct port *port, struct guard guard,
		       uint64_t tag, status_t error);

/* The answer to a guarded call is no business of fast.S: fault_sched has what sched would be. */
ALWAYS_INLINE void reply_guard(struct reply *reply)
{
	reply->fault_sched = reply->sched;
	reply->sched = NULL;
}

/* ---- record.c: the audit ring ---- */
bool record_room(unsigned places);
void record_reserve(int places); /* for answers that may come: more, or (negative) fewer */
void record_add(enum tss_audit_what what, struct guard guard, const struct unit *client, const struct port *port,
		uint64_t tag);
void record_forget_event(const struct event *event);
