/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc.c - call, receive, reply: the hot path of the system.
 *
 * Direct hand-over: a call that finds the receiver waiting makes it current and leaves the scheduling context alone;
 * the reply makes the caller current again if that same context still runs. Neither touches a run queue. Whatever
 * does not fit (capabilities, queues, timeouts due) goes the general way through blocking and sched_schedule().
 */
#include <message_copy.h>
#include <syscall.h>

struct reply *reply_bind(struct port *port, struct thread *caller, struct thread *server, struct sched *sched)
{
	struct reply *reply = LINK_ENTRY(link_take_first(&port->free_replies), struct reply, link);
	reply->caller = caller;
	reply->server = server;
	reply->sched = sched;
	reply->bound = true;
	caller->reply = reply;
	caller->port = NULL;
	return reply;
}

/* The handle is spent whether or not somebody still waited. */
static void reply_free(struct reply *reply)
{
	struct port *port = reply->port;
	reply->bound = false;
	reply->caller = NULL;
	reply->server = NULL;
	reply->cap->generation++;
	link_insert_after(&port->free_replies, &reply->link);
	port_fast_update(port);
}

void reply_detach_caller(struct reply *reply)
{
	struct thread *server = reply->server;
	reply->caller->reply = NULL;
	reply->caller = NULL;
	if (server)
		sched_activate_home(server);
}

void reply_destroy(struct reply *reply)
{
	if (reply->caller)
		thread_wake(reply->caller, ERR(PEER_DEAD, 1));
	link_remove(&reply->link);
	port_fast_update(reply->port);
	object_free(&reply->object, sizeof(*reply));
}

static status_t message_error(struct thread *self, status_t status)
{
	struct arch_frame *frame = &self->frame;
	frame->rdi = frame->rsi = frame->rdx = frame->r10 = frame->r8 = frame->r9 = frame->rbx = 0;
	return status;
}

/* Does the chain of calls that starts at thread lead back to self, or further than the kernel follows? */
static bool call_too_deep(const struct thread *self, const struct thread *thread)
{
	for (unsigned links = 0; thread && links < SCHED_CHAIN_MAX; links++) {
		if (thread == self)
			return true;
		if (thread->state != TSS_THREAD_CALLING)
			return false;
		thread = thread->reply ? thread->reply->server : thread->port->receiver;
	}
	return thread != NULL;
}

static status_t call_queue(struct thread *self, struct connection *connection, uint64_t timeout)
{
	struct port *port = connection->port;
	if (call_too_deep(self, port->receiver))
		return message_error(self, ERR(DEPTH, 1));
	if (timeout == 0)
		return message_error(self, ERR(TIMEOUT, 2));
	cpu_this()->slow_calls++;
	self->port = port;
	self->reply = NULL;
	self->badge = connection->badge;
	self->sequence = port->sequence++;
	link_append(&port->callers, &self->wait);
	thread_block(self, TSS_THREAD_CALLING, timeout);
	if (port->waiting)
		(void)port_deliver_next(port);
	return SYSCALL_NO_RESULT;
}

/* Hand over to the waiting receiver: it goes on in this context, at once. */
static status_t call_hand_over(struct thread *self, struct thread *server, struct connection *connection, uint64_t tag,
			       uint64_t timeout)
{
	struct port *port = connection->port;
	struct reply *reply = reply_bind(port, self, server, cpu_this()->sched);
	port->fast_receiver = NULL;
	port->waiting = false;
	if (UNLIKELY(server->timeout.armed))
		timeout_cancel(&server->timeout);
	server->port = NULL;
	server->state = TSS_THREAD_READY;
	message_set_result(server, connection->badge, tag, capability_handle(reply->cap));
	message_copy_words(server, self);
	message_copy_payload(server->ipc->recv, self->ipc->send, tag);
	self->state = TSS_THREAD_CALLING;
	if (UNLIKELY(timeout != TSS_INFINITE)) {
		timeout_start(&self->timeout, timeout);
		sched_reprogram();
	}
	cpu_this()->fast_calls++;
	thread_switch_to(server);
	return SYSCALL_NO_RESULT;
}

