/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc.c - call, receive, reply.
 *
 * Direct hand-over: a call that finds the receiver waiting makes it current and leaves the scheduling context alone;
 * the reply makes the caller current again if that same context still runs. Neither touches a run queue. arch/x86_64/fast.S
 * does so with messages that need nothing else; whatever does comes here (more capabilities, queues, vector registers, CPUs
 * that lack what fast.S needs).
 */
#include <message_copy.h>
#include <mode.h>
#include <syscall.h>

struct reply *reply_bind(struct port *port, struct thread *caller, struct thread *server, struct sched *sched)
{
	struct reply *reply = port->free_reply;
	port->free_reply = reply->next_free;
	reply->caller = caller;
	reply->server = server;
	reply->sched = sched;
	caller->reply = reply;
	return reply;
}

/* The handle is spent whether or not somebody still waited. */
ALWAYS_INLINE void reply_spend(struct reply *reply)
{
	reply->caller = NULL;
	reply->cap->generation++;
}

/* Callers may have waited for just this: a receiver that could not take them takes the first now. */
void reply_free(struct reply *reply)
{
	struct capability *away = reply->away;
	reply->away = NULL;
	reply->gone = false;
	reply_spend(reply);
	reply->next_free = reply->port->free_reply;
	reply->port->free_reply = reply;
	if (away)
		CAPABILITY_DELETE_SMALL(away);
	port_reply_freed(reply->port);
}

/*
 * Somebody stopped waiting for thread, which may be waiting in calls itself: a context that ran through both may run on
 * elsewhere, so the replies further down must not take it for the way back. Their calls are less deep now, too. On
 * another CPU no context of this one ran, and a count that is too low there only lasts as long as the call.
 */
void replies_cut(struct thread *thread)
{
	uint8_t left = SCHED_CHAIN_MAX;
	for (; thread && (cpu_is_here(thread->cpu) || cpu_is_exclusive()); left = (uint8_t)(left ? left - 1 : 0)) {
		thread->left = left;
		if (thread->state != TSS_THREAD_CALLING)
			return;
		struct reply *reply = thread->reply;
		if (reply)
			reply->sched = reply->fault_sched = NULL;
		thread = reply ? reply->server : thread->port->receiver;
	}
}

/* No longer works for the caller of a reply: goes on in its own context. */
static void server_released(struct thread *server)
{
	replies_cut(server);
	if (server)
		sched_activate_home(server);
}

/* The caller gave up: whoever was to answer hears so, unless nobody can. */
void reply_detach_caller(struct reply *reply)
{
	struct port *port = reply->port;
	reply->caller->reply = NULL;
	reply->caller = NULL;
	reply->sched = reply->fault_sched = NULL; /* so no answer is direct */
	reply->gone = true;
	server_released(reply->server);
	if (!reply->server && !reply->away)
		reply_free(reply);
	else if (port->event && !port->dead)
		event_signal(port->event, TSS_EVENT_CANCEL);
}

struct capability *reply_holder(const struct reply *reply)
{
	if (!reply->caller && !reply->gone)
		return NULL;
	return reply->away ? reply->away : reply->cap;
}

/* The object and its capability stay where the plan has put them; the handle that the server knew is spent. */
void reply_hand_on(struct reply *reply, struct capability *slot, struct thread *server)
{
	struct thread *before = reply->server;
	if (reply->away) {
		capability_move(slot, reply->away);
	} else {
		capability_derive(slot, reply->cap, TSS_RIGHT_SEND);
		reply->cap->generation++;
	}
	reply->away = slot;
	reply->server = server;
	reply->sched = reply->fault_sched = NULL;
	server_released(before);
	if (reply->caller)
		sched_wake_parked(reply->caller);
	cpu_this()->need_resched = true; /* the context that runs may have been the caller's */
}

/* Nobody can answer any more: this is where the caller hears so. */
void reply_dropped(struct reply *reply)
{
	struct thread *server = reply->server;
	reply->away = NULL;
	reply->server = NULL;
	server_released(server);
	if (reply->caller)
		thread_wake(reply->caller, ERR(PEER_DEAD, 1));
	else
		reply_free(reply);
}

/* Does the chain of calls that starts at thread lead back to self, or further than the kernel follows? */
static bool call_too_deep(const struct thread *self, const struct thread *thread)
{
	for (unsigned links = 0; thread && links < self->left; links++) {
		if (thread == self)
			return true;
		if (!cpu_is_here(thread->cpu) && !cpu_is_exclusive())
			kernel_exclusive(self);
		if (thread->state != TSS_THREAD_CALLING)
			return false;
		thread = thread->reply ? thread->reply->server : thread->port->receiver;
	}
	return thread != NULL;
}

