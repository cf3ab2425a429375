/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c - threads: creation, waiting, waking, ending. What a fault does is in fault.c. */
#include <frame.h>
#include <mode.h>
#include <port.h>
#include <trace.h>

status_t thread_check_start(uint64_t entry, uint64_t stack, unsigned number)
{
	if (entry < TSS_USER_BASE || entry >= TSS_USER_END - PAGE_SIZE)
		return ERR(ARGUMENT, number);
	if (stack < TSS_USER_BASE || stack >= TSS_USER_END - PAGE_SIZE || stack % 16)
		return ERR(ARGUMENT, number + 1);
	return TSS_OK;
}

static status_t thread_check(struct unit *unit, uint64_t entry, uint64_t stack, uint64_t ipc_page)
{
	if (unit->state >= UNIT_ENDED)
		return ERR(BUSY, 1);
	status_t status = thread_check_start(entry, stack, 2);
	if (status != TSS_OK)
		return status;
	if (!unit_range_valid(ipc_page, PAGE_SIZE))
		return ERR(ARGUMENT, 4);
	return arch_space_lookup(&unit->space, (uaddr_t){ipc_page}).raw != NOT_MAPPED ? ERR(OCCUPIED, 4) : TSS_OK;
}

void thread_destroy(void *object)
{
	struct thread *thread = object;
	thread_end(thread);
	thread_off_cpu(thread);
	if (thread->start.sched)
		thread->start.sched->starts = NULL;
	(void)arch_space_unmap(&thread->unit->space, (uaddr_t){thread->ipc_user});
	arch_space_flush(&thread->unit->space);
	arch_extended_reset(&thread->extension); /* the CPU forgets it */
	if (thread->extension.vectors)
		frame_free(thread->unit, thread->extension.vectors);
	if (thread->ipc)
		frame_free(thread->unit, thread->ipc);
	interpose_forget(thread);
}

void sched_destroy(void *object)
{
	struct sched *sched = object;
	if (sched->starts)
		sched->starts->start.sched = NULL;
	budget_end(sched);
}

void thread_reset(struct thread *thread)
{
	thread_off_cpu(thread);
	thread->frame = (struct arch_frame){.rdi = thread->start.argument, .rflags = ARCH_USER_FLAGS(0)};
	thread->state = TSS_THREAD_NEW;
	thread->fault = 0;
	thread->handler.entry = 0;
	thread->redirect.entry = 0;
	interpose_forget(thread);
	thread->fault_handling = false;
	thread->paging = false;
	thread->left = SCHED_CHAIN_MAX;
	thread->last_port = thread->last_reply = thread->last_connection = thread->unit->caps.pages[0];
	arch_extended_reset(&thread->extension);
	thread->unit->threads++;
	__builtin_memset(thread->ipc, 0, PAGE_SIZE);
	thread->ipc->self = thread->ipc_user;
	thread->ipc->thread = thread->object.id;
	__builtin_memcpy(thread->ipc->unit, thread->unit->name, TSS_NAME_SIZE);
}

status_t thread_create(struct unit *unit, uint64_t entry, uint64_t stack, uint64_t ipc_page, uint64_t argument,
		       struct thread **out)
{
	status_t status = thread_check(unit, entry, stack, ipc_page);
	if (status != TSS_OK)
		return status;
	struct thread *thread = *out = object_alloc(unit, TSS_TYPE_THREAD);
	if (!thread)
		return ERR(MEMORY, 0);
	thread->unit = unit;
	thread->state = TSS_THREAD_ENDED; /* for thread_destroy(), until it is whole */
	thread->ipc_user = ipc_page;
	thread->root = unit->space.cr3;
	thread->start = (struct thread_start){entry, stack, argument, NULL};
	thread->extended = unit->vectors ? &thread->extension : NULL;
	thread_set_cpu(thread, cpu_this());
	link_init(&thread->wait);
	link_init(&thread->parked);
	link_init(&thread->timeout.link);
	thread->ipc = frame_alloc(unit);
	if (unit->vectors)
		thread->extension.vectors = frame_alloc(unit);
	status = !thread->ipc || (unit->vectors && !thread->extension.vectors)
			 ? ERR(MEMORY, 0)
			 : arch_space_map(&unit->space, unit, (uaddr_t){ipc_page}, virt_to_phys(thread->ipc),
					  TSS_RIGHT_READ | TSS_RIGHT_WRITE, false);
	if (status == TSS_OK)
		thread_reset(thread);
	else
		object_destroy(&thread->object);
	return status;
}

