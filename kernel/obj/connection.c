/* SPDX-License-Identifier: BSD-2-Clause */
/* connection.c - making and ending connections and reply objects. Both descend from the port's capability. */
#include <port.h>
#include <syscall.h>

/* (port, unit): what both calls start with. */
static status_t child_check(struct thread *self, const struct capability *cap, struct capability **slot,
			    struct unit **payer)
{
	struct capability *unit_cap;
	status_t status = syscall_capability(self, ARG2(self), 2, TSS_TYPE_UNIT, TSS_RIGHT_CONTROL, &unit_cap);
	if (status != TSS_OK)
		return status;
	if (cap->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, 1);
	*payer = (struct unit *)unit_cap->object;
	return syscall_new_slot(self, slot);
}

void reply_moved(struct reply *reply, struct capability *cap)
{
	reply->cap = cap;
	reply->handle = capability_handle(cap);
}

status_t sys_reply_create(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct capability *slot;
	struct unit *payer;
	void *memory;
	status_t status = child_check(self, cap, &slot, &payer);
	if (status == TSS_OK)
		status = object_alloc(payer, TSS_TYPE_REPLY, sizeof(struct reply), &memory);
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
	struct capability *slot;
	struct unit *payer;
	void *memory;
	status_t status = child_check(self, cap, &slot, &payer);
	if (status == TSS_OK)
		status = object_alloc(payer, TSS_TYPE_CONNECTION, sizeof(struct connection), &memory);
	if (status != TSS_OK)
		return status;
	struct connection *connection = memory;
	connection->port = connection->target = (struct port *)cap->object;
	connection->badge = ARG3(self);
	return syscall_place(self, slot, connection, cap);
}

status_t connection_tell(struct connection *connection)
{
	connection->port = connection->target;
	return connection->target->dead ? ERR(PEER_DEAD, 1) : ERR(PEER_RESTARTED, 1);
}

void connection_destroy(struct connection *connection)
{
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
