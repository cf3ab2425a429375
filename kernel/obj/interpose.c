/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interpose.c - system calls that a unit's monitor is asked about (abi/message.h says what it can answer).
 *
 * To ask is to fault: the call is undone, and the thread calls through unit->monitor with a record of kind INTERPOSED. To
 * allow is to let it make the call again: what was judged is kept, and the same call, made next, goes through, once.
 * So it is looked up, checked and carried out then, like any other; no thread of the unit can slip in another one.
 */
#include <asm_constants.h>
#include <message_copy.h>
#include <syscall.h>

#define JUDGED 10 /* words of a frame from its first on: the number, all arguments, all of a message in registers */
_Static_assert(offsetof(struct arch_frame, r10) == (JUDGED - 1) * sizeof(uint64_t), "the last of them");

struct interposed {
	bool allowed, tell;
	uint64_t words[JUDGED];
};

void interpose_forget(struct thread *thread)
{
	if (thread->interposed)
		slab_free(thread->unit, thread->interposed, sizeof(*thread->interposed));
	thread->interposed = NULL;
}

/* Also behind a call that was carried out, whose results the monitor replaces. */
void interpose_end(struct thread *thread, status_t status, uint64_t value)
{
	struct arch_frame *frame = &thread->frame;
	if (!frame->error)
		frame->rip += SYSCALL_SIZE;
	if (syscall_table.row[frame->address - TSS_SYSCALL_FIRST].message)
		frame->rbx = 0;
	frame->rdi = frame->rsi = frame->r10 = frame->r8 = frame->r9 = 0;
	frame->rax = status;
	frame->rdx = value;
	thread->fault = 0;
}

/* The frame is full. Without a monitor nothing is carried out, and nothing that was is told. */
static status_t ask(struct thread *self)
{
	self->paging = false;
	self->fault = TSS_FAULT_INTERPOSED;
	if (!fault_call(self, self->unit->monitor))
		interpose_end(self, ERR(PEER_DEAD, 0), 0);
	return SYSCALL_NO_RESULT;
}

static status_t carry_out(struct thread *self, struct interposed *interposed)
{
	struct arch_frame *frame = &self->frame;
	uint64_t number = frame->rax;
	bool tell = interposed->tell;
	interposed->allowed = false;
	status_t status = syscall_dispatch(self, &syscall_table.row[number - TSS_SYSCALL_FIRST]);
	if (!tell || status == SYSCALL_NO_RESULT || cpu_this()->current != self)
		return status;
	frame->rax = status == TSS_OK ? status : syscall_failed(self, status);
	fault_at_syscall(frame);
	frame->rip += SYSCALL_SIZE;
	frame->address = number;
	frame->error = 1;
	return ask(self);
}

/* The row of a call that the monitor is asked about. */
status_t sys_asked(struct thread *self, struct capability *cap)
{
	struct interposed *interposed = self->interposed;
	if (!cpu_is_exclusive())
		kernel_exclusive(self);
	if (interposed && interposed->allowed &&
	    !__builtin_memcmp(interposed->words, &self->frame, sizeof(interposed->words)))
		return carry_out(self, interposed);
	if (!interposed)
		self->interposed = interposed = slab_alloc(self->unit, sizeof(*interposed));
	if (!interposed)
		return ERR(MEMORY, 0);
	interposed->allowed = false;
	self->frame.address = self->frame.rax;
	fault_at_syscall(&self->frame);
	return ask(self);
}

status_t interpose_reply(const struct thread *self, struct reply *reply, uint64_t tag)
{
	struct thread *caller = reply->caller;
	struct interposed *interposed = caller->interposed;
	struct arch_frame *frame = &caller->frame;
	/* Safety: send[] is larger than a record, and aligned. */
	const struct tss_fault_record *record = (const struct tss_fault_record *)self->ipc->send;
	uint64_t answer = TSS_TAG_TYPE(tag), length = TSS_TAG_LENGTH(tag);
	bool result = answer == TSS_CALL_RESULT, good = length == (result ? 2 * sizeof(uint64_t) : sizeof(*record));
	if (TSS_TAG_CAPS(tag) || answer > TSS_CALL_TELL || (!good && (length || result)))
		return ERR(ARGUMENT, 2);
	caller->fault = answer == TSS_CALL_FAULT ? TSS_FAULT_SYSCALL : 0;
	if (caller->fault)
		return TSS_OK;
	if (result)
		interpose_end(caller, self->frame.r10, self->frame.r8);
	else if (length)
		arch_copy_words(frame, record->regs, COUNT_OF(record->regs));
	interposed->allowed = !result && !frame->error;
	interposed->tell = answer == TSS_CALL_TELL;
	__builtin_memcpy(interposed->words, frame, sizeof(interposed->words));
	reply->sched = reply->fault_sched;
	return TSS_OK;
}