void thread_start(struct thread *thread, struct sched *sched)
{
	if (sched->starts)
		sched->starts->start.sched = NULL;
	thread->home = thread->start.sched = sched;
	thread->frame.rip = arch_space_placed(&thread->unit->space, thread->start.entry);
	thread->frame.rsp = arch_space_placed(&thread->unit->space, thread->start.stack);
	sched->home = sched->starts = thread;
	thread->state = TSS_THREAD_READY;
	thread_set_cpu(thread, sched->cpu);
	thread->cpu->extended_used |= thread->extended != NULL;
	thread->unit->state = UNIT_RUNNING;
	sched_enqueue(sched);
}

void thread_block(struct thread *thread, enum tss_thread_state state, uint64_t timeout_us)
{
	thread->state = (uint8_t)state;
	cpu_this()->need_resched = true;
	if (timeout_us != TSS_INFINITE)
		sched_timeout_start(&thread->timeout, timeout_us);
}

/* Forget what the thread waits for. */
static void thread_unwait(struct thread *thread)
{
	timeout_cancel(&thread->timeout);
	switch (thread->state) {
	case TSS_THREAD_CALLING:
		link_remove(&thread->wait);
		if (thread->guard.mode)
			mode_end(thread);
		if (thread->reply)
			reply_detach_caller(thread->reply);
		else if (thread->port)
			replies_cut(thread->port->receiver);
		break;
	case TSS_THREAD_RECEIVING:
		port_fast_end(thread->port);
		thread->left = SCHED_CHAIN_MAX;
		break;
	case TSS_THREAD_WAITING:
		if (thread->event)
			thread->event->waiter = NULL;
		break;
	default:
		break;
	}
	thread->port = NULL;
	thread->reply = NULL;
	thread->event = NULL;
}

bool thread_waits_at_home(const struct thread *thread)
{
	if (thread->state != TSS_THREAD_CALLING)
		return true;
	return thread->reply ? reply_at_home(thread->reply) : port_at_home(thread->port);
}

void thread_wake(struct thread *thread, status_t status)
{
	struct arch_frame *frame = &thread->frame;
	bool message = thread->state == TSS_THREAD_CALLING || thread->state == TSS_THREAD_RECEIVING;
	TRACE(WAKE, thread->object.id, status);
	if (thread->fault && thread->fault != TSS_FAULT_INTERPOSED)
		return thread_halt(thread, TSS_THREAD_FAULTED);
	thread_unwait(thread);
	if (thread->fault) {
		interpose_end(thread, TSS_CODE(status), 0);
		return thread_ready(thread);
	}
	frame->rax = status;
	frame->rdx = 0;
	if (message)
		frame->rdi = frame->rsi = frame->r10 = frame->r8 = frame->r9 = frame->rbx = 0;
	thread_ready(thread);
}

void thread_halt(struct thread *thread, enum tss_thread_state state)
{
	thread_unwait(thread);
	thread->state = (uint8_t)state;
	sched_wake_parked(thread);
	sched_activate_home(thread);
	cpu_resched(thread->cpu);
	if (!cpu_is_here(thread->cpu))
		thread_off_cpu(thread);
}

void thread_end(struct thread *thread)
{
	struct sched *home = thread->home;
	if (thread->state == TSS_THREAD_ENDED)
		return;
	thread->unit->threads--;
	if (home) {
		sched_unqueue(home);
		home->home = NULL;
		thread->home = NULL;
	}
	thread_halt(thread, TSS_THREAD_ENDED);
}

