/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.c - what happens to a thread that cannot go on. It is asked, in this order, until one knows what to do: the
 * pager, if a page of its is missing; a handler of its own, its unit's fault port, its unit's supervisor, who is told that
 * the unit has ended.
 *
 * The record of a fault is made from the thread whenever it is told: `fault` says what it was, its frame has the rest,
 * and nothing changes the frame while the thread stands still. At a fault port the thread is a caller like any other,
 * but the answer goes into its whole frame; no frame of a system call is ever `full`, so that tells the two apart.
 * One who is left without a handler (it died, or gave up) is FAULTED: when the scheduler would run it, its unit ends.
 * So no unit's end ever begins inside another's.
 */
#include <asm_constants.h>
#include <message_copy.h>
#include <pager.h>
#include <syscall.h>
#include <trace.h>

#define PAGE_TAG TSS_TAG(TSS_MSG_PAGE, 24, 0)
#define RECORD_TAG FAULT_RECORD_TAG(TSS_MSG_FAULT)
_Static_assert(offsetof(struct arch_frame, rip) == sizeof(((struct tss_fault_record *)0)->regs), "same order");

static const char *fault_name(enum tss_fault kind)
{
	static const char names[][12] = {
#define FAULT(number, name, text) [number] = #name,
#include <abi/faults.def>
#undef FAULT
	};
	return names[kind];
}

static void record_fill(struct tss_fault_record *record, const struct thread *thread)
{
	const struct arch_frame *frame = &thread->frame;
	record->kind = thread->fault;
	record->address = frame->address;
	record->ip = frame->rip;
	record->sp = frame->rsp;
	record->flags = frame->rflags;
	record->code = frame->vector << 32 | frame->error;
	record->thread = thread->object.id;
	__builtin_memcpy(record->unit, thread->unit->name, TSS_NAME_SIZE);
	arch_copy_words(record->regs, frame, COUNT_OF(record->regs));
}

/* Registers that a unit chose. Its instruction and stack pointers have been read, and seen by frame_can_run(). */
static void frame_load(struct arch_frame *frame, const struct tss_fault_record *record, uint64_t ip, uint64_t sp)
{
	arch_copy_words(frame, record->regs, COUNT_OF(record->regs));
	frame->rip = ip;
	frame->rsp = sp;
	frame->rflags = ARCH_USER_FLAGS(record->flags);
}

/* Beyond, the CPU might refuse to go there while it is still in the kernel. */
static bool frame_can_run(uint64_t ip, uint64_t sp)
{
	return ip < TSS_USER_END && sp < TSS_USER_END;
}

static void fault_to_self(struct thread *thread)
{
	struct arch_frame *frame = &thread->frame;
	record_fill(&thread->ipc->fault, thread);
	thread->fault = 0;
	thread->fault_handling = true;
	frame->rip = thread->handler.entry;
	frame->rsp = thread->handler.stack;
	frame->rdi = thread->ipc_user + offsetof(struct tss_ipc_page, fault);
	frame->rflags = ARCH_USER_FLAGS(0);
}

/* A page is asked for: where, how, and whether one is there that may be read only. */
ALWAYS_INLINE void page_deliver(struct thread *to, const struct thread *from, uint64_t badge, const struct reply *reply)
{
	static const uint8_t access[] = {[TSS_FAULT_READ] = TSS_RIGHT_READ,
					 [TSS_FAULT_WRITE] = TSS_RIGHT_WRITE,
					 [TSS_FAULT_EXECUTE] = TSS_RIGHT_EXECUTE};
	struct arch_frame *frame = &to->frame;
	message_set_result(to, badge, PAGE_TAG, capability_handle(reply->cap));
	frame->r10 = from->frame.address & ~PAGE_MASK;
	frame->r8 = access[from->fault];
	frame->r9 = from->frame.error & PAGE_FAULT_PRESENT;
	frame->rbx = 0;
}

ALWAYS_INLINE void record_deliver(struct thread *to, const struct thread *from, uint64_t badge,
				  const struct reply *reply)
{
	struct arch_frame *frame = &to->frame;
	/* Safety: recv[] is larger than a record, and aligned. */
	record_fill((struct tss_fault_record *)to->ipc->recv, from);
	bool asked = from->fault == TSS_FAULT_INTERPOSED;
	message_set_result(to, badge, FAULT_RECORD_TAG(asked ? TSS_MSG_SYSCALL : TSS_MSG_FAULT),
			   capability_handle(reply->cap));
	frame->r10 = from->fault;
	frame->r8 = from->frame.address;
	frame->r9 = from->frame.rip;
	frame->rbx = from->frame.rsp;
}

