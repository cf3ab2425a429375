/* SPDX-License-Identifier: BSD-2-Clause */
/* port.c - ports: creation, queues, delivery to the waiting receiver, the end. Calls and replies are in ipc.c. */
#include <enabled.h>
#include <message_copy.h>
#include <mode.h>
#include <syscall.h>

#define FILL_SLICE 64 /* messages */
#define MESSAGES_FREED 4u /* for one of a slice */
#define TRIES 16 /* callers that a receiver gets past at once */

struct port port_stale;

void port_fast_end(struct port *port)
{
	struct reply *reply = port->fast;
	if (!reply)
		return;
	port->fast = NULL;
	reply->next_free = port->free_reply;
	port->free_reply = reply;
}

void port_fast_update(struct port *port)
{
	port_fast_end(port);
	struct reply *reply = port->free_reply;
	if (!IS_ENABLED(CONFIG_DONATION) || port->dead || !port_waiting(port) || !reply)
		return;
	port->free_reply = reply->next_free;
	reply->server = port->receiver;
	/* Last: another CPU may be looking who waits here, and then whether he does so there (fast.S). */
	__atomic_store_n(&port->fast, reply, __ATOMIC_RELEASE);
}

void port_reply_freed(struct port *port)
{
	port_fast_update(port);
	if (port->busy && port_waiting(port))
		(void)port_deliver_next(port);
}

/* A delivery takes the first caller or message only, if it has no capabilities, since it cannot fail then. */
bool port_at_home_now(const struct port *port)
{
	const struct thread *caller = LINK_FIRST(&port->callers, struct thread, wait);
	const struct message *message = LINK_FIRST(&port->messages, struct message, link);
	if (caller && (caller->cpu != port->cpu || (!caller->fault && TSS_TAG_CAPS(caller->frame.rsi))))
		return false;
	return !message || !TSS_TAG_CAPS(message->tag);
}

bool connection_at_home(const struct connection *connection, uint64_t tag)
{
	return cpu_is_exclusive() ||
	       (!TSS_TAG_CAPS(tag) && connection->guard.mode < TSS_MODE_PARANOID && port_at_home(connection->target));
}

bool reply_at_home(const struct reply *reply)
{
	const struct cpu *cpu = cpu_this();
	if (cpu_is_exclusive())
		return true;
	/* The port first: if that is at home, nobody else changes the reply. */
	return port_at_home(reply->port) && !reply->away && (!reply->caller || reply->caller->cpu == cpu) &&
	       (!reply->caller || reply->caller->guard.mode < TSS_MODE_PARANOID) &&
	       (!reply->server || reply->server->cpu == cpu) && (!reply->port->event || reply->port->event->cpu == cpu);
}

static void port_receiver_ready(struct port *port)
{
	struct thread *receiver = port->receiver;
	port_fast_end(port);
	if (receiver->state != TSS_THREAD_RECEIVING)
		return;
	timeout_cancel(&receiver->timeout);
	receiver->port = NULL;
	receiver->left = SCHED_CHAIN_MAX;
	receiver->state = TSS_THREAD_READY;
	sched_wake_parked(receiver);
	sched_activate_home(receiver);
}

static void port_deliver_event(struct port *port)
{
	struct thread *to = port->receiver;
	port_receiver_ready(port);
	message_set_result(to, 0, TSS_TAG(TSS_MSG_EVENT, sizeof(uint64_t), 0), 0);
	to->frame.r10 = port->event->bits;
	to->frame.r8 = to->frame.r9 = to->frame.rbx = 0;
	port->event->bits = 0;
}

/* Its place is free again, its sender has the credit back, and its capabilities go to `to` or (NULL) nowhere. */
static void port_release_message(struct port *port, struct message *message, struct thread *to)
{
	link_remove(&message->link);
	link_append(&port->free_messages, &message->link);
	if (message->sender)
		message->sender->queued--;
	if (TSS_TAG_CAPS(message->tag))
		message_take_caps(message, to);
}

/* The kernel's copy of what was PARANOID does not outlive its delivery. */
static void message_wipe(struct message *message)
{
	if (message->mode == TSS_MODE_PARANOID)
		__builtin_memset(message->words, 0, sizeof(message->words));
}

static bool port_drop_messages(struct port *port, unsigned *left)
{
	for (struct message *message; (message = LINK_FIRST(&port->messages, struct message, link));) {
		if (!slice_spend(left, 1))
			return false;
		port_release_message(port, message, NULL);
		message_wipe(message);
	}
	return true;
}

static void port_deliver_message(struct port *port, struct message *message)
{
	struct thread *to = port->receiver;
	port_receiver_ready(port);
	port_release_message(port, message, to);
	message_set_result(to, message->badge, message->tag, 0);
	to->frame.r10 = message->words[0];
	to->frame.r8 = message->words[1];
	to->frame.r9 = message->words[2];
	to->frame.rbx = message->words[3];
	message_copy_payload(to->ipc->recv, message->words, message->tag);
	if (message->mode)
		mode_clean(to, message->tag, message->mode);
	message_wipe(message);
}