status_t sys_connection_call(struct thread *self, struct capability *cap)
{
	struct connection *connection = (struct connection *)cap->object;
	struct thread *server = connection->port->fast_receiver;
	uint64_t tag = ARG2(self), timeout = ARG3(self);
	if (UNLIKELY(!tag_valid(tag)))
		return message_error(self, ERR(ARGUMENT, 2));
	if (UNLIKELY(timeout > TSS_TIMEOUT_MAX && timeout != TSS_INFINITE))
		return message_error(self, ERR(ARGUMENT, 3));
	if (UNLIKELY(connection->port->dead))
		return message_error(self, ERR(PEER_DEAD, 1));
	connection->calls++;
	if (UNLIKELY(!server || timeout == 0))
		return call_queue(self, connection, timeout);
	if (UNLIKELY(TSS_TAG_CAPS(tag))) {
		status_t status = message_move_caps(server, self, tag);
		if (status != TSS_OK)
			return message_error(self, status);
	}
	return call_hand_over(self, server, connection, tag, timeout);
}

static status_t receive(struct thread *self, struct port *port, uint64_t timeout)
{
	port->receiver = self;
	if (port_deliver_next(port))
		return SYSCALL_NO_RESULT;
	if (timeout == 0)
		return message_error(self, ERR(TIMEOUT, 2));
	self->port = port;
	port->waiting = true;
	port_fast_update(port);
	thread_block(self, TSS_THREAD_RECEIVING, timeout);
	return SYSCALL_NO_RESULT;
}

static status_t receive_check(const struct port *port, uint64_t timeout)
{
	if (timeout > TSS_TIMEOUT_MAX && timeout != TSS_INFINITE)
		return ERR(ARGUMENT, 2);
	return port->waiting ? ERR(BUSY, 1) : TSS_OK;
}

status_t sys_port_receive(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	uint64_t timeout = ARG2(self);
	status_t status = receive_check(port, timeout);
	return status == TSS_OK ? receive(self, port, timeout) : message_error(self, status);
}

/*
 * Give the caller its answer and make it ready. True: the context that runs now is the one the caller handed over,
 * so the caller may simply be made current. The capabilities have been moved.
 */
static bool reply_deliver(struct thread *self, struct reply *reply, uint64_t tag)
{
	struct thread *caller = reply->caller;
	bool direct = reply->sched == cpu_this()->sched && link_empty(&caller->parked);
	caller->reply = NULL;
	reply_free(reply);
	if (UNLIKELY(caller->timeout.armed))
		timeout_cancel(&caller->timeout);
	message_set_result(caller, 0, tag, 0);
	message_copy_words(caller, self);
	message_copy_payload(caller->ipc->recv, self->ipc->send, tag);
	caller->state = TSS_THREAD_READY;
	return direct;
}

static void reply_wake(struct thread *caller)
{
	sched_wake_parked(caller);
	sched_activate_home(caller);
}

/* Everything that can be wrong with a reply; on success the capabilities have been moved. */
static status_t reply_check(struct thread *self, struct reply *reply, uint64_t tag, unsigned tag_argument)
{
	if (!tag_valid(tag))
		return ERR(ARGUMENT, tag_argument);
	if (!reply->bound)
		return ERR(CAPABILITY, 1);
	if (!reply->caller) {
		reply_free(reply);
		return ERR(GONE, 1);
	}
	return TSS_TAG_CAPS(tag) ? message_move_caps(reply->caller, self, tag) : TSS_OK;
}

status_t sys_reply_send(struct thread *self, struct capability *cap)
{
	struct reply *reply = (struct reply *)cap->object;
	struct port *port = reply->port;
	uint64_t tag = ARG2(self);
	status_t status = reply_check(self, reply, tag, 2);
	if (status != TSS_OK)
		return message_error(self, status);
	struct thread *caller = reply->caller;
	(void)reply_deliver(self, reply, tag);
	reply_wake(caller);
	sched_activate_home(self);
	cpu_this()->need_resched = true;
	if (port->waiting)
		(void)port_deliver_next(port);
	return message_error(self, TSS_OK);
}

