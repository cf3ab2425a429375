/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migrate.c - a scheduling context goes to another CPU, and its home thread with it, whatever that is doing: all of it
 * in an exclusive section. What the thread waits at goes along (its port, its event, its timeout); replies that were to
 * be given directly are not any more, since the context that was to run on is on another CPU now.
 */
#include <asm_constants.h>
#include <port.h>
#include <trace.h>

/* On its CPU: the thread is not current any more, and its registers are all in memory. */
static void thread_let_go(struct cpu *cpu, void *argument)
{
	struct thread *thread = argument;
	if (cpu->current == thread) {
		if (cpu->call_pending)
			thread->frame.rip -= SYSCALL_SIZE; /* it makes the call again, wherever it goes on */
		cpu->current = NULL;
		cpu->need_resched = true;
	}
	if (cpu->extended == &thread->extension)
		arch_extended_switch(cpu, NULL);
}

void thread_off_cpu(struct thread *thread)
{
	struct cpu *cpu = thread->cpu;
	if (cpu->current == thread || cpu->extended == &thread->extension)
		cpu_ask(cpu, thread_let_go, thread);
}

void port_move(struct port *port, struct cpu *to)
{
	if (port->cpu == to)
		return;
	port->cpu = to;
	if (port->event && !port->event->waiter)
		port->event->cpu = to;
	OBJECTS_OF(REPLY, reply, reply)
		if (reply->port == port)
			reply->sched = reply->fault_sched = NULL;
}

static void thread_migrate(struct thread *thread, struct cpu *to)
{
	thread_off_cpu(thread);
	thread_set_cpu(thread, to);
	to->extended_used |= thread->extended != NULL;
	OBJECTS_OF(PORT, port, port) {
		if (port->receiver == thread && port_waiting(port))
			port_move(port, to);
		else if (port->receiver == thread)
			port->receiver = NULL; /* that of a port is on the port's CPU; callers in its queue helped it */
	}
	OBJECTS_OF(REPLY, reply, reply) {
		if (reply->caller != thread && reply->server != thread)
			continue;
		reply->sched = reply->fault_sched = NULL;
		if (reply->caller == thread && reply->server)
			sched_activate_home(reply->server); /* it may have been running in this context */
	}
	if (thread->event)
		thread->event->cpu = to;
	sched_wake_parked(thread);
}

void sched_migrate(struct sched *sched, struct cpu *to)
{
	struct thread *thread = sched->home;
	if (sched->cpu == to)
		return;
	TRACE(MIGRATE, sched->object.id, to->index);
	if (thread)
		thread_migrate(thread, to);
	sched_unqueue(sched);
	sched->cpu = to;
	sched_set(sched, sched->priority, sched->slice_us);
	if (!thread)
		return;
	sched_enqueue(sched);
	if (!thread->timeout.armed)
		return timeout_cancel(&thread->timeout); /* it may lie in the other CPU's wheel all the same */
	timeout_move(&to->wheel, &thread->timeout);
	cpu_ask(to, sched_timer_update, NULL);
}

/* (system, sched, cpu) */
status_t sys_sched_place(struct thread *self, struct capability *cap)
{
	struct sched *sched = ARGUMENT2(self, SCHED, CONTROL);
	if (ARG3(self) >= cpu_count)
		return ERR(ARGUMENT, 3);
	sched_migrate(sched, &cpus[ARG3(self)]);
	if (cpu_this()->current)
		return TSS_OK;
	self->frame.rax = TSS_OK; /* it has moved itself, and goes on there */
	return SYSCALL_NO_RESULT;
}