/* False: the caller's capabilities could not be handed over; it has its error, try the next. */
static bool port_deliver_caller(struct port *port, struct thread *caller)
{
	struct thread *to = port->receiver;
	uint64_t tag = caller->fault ? 0 : caller->frame.rsi;
	status_t status = TSS_TAG_CAPS(tag) ? message_move_caps(to, NULL, caller, tag, caller->guard) : TSS_OK;
	if (status == ERR(SHARE, 2))
		status = mode_violated(caller, caller, port, caller->guard, tag, status);
	if (status != TSS_OK) {
		if (status != SYSCALL_NO_RESULT)
			thread_wake(caller, status);
		return false;
	}
	link_remove(&caller->wait);
	bool here = caller->cpu == to->cpu;
	struct reply *reply = reply_bind(port, caller, to, here ? caller->home : NULL);
	port_receiver_ready(port);
	to->left = (uint8_t)(caller->left ? caller->left - 1 : 0);
	if (caller->fault) {
		fault_deliver(to, caller, caller->badge, reply);
	} else {
		message_set_result(to, caller->badge, tag, capability_handle(reply->cap));
		message_copy_words(to, caller);
		message_copy_payload(to->ipc->recv, caller->ipc->send, tag);
		if (caller->guard.mode) {
			mode_clean(to, tag, caller->guard.mode);
			reply_guard(reply);
		}
	}
	if (here)
		sched_wake_parked(caller); /* contexts parked at the caller can help its server now */
	return true;
}

bool port_deliver_next(struct port *port)
{
	port_fast_end(port);
	if (port->event && port->event->bits) {
		port_deliver_event(port);
		return true;
	}
	for (unsigned tries = 0; tries < TRIES; tries++) {
		struct thread *caller = port->free_reply ? LINK_FIRST(&port->callers, struct thread, wait) : NULL;
		struct message *message = LINK_FIRST(&port->messages, struct message, link);
		if (message && (!caller || message->sequence < caller->sequence)) {
			port_deliver_message(port, message);
			return true;
		}
		if (!caller) {
			port->busy = !link_empty(&port->callers);
			port_fast_update(port);
			return false;
		}
		if (port_deliver_caller(port, caller))
			return true;
	}
	if (port_waiting(port))
		thread_wake(port->receiver, ERR(AGAIN, 0));
	return false;
}

/* May sender have one more message in the queue? The kernel (NULL) may always. */
bool connection_has_credit(const struct connection *sender)
{
	if (!sender || sender->queued < sender->credit)
		return true;
	const struct port *port = sender->target;
	return !sender->credit && (!sender->queued || sender->queued < (port->depth - port->reserved) / port->sharers);
}

static struct message *port_take_message(struct port *port, struct connection *sender)
{
	if (port->dead || !connection_has_credit(sender))
		return NULL;
	struct message *message = LINK_TAKE(&port->free_messages, struct message, link);
	if (!message)
		return NULL;
	message->sender = sender;
	message->mode = sender ? sender->guard.mode : TSS_MODE_FAST;
	if (sender)
		sender->queued++;
	return message;
}

static void port_queue_message(struct port *port, struct message *message)
{
	message->sequence = port->sequence++;
	port->busy = true;
	link_append(&port->messages, &message->link);
	if (port_waiting(port))
		(void)port_deliver_next(port);
}

bool connection_post(struct connection *connection, uint64_t tag, const uint64_t *words)
{
	struct port *port = connection->target;
	connection_lead(connection, port); /* the kernel needs no telling */
	struct message *message = port_take_message(port, NULL);
	if (!message)
		return port->mailbox &&
		       mailbox_put(port, &(struct mailbox_letter){NULL, tag, connection->badge, words, words});
	message->tag = tag;
	message->badge = connection->badge;
	/* What an earlier message left behind its end is nobody's business. */
	for (unsigned i = 0; i < COUNT_OF(message->words); i++)
		message->words[i] = i * sizeof(uint64_t) < TSS_TAG_LENGTH(tag) ? words[i] : 0;
	port_queue_message(port, message);
	return true;
}