/* Nothing to receive and the caller's context at hand: wait here, run the caller. */
static status_t reply_switch(struct thread *self, struct port *port, struct thread *caller, uint64_t timeout)
{
	self->port = port;
	self->state = TSS_THREAD_RECEIVING;
	port->receiver = self;
	port->waiting = true;
	port->fast_receiver = self; /* a reply object is free: the one just used */
	if (UNLIKELY(timeout != TSS_INFINITE)) {
		timeout_start(&self->timeout, timeout);
		sched_reprogram();
	}
	thread_switch_to(caller);
	return SYSCALL_NO_RESULT;
}

ALWAYS_INLINE bool port_idle(const struct port *port)
{
	return link_empty(&port->callers) && link_empty(&port->messages) && !(port->event && port->event->bits);
}

/* (port | reply << 32, timeout); the reply's tag is in rsi, the timeout in rdx */
status_t sys_port_reply_receive(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	uint64_t handle = ARG1(self) >> 32, tag = ARG2(self), timeout = ARG3(self);
	status_t status = receive_check(port, timeout);
	if (UNLIKELY(status != TSS_OK))
		return message_error(self, TSS_CODE(status) == TSS_E_ARGUMENT ? ERR(ARGUMENT, 3) : status);
	if (UNLIKELY(!handle))
		return receive(self, port, timeout);
	struct capability *reply_cap = cspace_lookup_in(&self->unit->caps, handle);
	if (UNLIKELY(!reply_cap))
		return message_error(self, ERR(CAPABILITY, 1));
	if (UNLIKELY(reply_cap->type != TSS_TYPE_REPLY))
		return message_error(self, ERR(TYPE, 1));
	struct reply *reply = (struct reply *)reply_cap->object;
	status = reply_check(self, reply, tag, 2);
	if (UNLIKELY(status != TSS_OK))
		return message_error(self, status);
	struct thread *caller = reply->caller;
	bool direct = reply_deliver(self, reply, tag);
	if (LIKELY(direct && timeout != 0 && reply->port == port && port_idle(port)))
		return reply_switch(self, port, caller, timeout);
	reply_wake(caller);
	cpu_this()->need_resched = true;
	status = receive(self, port, timeout);
	if (self->state == TSS_THREAD_READY)
		sched_activate_home(self); /* the context that ran it may be the caller's, who is ready now */
	return status;
}

status_t sys_reply_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct capability *slot, *unit_cap;
	void *memory;
	status_t status = syscall_capability(self, ARG2(self), 2, TSS_TYPE_UNIT, TSS_RIGHT_CONTROL, &unit_cap);
	if (status != TSS_OK)
		return status;
	if (cap->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, 1);
	status = syscall_new_slot(self, &slot);
	if (status != TSS_OK)
		return status;
	status = object_alloc((struct unit *)unit_cap->object, TSS_TYPE_REPLY, sizeof(struct reply), &memory);
	if (status != TSS_OK)
		return status;
	struct reply *reply = memory;
	reply->port = port;
	reply->cap = slot;
	link_append(&port->free_replies, &reply->link);
	port_fast_update(port);
	return syscall_place(self, slot, reply, cap);
}

status_t sys_connection_create(struct thread *self, struct capability *cap)
{
	struct capability *slot, *unit_cap;
	void *memory;
	status_t status = syscall_capability(self, ARG2(self), 2, TSS_TYPE_UNIT, TSS_RIGHT_CONTROL, &unit_cap);
	if (status != TSS_OK)
		return status;
	if (cap->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, 1);
	status = syscall_new_slot(self, &slot);
	if (status != TSS_OK)
		return status;
	status = object_alloc((struct unit *)unit_cap->object, TSS_TYPE_CONNECTION, sizeof(struct connection), &memory);
	if (status != TSS_OK)
		return status;
	struct connection *connection = memory;
	connection->port = (struct port *)cap->object;
	connection->badge = ARG3(self);
	return syscall_place(self, slot, connection, cap);
}

void connection_destroy(struct connection *connection)
{
	LINK_FOR_EACH(at, &object_lists[TSS_TYPE_UNIT])
	{
		struct unit *unit = LINK_ENTRY(at, struct unit, object.all);
		if (unit->supervisor == connection)
			unit->supervisor = NULL;
	}
	object_free(&connection->object, sizeof(*connection));
}
