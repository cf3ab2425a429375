/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event.c - notification bits. Signal adds bits; whoever waits takes them all at once. An event bound to a port is
 * received there as a message of type TSS_MSG_EVENT.
 */
#include <irq.h>
#include <mode.h>
#include <port.h>
#include <syscall.h>

bool event_at_home(const struct event *event)
{
	return cpu_is_exclusive() || (event->cpu == cpu_this() && (!event->port || port_at_home(event->port)));
}

ALWAYS_INLINE void signal_now(struct event *event, uint64_t bits)
{
	struct thread *waiter = event->waiter;
	event->bits |= bits;
	if (!event->bits)
		return;
	if (waiter) {
		event->waiter = NULL;
		waiter->event = NULL;
		if (waiter->timeout.again)
			timeout_cancel(&waiter->timeout);
		waiter->frame.rax = TSS_OK;
		waiter->frame.rdx = event->bits;
		event->bits = 0;
		thread_ready(waiter);
	} else if (event->port) {
		event->port->busy = true;
		if (port_waiting(event->port))
			(void)port_deliver_next(event->port);
	}
}

void event_signal(struct event *event, uint64_t bits)
{
	signal_now(event, bits);
}

void event_destroy(void *object)
{
	struct event *event = object;
	OBJECTS_OF(UNIT, unit, unit)
		if (unit->low_event == event) {
			unit->low_event = NULL;
			unit->low = 0;
		}
	OBJECTS_OF(SCHED, sched, sched)
		if (sched->event == event)
			sched->event = NULL;
	if (event->waiter)
		thread_wake(event->waiter, ERR(CANCELLED, 1));
	if (event->port)
		event->port->event = NULL;
	irq_forget_events(event, NULL);
	record_forget_event(event);
}

status_t sys_event_create(struct thread *self, struct capability *cap)
{
	struct event *event = object_alloc((struct unit *)cap->object, TSS_TYPE_EVENT);
	if (!event)
		return ERR(MEMORY, 0);
	event->cpu = cpu_this();
	return syscall_place(self, event, NULL, TSS_RIGHT_ALL);
}

status_t sys_event_signal(struct thread *self, struct capability *cap)
{
	struct event *event = (struct event *)cap->object;
	if (!event_at_home(event))
		kernel_exclusive(self);
	signal_now(event, ARG2(self));
	return TSS_OK;
}

status_t sys_event_wait(struct thread *self, struct capability *cap)
{
	struct event *event = (struct event *)cap->object;
	uint64_t timeout = ARG2(self);
	if (!timeout_valid(timeout))
		return ERR(ARGUMENT, 2);
	if (!event_at_home(event))
		kernel_exclusive(self);
	if (!event->waiter)
		event->cpu = self->cpu;
	if (event->bits) {
		uint64_t bits = event->bits;
		event->bits = 0;
		return syscall_value(self, bits);
	}
	if (event->waiter)
		return ERR(BUSY, 1);
	if (timeout == 0)
		return ERR(TIMEOUT, 0);
	event->waiter = self;
	self->event = event;
	thread_block(self, TSS_THREAD_WAITING, timeout);
	return SYSCALL_NO_RESULT;
}

status_t sys_event_bind(struct thread *self, struct capability *cap)
{
	struct event *event = (struct event *)cap->object;
	struct port *port = ARGUMENT2(self, PORT, RECEIVE);
	if (port->event || event->port)
		return ERR(BUSY, event->port ? 1 : 2);
	port->event = event;
	event->port = port;
	if (!event->waiter)
		event->cpu = port->cpu;
	event_signal(event, 0);
	return TSS_OK;
}