void fault_deliver(struct thread *to, const struct thread *from, uint64_t badge, struct reply *reply)
{
	if (UNLIKELY(from->paging))
		page_deliver(to, from, badge, reply);
	else
		record_deliver(to, from, badge, reply);
	reply->fault_sched = reply->sched;
	reply->sched = NULL;
}

/* Who is asked about its fault: the pager of the page, or its unit's fault port; NULL: nobody. */
ALWAYS_INLINE struct connection *fault_connection(const struct thread *thread)
{
	return thread->paging ? pager_of(thread->unit, thread->frame.address) : thread->unit->fault_port;
}

bool fault_call(struct thread *thread, struct connection *connection)
{
	if (!connection)
		return false;
	/* Nothing of an earlier call counts for this one: it need not hear that the server was restarted. */
	if (connection->port == &port_stale)
		(void)connection_tell(connection);
	struct port *port = connection->port;
	struct thread *server = port_fast_receiver(port);
	if (port->dead || !thread->left)
		return false;
	if (!server || !cpu_is_here(server->cpu) || !cpu_this()->sched)
		return call_queue(thread, connection, TSS_INFINITE) == SYSCALL_NO_RESULT;
	struct reply *reply = reply_bind_fast(port, thread, cpu_this()->sched);
	timeout_disarm(&server->timeout);
	server->state = TSS_THREAD_READY;
	server->left = (uint8_t)(thread->left - 1);
	fault_deliver(server, thread, connection->badge, reply);
	thread->state = TSS_THREAD_CALLING;
	thread_switch_to(cpu_this(), server);
	return true;
}

static void fault_supervise(struct thread *thread)
{
	struct unit *unit = thread->unit;
	struct tss_fault_record record;
	enum tss_fault kind = thread->fault;
	unsigned left = REVOKE_SLICE / 2; /* the scheduler does more at once */
	record_fill(&record, thread);
	if (unit->state < UNIT_ENDED)
		log_printf("unit %.16s: fault %s at %#lx, ip %#lx\n", unit->name, fault_name(kind), record.address,
			   record.ip);
	if (unit->state < UNIT_ENDED && unit->supervisor)
		(void)connection_post(unit->supervisor, RECORD_TAG, &record.kind);
	unit_end(unit, UNIT_CODE_FAULT | kind, false, thread);
	(void)unit_ended(unit, &left);
}

/* Can who is asked be asked at once, with this CPU's lock alone? */
static bool fault_at_home(const struct thread *thread)
{
	const struct connection *connection = fault_connection(thread);
	const struct thread *server = connection ? port_fast_receiver(connection->port) : NULL;
	return server && server->cpu == thread->cpu && !connection->port->dead && thread->left;
}

/* It is not the pager's, or not any more: its own handler, its fault port, its supervisor. */
static void fault_go_on(struct thread *thread)
{
	thread->paging = false;
	if (thread->handler.entry && !thread->fault_handling)
		fault_to_self(thread);
	else if (!fault_call(thread, thread->unit->fault_port))
		fault_supervise(thread);
}

/* Nothing is there, or something that may be read only because others read it, too. */
static bool page_is_missing(const struct thread *thread, enum tss_fault kind)
{
	return kind == TSS_FAULT_WRITE || (kind <= TSS_FAULT_EXECUTE && !(thread->frame.error & PAGE_FAULT_PRESENT));
}

void thread_fault(struct thread *thread, enum tss_fault kind, uint64_t address)
{
	struct cpu *cpu = cpu_this();
	cpu->faults++;
	thread->frame.address = address;
	thread->paging = page_is_missing(thread, kind) && pager_of(thread->unit, address);
	if ((thread->paging || !thread->handler.entry || thread->fault_handling) && !fault_at_home(thread))
		cpu_exclusive();
	if (!cpu->current)
		return; /* ended, or moved to another CPU, where it does the same again */
	TRACE_BY(thread, FAULT, kind, address, thread->frame.rip);
	thread->fault = (uint8_t)kind;
	if (!thread->paging || !fault_call(thread, fault_connection(thread)))
		fault_go_on(thread);
}