status_t call_queue(struct thread *self, struct connection *connection, uint64_t timeout)
{
	struct port *port = connection->port;
	if (call_too_deep(self, port->receiver))
		return ERR(DEPTH, 1);
	cpu_this()->slow_calls++;
	connection->calls++;
	self->port = port;
	self->reply = NULL;
	self->badge = connection->badge;
	self->sequence = port->sequence++;
	if (connection->guard.mode && !self->fault)
		mode_call(self, connection);
	port->busy = true;
	link_append(&port->callers, &self->wait);
	thread_block(self, TSS_THREAD_CALLING, timeout);
	if (port_waiting(port))
		(void)port_deliver_next(port);
	return SYSCALL_NO_RESULT;
}

#define CALL_LINK 0x100u /* one less left, in thread->progress */

/* Hand over to the waiting receiver: it goes on in this context, at once. Capabilities have been moved. */
ALWAYS_INLINE status_t call_hand_over(struct thread *self, struct thread *server, struct connection *connection)
{
	struct port *port = connection->port;
	struct cpu *cpu = cpu_this();
	struct reply *reply = reply_bind_fast(port, self, cpu->sched);
	timeout_disarm(&server->timeout);
	server->progress = (uint16_t)(self->progress - CALL_LINK); /* READY, as self is; self->left is not 0 */
	message_set_result(server, connection->badge, self->frame.rsi, capability_handle(reply->cap));
	message_copy_words(server, self);
	self->state = TSS_THREAD_CALLING;
	cpu->fast_calls++;
	thread_switch_to(cpu, server);
	return SYSCALL_NO_RESULT;
}

static status_t call_check(const struct thread *self, const struct connection *connection)
{
	if (!tag_valid(ARG2(self)))
		return ERR(ARGUMENT, 2);
	if (!timeout_valid(ARG3(self)))
		return ERR(ARGUMENT, 3);
	if (connection->target->dead)
		return ERR(PEER_DEAD, 1);
	if (ARG3(self) == 0)
		return ERR(TIMEOUT, 0); /* nothing is delivered, so nobody is told anything either */
	if (connection->port == &port_stale)
		return ERR(PEER_RESTARTED, 1);
	return self->left ? TSS_OK : ERR(DEPTH, 1);
}

/* (connection, timeout); the tag is in rsi, the timeout in rdx */
status_t sys_connection_call(struct thread *self, struct capability *cap)
{
	struct connection *connection = (struct connection *)cap->object;
	if (!connection_at_home(connection, ARG2(self)))
		kernel_exclusive(self);
	struct thread *server = port_fast_receiver(connection->port);
	uint64_t tag = ARG2(self), timeout = ARG3(self);
	status_t status = call_check(self, connection);
	if (status == ERR(PEER_RESTARTED, 1))
		status = connection_tell(connection);
	else if (status == TSS_OK && connection->guard.mode)
		status = mode_check(self, connection, tag, 2);
	if (status != TSS_OK)
		return status;
	if (!server || !cpu_is_here(server->cpu))
		return call_queue(self, connection, timeout);
	if (TSS_TAG_CAPS(tag))
		status = message_move_caps(server, NULL, self, tag, connection->guard);
	if (status == ERR(SHARE, 2))
		return mode_violated(self, self, connection->port, connection->guard, tag, status);
	if (status != TSS_OK)
		return status;
	connection->calls++;
	message_copy_payload(server->ipc->recv, self->ipc->send, tag);
	if (timeout != TSS_INFINITE)
		sched_timeout_start(&self->timeout, timeout);
	status = call_hand_over(self, server, connection);
	if (TSS_TAG_CAPS(tag))
		self->reply->sched = self->home; /* a reply handed on may have taken the context that runs along */
	if (connection->guard.mode) {
		mode_call(self, connection);
		mode_clean(server, tag, connection->guard.mode);
		reply_guard(self->reply);
	}
	return status;
}

static status_t receive(struct thread *self, struct port *port, uint64_t timeout)
{
	struct thread *last = port->receiver;
	port_move(port, self->cpu);
	port->receiver = self;
	if (last && last != self && !link_empty(&port->callers)) {
		replies_cut(last);
		sched_wake_parked(last); /* callers in the queue helped it and help self from now on */
	}
	if (port_deliver_next(port))
		return SYSCALL_NO_RESULT;
	if (port->free_reply && !link_empty(&port->callers)) {
		ARG1(self) = (uint32_t)ARG1(self); /* without the reply, which has been given */
		return syscall_again(self);
	}
	if (timeout == 0)
		return ERR(TIMEOUT, 0);
	self->port = port;
	thread_block(self, TSS_THREAD_RECEIVING, timeout);
	port_fast_update(port);
	return SYSCALL_NO_RESULT;
}

static status_t receive_check(const struct thread *self, const struct port *port, uint64_t timeout, unsigned argument)
{
	if (!port_at_home(port))
		kernel_exclusive(self);
	if (!timeout_valid(timeout))
		return ERR(ARGUMENT, argument);
	if (port->dead)
		return ERR(PEER_DEAD, 1);
	return port_waiting(port) ? ERR(BUSY, 1) : TSS_OK;
}

status_t sys_port_receive(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	uint64_t timeout = ARG2(self);
	status_t status = receive_check(self, port, timeout, 2);
	return status == TSS_OK ? receive(self, port, timeout) : status;
}

