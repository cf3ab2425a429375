/* SPDX-License-Identifier: BSD-2-Clause */
/* connection.c - making and ending connections and reply objects. Both descend from the port's capability. */
#include <port.h>
#include <syscall.h>

/* (port, unit): what both calls start with; a new object that unit pays, and a slot for it. */
static status_t child_new(struct thread *self, const struct capability *cap, uint8_t type, size_t size,
			  struct capability **slot, void **out)
{
	struct capability *unit;
	status_t status = syscall_capability(self, ARG2(self), 2, TSS_TYPE_UNIT, TSS_RIGHT_CONTROL, &unit);
	if (status == TSS_OK)
		status = capability_copyable(cap, 1);
	if (status != TSS_OK)
		return status;
	return syscall_new_object(self, (struct unit *)unit->object, type, size, slot, out);
}

void reply_moved(struct reply *reply, struct capability *cap)
{
	if (!cap->original) {
		reply->away = cap;
		return;
	}
	reply->cap = cap;
	reply->handle = capability_handle(cap);
}

status_t sys_reply_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct capability *slot;
	void *memory;
	status_t status = child_new(self, cap, TSS_TYPE_REPLY, sizeof(struct reply), &slot, &memory);
	if (status != TSS_OK)
		return status;
	struct reply *reply = memory;
	reply->port = port;
	reply->next_free = port->free_reply;
	port->free_reply = reply;
	status = syscall_place(self, slot, reply, cap);
	reply_moved(reply, slot);
	port_reply_freed(port);
	return status;
}

void reply_destroy(struct reply *reply)
{
	struct port *port = reply->port;
	struct reply **at = &port->free_reply;
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
	object_free(&reply->object, sizeof(*reply));
}

status_t sys_connection_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct capability *slot;
	void *memory;
	if (ARG4(self) > port->depth - port->reserved)
		return ERR(FULL, 4);
	status_t status = child_new(self, cap, TSS_TYPE_CONNECTION, sizeof(struct connection), &slot, &memory);
	if (status != TSS_OK)
		return status;
	struct connection *connection = memory;
	connection->port = connection->target = port;
	connection->badge = ARG3(self);
	connection->credit = (uint32_t)ARG4(self);
	port->reserved += connection->credit;
	port->sharers += !connection->credit;
	return syscall_place(self, slot, connection, cap);
}

status_t connection_tell(struct connection *connection)
{
	connection->port = connection->target;
	return connection->target->dead ? ERR(PEER_DEAD, 1) : ERR(PEER_RESTARTED, 1);
}

void connection_destroy(struct connection *connection)
{
	struct port *port = connection->target;
	port->reserved -= connection->credit;
	port->sharers -= !connection->credit;
	LINK_FOR_EACH(at, &port->messages)
	{
		struct message *message = LINK_ENTRY(at, struct message, link);
		if (message->sender == connection)
			message->sender = NULL;
	}
	LINK_FOR_EACH(at, &object_lists[TSS_TYPE_UNIT])
	{
		struct unit *unit = LINK_ENTRY(at, struct unit, object.all);
		if (unit->supervisor == connection)
			unit->supervisor = NULL;
		if (unit->fault_port == connection)
			unit->fault_port = NULL;
	}
	object_free(&connection->object, sizeof(*connection));
}