bool fault_unhandled(struct thread *thread)
{
	if (thread->paging && thread->unit->state < UNIT_ENDED) {
		thread->state = TSS_THREAD_READY;
		fault_go_on(thread);
	} else {
		fault_supervise(thread);
	}
	return thread->state != TSS_THREAD_FAULTED;
}

status_t fault_reply(struct thread *self, struct reply *reply, uint64_t tag)
{
	struct thread *caller = reply->caller;
	uint64_t length = TSS_TAG_LENGTH(tag);
	if (caller->paging)
		return pager_reply(self, reply, tag);
	if (caller->fault == TSS_FAULT_INTERPOSED)
		return interpose_reply(self, reply, tag);
	if (TSS_TAG_CAPS(tag) || TSS_TAG_TYPE(tag) > TSS_FAULT_GIVE_UP ||
	    (length && tag != (RECORD_TAG ^ (uint32_t)RECORD_TAG)))
		return ERR(ARGUMENT, 2);
	if (TSS_TAG_TYPE(tag) == TSS_FAULT_GIVE_UP)
		return TSS_OK;
	uint64_t ip = length ? self->frame.r9 : caller->frame.rip, sp = length ? self->frame.rbx : caller->frame.rsp;
	if (!frame_can_run(ip, sp))
		return ERR(ARGUMENT, 2);
	if (length)
		frame_load(&caller->frame, (const struct tss_fault_record *)self->ipc->send, ip, sp);
	caller->fault = 0;
	reply->sched = reply->fault_sched;
	return TSS_OK;
}

void fault_at_syscall(struct arch_frame *frame)
{
	frame->rcx = frame->rip;
	frame->r11 = frame->rflags;
	frame->rip -= SYSCALL_SIZE;
	frame->full = true;
	frame->vector = frame->error = 0;
}

void thread_stop(struct thread *thread, enum tss_fault kind, uint64_t address)
{
	cpu_this()->faults++;
	fault_at_syscall(&thread->frame);
	thread->frame.address = address;
	thread->fault = (uint8_t)kind;
	thread->paging = false;
	if (thread == cpu_this()->current)
		fault_supervise(thread);
	else
		thread_wake(thread, TSS_OK);
}

status_t sys_denied(struct thread *self, struct capability *cap)
{
	cpu_this()->syscalls_denied++;
	fault_at_syscall(&self->frame);
	thread_fault(self, TSS_FAULT_SYSCALL, self->frame.rax);
	return SYSCALL_NO_RESULT;
}

static status_t upcall_set(struct thread *self, struct upcall *upcall)
{
	status_t status = ARG1(self) ? thread_check_start(ARG1(self), ARG2(self), 1) : TSS_OK;
	if (status == TSS_OK)
		*upcall = (struct upcall){ARG1(self), ARG2(self)};
	return status;
}

status_t sys_self_redirect(struct thread *self, struct capability *cap)
{
	return upcall_set(self, &self->redirect);
}

/* Also ends a handler that runs: it may go on as an ordinary part of the thread. */
status_t sys_self_fault_handler(struct thread *self, struct capability *cap)
{
	status_t status = upcall_set(self, &self->handler);
	self->fault_handling &= status != TSS_OK;
	return status;
}

status_t sys_self_fault_return(struct thread *self, struct capability *cap)
{
	/* Each word is read once; another thread of the unit may be writing it. */
	const volatile struct tss_fault_record *record = &self->ipc->fault;
	uint64_t action = ARG1(self), kind = record->kind, ip = record->ip, sp = record->sp, code = record->code;
	if (action == TSS_FAULT_GIVE_UP && !cpu_is_exclusive())
		kernel_exclusive(self);
	if (action > TSS_FAULT_GIVE_UP)
		return ERR(ARGUMENT, 1);
	if (!self->fault_handling)
		return ERR(GONE, 0);
	if (action == TSS_FAULT_RESUME ? !frame_can_run(ip, sp) : kind == 0 || kind > TSS_FAULT_MACHINE)
		return ERR(ARGUMENT, 0);
	frame_load(&self->frame, &self->ipc->fault, ip, sp);
	self->frame.full = true;
	self->fault_handling = false;
	self->frame.address = record->address;
	self->frame.vector = code >> 32;
	self->frame.error = (uint32_t)code;
	self->fault = action == TSS_FAULT_GIVE_UP ? (uint8_t)kind : 0;
	if (self->fault && !fault_call(self, self->unit->fault_port))
		fault_supervise(self);
	return SYSCALL_NO_RESULT;
}
