/* SPDX-License-Identifier: BSD-2-Clause */
/* connection.c - making and ending connections and reply objects. Both descend from the port's capability. */
#include <pager.h>
#include <port.h>
#include <syscall.h>

void reply_moved(struct capability *cap)
{
	struct reply *reply = (struct reply *)cap->object;
	if (!cap->original) {
		reply->away = cap;
		return;
	}
	reply->cap = cap;
}

status_t sys_reply_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct unit *unit = ARGUMENT2(self, UNIT, CONTROL);
	status_t status = capability_copyable(cap, 1);
	struct reply *reply = status == TSS_OK ? object_alloc(unit, TSS_TYPE_REPLY) : NULL;
	if (!reply)
		return status == TSS_OK ? ERR(MEMORY, 0) : status;
	reply->port = port;
	reply->next_free = port->free_reply;
	port->free_reply = reply;
	status = syscall_place(self, reply, cap, TSS_RIGHT_ALL);
	port_reply_freed(port);
	return status;
}

void reply_destroy(void *object)
{
	struct reply *reply = object;
	struct port *port = reply->port;
	struct reply **at = &port->free_reply;
	port_fast_end(port);
	if (reply->caller) {
		struct thread *caller = reply->caller, *server = reply->server;
		replies_cut(server);
		caller->reply = NULL; /* now, or the reply would be freed and bound to the next caller */
		caller->port = NULL;
		thread_wake(caller, ERR(PEER_DEAD, 1));
		if (server)
			sched_activate_home(server);
	}
	while (*at && *at != reply)
		at = &(*at)->next_free;
	if (*at)
		*at = reply->next_free;
	port_fast_update(port);
}

status_t sys_connection_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	if (ARG4(self) > port->depth - port->reserved)
		return ERR(FULL, 4);
	struct unit *unit = ARGUMENT2(self, UNIT, CONTROL);
	status_t status = capability_copyable(cap, 1);
	struct connection *connection = status == TSS_OK ? object_alloc(unit, TSS_TYPE_CONNECTION) : NULL;
	if (!connection)
		return status == TSS_OK ? ERR(MEMORY, 0) : status;
	connection->target = port;
	connection->methods = TSS_METHODS_ANY;
	connection->guard.connection = connection->object.id;
	connection_lead(connection, port);
	connection->badge = ARG3(self);
	connection->credit = (uint32_t)ARG4(self);
	port->reserved += connection->credit;
	port->sharers += !connection->credit;
	return syscall_place(self, connection, cap, TSS_RIGHT_ALL);
}

void connection_lead(struct connection *connection, struct port *port)
{
	connection->port = port;
	connection->guard.mode =
		connection->mode > connection->target->mode ? connection->mode : connection->target->mode;
	connection->fast = connection->guard.mode == TSS_MODE_FAST ? port : &port_stale;
	if (connection->guard.mode != TSS_MODE_FAST)
		connection->object.payer->scrubs = connection->target->object.payer->scrubs = true;
}

status_t connection_tell(struct connection *connection)
{
	connection_lead(connection, connection->target);
	return connection->target->dead ? ERR(PEER_DEAD, 1) : ERR(PEER_RESTARTED, 1);
}

void connection_destroy(void *object)
{
	const struct connection *connection = object;
	struct port *port = connection->target;
	port->reserved -= connection->credit;
	port->sharers -= !connection->credit;
	const struct link *queues[] = {&port->messages, &port->held};
	for (unsigned i = 0; i < COUNT_OF(queues); i++)
		LINK_FOR_EACH(struct message, message, queues[i], link)
			if (message->sender == connection)
				message->sender = NULL;
	pager_forget(connection);
	OBJECTS_OF(UNIT, unit, unit) {
		if (unit->supervisor == connection)
			unit->supervisor = NULL;
		if (unit->fault_port == connection)
			unit->fault_port = NULL;
		if (unit->monitor == connection)
			unit->monitor = NULL;
	}
}