/* Everything that can be wrong with a reply; on success the capabilities have been moved. */
static status_t reply_check(struct thread *self, const struct capability *cap, uint64_t tag)
{
	struct reply *reply = (struct reply *)cap->object;
	if (TSS_TAG_CAPS(tag) ? !cpu_is_exclusive() : !reply_at_home(reply))
		kernel_exclusive(self);
	if (!tag_valid(tag))
		return ERR(ARGUMENT, 2);
	if (reply_holder(reply) != cap)
		return ERR(CAPABILITY, 1);
	if (!reply->caller) {
		reply_free(reply);
		return ERR(GONE, 1);
	}
	if (reply->caller->fault)
		return fault_reply(self, reply, tag);
	struct thread *caller = reply->caller;
	status_t status = TSS_TAG_CAPS(tag) ? message_move_caps(caller, NULL, self, tag, caller->guard) : TSS_OK;
	if (status == ERR(SHARE, 2))
		return mode_violated(self, caller, reply->port, caller->guard, tag, status);
	if (status == TSS_OK && caller->guard.mode)
		reply->sched = reply->fault_sched;
	return status;
}

/* The answer to a call. A caller whose whole frame counts has faulted: fault_reply() has filled it. */
ALWAYS_INLINE void reply_message(struct thread *self, const struct reply *reply, struct thread *caller, uint64_t tag)
{
	if (caller->frame.full)
		return;
	message_set_result(caller, 0, tag, 0);
	message_copy_words(caller, self);
	message_copy_payload(caller->ipc->recv, self->ipc->send, tag);
	if (caller->guard.mode)
		mode_reply(self, caller, reply->port, tag);
}

/* Give the caller its answer and make it ready. */
static void reply_deliver(struct thread *self, struct reply *reply, uint64_t tag)
{
	struct thread *caller = reply->caller, *server = reply->server;
	caller->reply = NULL;
	reply_free(reply);
	timeout_cancel(&caller->timeout);
	reply_message(self, reply, caller, tag);
	caller->state = caller->fault ? TSS_THREAD_FAULTED : TSS_THREAD_READY;
	sched_wake_parked(caller);
	sched_activate_home(caller);
	replies_cut(server);
	if (server && server != self)
		sched_activate_home(server); /* it may have been running in the caller's context */
	cpu_this()->need_resched = true;
}

status_t sys_reply_send(struct thread *self, struct capability *cap)
{
	struct reply *reply = (struct reply *)cap->object;
	status_t status = reply_check(self, cap, ARG2(self));
	if (status != TSS_OK)
		return status;
	reply_deliver(self, reply, ARG2(self));
	sched_activate_home(self);
	return TSS_OK;
}

/*
 * Can the caller go on at once with this reply, in its own context, and self wait? The context that runs must be the one that runs through him, and
 * nobody else receive from the port meanwhile. There is a caller, or reply->sched would be NULL.
 */
ALWAYS_INLINE bool reply_is_direct(const struct thread *self, const struct port *port, const struct reply *reply)
{
	return reply->port == port && reply->sched == cpu_this()->sched && port->receiver == self && !port->busy;
}

/* (port | reply << 32, timeout); the reply's tag is in rsi, the timeout in rdx */
status_t sys_port_reply_receive(struct thread *self, struct capability *port_cap)
{
	struct port *port = (struct port *)port_cap->object;
	uint64_t handle = ARG1(self) >> 32, tag = ARG2(self), timeout = ARG3(self);
	status_t status = receive_check(self, port, timeout, 3);
	if (status != TSS_OK)
		return status;
	if (!handle)
		return receive(self, port, timeout);
	struct capability *cap;
	status = syscall_capability(self, handle, 1, TSS_TYPE_REPLY, TSS_RIGHT_SEND, &cap);
	struct reply *reply = status == TSS_OK ? (struct reply *)cap->object : NULL;
	if (status == TSS_OK)
		status = reply_check(self, cap, tag);
	if (status != TSS_OK)
		return status;
	timeout_cancel(&reply->caller->timeout);
	if (reply_is_direct(self, port, reply) && timeout != 0) {
		reply_message(self, reply, reply->caller, tag);
		struct thread *caller = reply->caller;
		reply_spend(reply);
		caller->state = TSS_THREAD_READY;
		self->port = port;
		self->state = TSS_THREAD_RECEIVING;
		reply->server = self;
		/* A reply object is free: the one just used. */
		__atomic_store_n(&port->fast, reply, __ATOMIC_RELEASE);
		thread_switch_to(cpu_this(), caller);
		if (timeout != TSS_INFINITE) {
			sched_timeout_start(&self->timeout, timeout);
			port_fast_update(port);
		}
		return SYSCALL_NO_RESULT;
	}
	reply_deliver(self, reply, tag);
	status = receive(self, port, timeout);
	if (self->state == TSS_THREAD_READY)
		sched_activate_home(self); /* the context that ran it may be the caller's, who is ready now */
	return status;
}