status_t sys_connection_send(struct thread *self, struct capability *cap)
{
	struct connection *connection = (struct connection *)cap->object;
	uint64_t tag = ARG2(self);
	if (!connection_at_home(connection, tag))
		kernel_exclusive(self);
	if (!tag_valid(tag))
		return ERR(ARGUMENT, 2);
	if (connection->port == &port_stale)
		return connection_tell(connection);
	if (connection->port->dead)
		return ERR(PEER_DEAD, 1);
	status_t status = connection->guard.mode ? mode_check(self, connection, tag, 1) : TSS_OK;
	if (status != TSS_OK)
		return status;
	struct message *message = port_take_message(connection->port, connection);
	if (!message) {
		status_t refusal = connection->target->mailbox ? mailbox_send(self, connection) : ERR(FULL, 1);
		connection->refused += refusal != TSS_OK;
		return refusal;
	}
	if (TSS_TAG_CAPS(tag))
		status = message_move_caps(NULL, message, self, tag, connection->guard);
	message->tag = status == TSS_OK ? tag : 0;
	if (status != TSS_OK) {
		port_release_message(connection->port, message, NULL);
		return status != ERR(SHARE, 2)
			       ? status
			       : mode_violated(self, self, connection->port, connection->guard, tag, status);
	}
	if (connection->guard.mode)
		mode_send(self, connection, tag);
	connection->sends++;
	message->badge = connection->badge;
	message->words[0] = self->frame.r10;
	message->words[1] = self->frame.r8;
	message->words[2] = self->frame.r9;
	message->words[3] = self->frame.rbx;
	message_copy_payload(message->words, self->ipc->send, tag);
	port_queue_message(connection->port, message);
	return TSS_OK;
}

/* A slice of its places. */
static status_t port_fill(void *object, uint64_t depth)
{
	struct port *port = object;
	for (unsigned left = FILL_SLICE; port->depth < depth; left--, port->depth++) {
		struct message *message = left ? slab_alloc(port->object.payer, sizeof(*message)) : NULL;
		if (!message)
			return left ? ERR(MEMORY, 0) : ERR(AGAIN, 0);
		link_append(&port->free_messages, &message->link);
	}
	return TSS_OK;
}

status_t sys_port_create(struct thread *self, struct capability *cap)
{
	struct unit *payer = (struct unit *)cap->object;
	if (ARG2(self) > PORT_DEPTH_MAX)
		return ERR(ARGUMENT, 2);
	struct port *port = syscall_making(self, TSS_TYPE_PORT);
	if (port && port->object.payer == payer && port->depth <= ARG2(self))
		return syscall_make(self, &port->object, port_fill, ARG2(self));
	if (!(port = object_alloc(payer, TSS_TYPE_PORT)))
		return ERR(MEMORY, 0);
	port->cpu = cpu_this();
	link_init(&port->callers);
	link_init(&port->messages);
	link_init(&port->free_messages);
	link_init(&port->held);
	link_init(&port->spare);
	return syscall_make(self, &port->object, port_fill, ARG2(self));
}

bool port_die(struct port *port, unsigned *left)
{
	port->dead = true;
	if (port_waiting(port))
		thread_wake(port->receiver, ERR(CANCELLED, 1));
	for (struct thread *caller; (caller = LINK_FIRST(&port->callers, struct thread, wait));) {
		if (!slice_spend(left, 1))
			return false;
		thread_wake(caller, ERR(PEER_DEAD, 1));
	}
	return port_drop_messages(port, left);
}

struct connection *caller_untold(const struct thread *caller, const struct port *port)
{
	/* A fault's registers name nothing: its connection was told when it was made. */
	const struct capability *cap = caller->fault
					       ? NULL
					       : cspace_lookup_needed(&caller->unit->caps, (cap_t)caller->frame.rdi,
								      CAP_NEEDS(TSS_TYPE_CONNECTION, 0));
	struct connection *connection = cap ? (struct connection *)cap->object : NULL;
	return connection && connection->target == port && connection->port == &port_stale ? connection : NULL;
}

/* Messages that nobody may get any more are dropped: who sent them is told with the next one. */
bool port_up(struct port *port, unsigned *left)
{
	if (!port_drop_messages(port, left))
		return false;
	mailbox_end(port);
	if (port->event)
		port->event->port = NULL;
	port->event = NULL;
	for (struct link *at = port->callers.next, *next; next = at->next, at != &port->callers; at = next) {
		struct thread *caller = LINK_ENTRY(at, struct thread, wait);
		struct connection *untold = caller_untold(caller, port);
		if (!slice_spend(left, untold != NULL))
			return false;
		if (untold)
			thread_wake(caller, connection_tell(untold));
	}
	return true;
}

/* Its replies and connections descend from it, and are gone. */
bool port_lighten(void *object, unsigned *left)
{
	struct port *port = object;
	if (!port_die(port, left))
		return false;
	mailbox_end(port);
	if (port->event)
		port->event->port = NULL;
	port->event = NULL;
	for (struct message *message; *left && (message = LINK_TAKE(&port->free_messages, struct message, link));) {
		slab_free(port->object.payer, message, sizeof(*message));
		*left -= port->depth-- % MESSAGES_FREED == 0;
	}
	return !port->depth;
}