bool threads_forget(struct unit *unit, void *thread, unsigned *left)
{
	OBJECTS_OF(PORT, port, port)
		if (port->receiver && (port->receiver == thread || port->receiver->unit == unit))
			port->receiver = NULL;
	OBJECTS_OF(REPLY, reply, reply) {
		bool away = unit && reply->away && reply->away->space == unit;
		if (!away && !(reply->server && (reply->server == thread || reply->server->unit == unit)))
			continue;
		if (!slice_spend(left, 1))
			return false;
		if (away)
			CAPABILITY_DELETE_SMALL(reply->away);
		reply->server = NULL;
		if (reply->gone && !reply->away)
			reply_free(reply);
	}
	return true;
}

/* A unit that is still being built may lose its threads and get others. With the end of one all that is done. */
bool thread_leave(struct thread *thread, uint64_t code, unsigned *left)
{
	struct unit *unit = thread->unit;
	if (unit->state >= UNIT_ENDED && unit->stage != UNIT_STAGE_END)
		return true;
	if (unit->threads == 1 && unit->state == UNIT_RUNNING && thread->state != TSS_THREAD_ENDED)
		unit_end(unit, code, false, thread);
	else if (thread != unit->last)
		thread_end(thread);
	return threads_forget(NULL, thread, left) && unit_ended(unit, left);
}

bool thread_lighten(void *object, unsigned *left)
{
	return thread_leave(object, UNIT_CODE_KILLED, left);
}

bool sched_lighten(void *object, unsigned *left)
{
	struct thread *home = ((struct sched *)object)->home;
	return !home || thread_leave(home, UNIT_CODE_KILLED, left);
}

status_t sys_thread_create(struct thread *self, struct capability *cap)
{
	struct thread *thread;
	status_t status =
		thread_create((struct unit *)cap->object, ARG2(self), ARG3(self), ARG4(self), ARG5(self), &thread);
	return status == TSS_OK ? syscall_place(self, thread, NULL, TSS_RIGHT_ALL) : status;
}

status_t sys_thread_start(struct thread *self, struct capability *cap)
{
	struct thread *thread = (struct thread *)cap->object;
	struct sched *sched = ARGUMENT2(self, SCHED, CONTROL);
	if (thread->state != TSS_THREAD_NEW || thread->unit->state >= UNIT_ENDED)
		return ERR(BUSY, 1);
	if (sched->home)
		return ERR(BUSY, 2);
	thread_start(thread, sched);
	return TSS_OK;
}

status_t sys_unit_vectors(struct thread *self, struct capability *cap)
{
	((struct unit *)cap->object)->vectors = true;
	return TSS_OK;
}

status_t sys_self_fs_base(struct thread *self, struct capability *cap)
{
	if (ARG1(self) >= TSS_USER_END)
		return ERR(ARGUMENT, 1);
	self->extension.fs_base = ARG1(self);
	self->extended = &self->extension;
	thread_set_cpu(self, self->cpu);
	cpu_this()->extended_used = true;
	arch_extended_switch(cpu_this(), self->extended);
	arch_user_bases_set(cpu_this(), &self->ipc_user, self->extension.fs_base);
	return TSS_OK;
}

status_t sys_sched_create(struct thread *self, struct capability *cap)
{
	struct unit *unit = ARGUMENT2(self, UNIT, CONTROL);
	if (ARG3(self) > TSS_PRIORITY_MAX)
		return ERR(ARGUMENT, 3);
	if (ARG4(self) < TSS_SLICE_MIN_US || ARG4(self) > TSS_SLICE_MAX_US)
		return ERR(ARGUMENT, 4);
	struct sched *sched = sched_new(unit, (uint8_t)ARG3(self), (uint32_t)ARG4(self));
	return sched ? syscall_place(self, sched, NULL, TSS_RIGHT_ALL) : ERR(MEMORY, 0);
}
