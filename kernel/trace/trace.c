/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - records events in the memory of whoever traces. Each CPU writes its own ring, with its own lock; starting and
 * stopping is exclusive. What the memory holds is never read, so its owner may do there what he likes.
 *
 * What messages do is seen from outside: trace_dispatch() looks at the objects of a call before and after its handler. A
 * handler that needs all locks does not come back and is called again, so nothing is recorded before it but the entry.
 */
#include <log.h>
#include <memory.h>
#include <port.h>
#include <trace.h>

#define TRACE_PANIC_EVENTS 8u

uint64_t trace_mask;
static struct {
	struct memory *memory; /* NULL: none */
	uint64_t pages; /* of each CPU's ring */
} trace;

static void *trace_page(uint64_t page)
{
	return phys_to_virt(memory_frame(trace.memory, page));
}

static struct tss_trace_record *trace_place(const struct cpu *cpu, uint64_t sequence)
{
	uint64_t at = sequence % (trace.pages * TSS_TRACE_PER_PAGE);
	struct tss_trace_record *page = trace_page(1 + cpu->index * trace.pages + at / TSS_TRACE_PER_PAGE);
	return &page[at % TSS_TRACE_PER_PAGE];
}

void trace_record(const struct thread *who, enum tss_trace event, const uint64_t arguments[4])
{
	struct cpu *cpu = cpu_this();
	struct tss_trace_header *header = trace_page(0);
	struct tss_trace_record *record = trace_place(cpu, cpu->traced_events);
	*record = (struct tss_trace_record){.tsc = arch_tsc(),
					    .sequence = cpu->traced_events,
					    .event = (uint16_t)event,
					    .cpu = (uint16_t)cpu->index,
					    .thread = who ? who->object.id : 0,
					    .unit = who ? who->unit->object.id : 0};
	arch_copy_words(record->arguments, arguments, COUNT_OF(record->arguments));
	/* Last: whoever reads on another CPU takes all records before this for whole. */
	__atomic_store_n(&header->cpu[cpu->index].written, ++cpu->traced_events, __ATOMIC_RELEASE);
}

static uint64_t thread_id(const struct thread *thread)
{
	return thread ? thread->object.id : 0;
}

static void *trace_object(const struct thread *self, uint64_t handle, uint32_t needs)
{
	const struct capability *cap = cspace_lookup_needed(&self->unit->caps, (cap_t)handle, needs);
	return cap ? cap->object : NULL;
}

/* What a call is about, looked up before its handler runs. */
struct trace_call {
	uint64_t number, handle, tag;
	void *object; /* argument 1 */
	const struct reply *reply; /* that it answers, or NULL */
	const struct thread *caller; /* whom */
	const struct thread *waiter; /* whom it may wake, or NULL */
};

static struct trace_call trace_look(const struct thread *self, const struct syscall_row *row)
{
	struct trace_call call = {.number = self->frame.rax, .handle = ARG1(self), .tag = ARG2(self)};
	bool receives = call.number == TSS_SYS_port_reply_receive;
	uint64_t reply = receives ? call.handle >> 32 : call.handle;
	call.object = row->type == TSS_TYPE_NONE ? NULL : trace_object(self, call.handle, row->needs);
	const struct port *port = call.object && row->type == TSS_TYPE_CONNECTION
					  ? ((const struct connection *)call.object)->target
					  : NULL;
	if (port && port_waiting(port))
		call.waiter = port->receiver;
	if (call.object && row->type == TSS_TYPE_EVENT)
		call.waiter = ((const struct event *)call.object)->waiter;
	if (receives || row->type == TSS_TYPE_REPLY)
		call.reply = trace_object(self, reply, CAP_NEEDS(TSS_TYPE_REPLY, TSS_RIGHT_SEND));
	call.caller = call.reply ? call.reply->caller : NULL;
	return call;
}

/* What it has done: it has not failed. */
static void trace_done(const struct trace_call *call, const struct thread *self, const struct syscall_row *row)
{
	const struct connection *connection = call->object;
	const struct port *port = call->object;
	if (call->caller && call->reply->caller != call->caller)
		TRACE_BY(self, REPLY, thread_id(call->caller), call->reply->object.id, call->tag);
	if (row->type == TSS_TYPE_CONNECTION && self->state == TSS_THREAD_CALLING) {
		TRACE_BY(self, CALL, connection->object.id, connection->target->object.id,
			 self->reply ? thread_id(self->reply->server) : 0, call->tag);
	} else if (row->type == TSS_TYPE_CONNECTION) {
		TRACE_BY(self, SEND, connection->object.id, connection->target->object.id, thread_id(call->waiter),
			 call->tag);
	} else if (call->waiter && call->waiter->state == TSS_THREAD_READY) {
		TRACE_BY(self, WAKE, thread_id(call->waiter));
	} else if (row->type == TSS_TYPE_PORT && row->message && self->state == TSS_THREAD_READY) {
		const struct reply *reply =
			trace_object(self, self->frame.rdx, CAP_NEEDS(TSS_TYPE_REPLY, TSS_RIGHT_SEND));
		TRACE_BY(self, RECEIVE, reply ? thread_id(reply->caller) : 0, port->object.id, self->frame.rdi,
			 ARG2(self));
	}
}

/* Instead of syscall_dispatch(). */
static status_t trace_dispatch(struct thread *self, const struct syscall_row *row)
{
	const struct trace_call call = trace_look(self, row);
	if (cpu_this()->exclusive)
		TRACE_BY(self, EXCLUSIVE, call.number);
	else
		TRACE_BY(self, ENTER, call.number, call.handle, call.tag, ARG3(self));
	status_t status = syscall_dispatch(self, row);
	if (call.object && (status == TSS_OK || status == SYSCALL_NO_RESULT))
		trace_done(&call, self, row);
	if (TSS_CODE(status) >= TSS_E_CAPABILITY && TSS_CODE(status) <= TSS_E_RIGHTS)
		TRACE_BY(self, VIOLATION, call.number, status, call.handle);
	return status;
}

void trace_leave(struct cpu *cpu)
{
	const struct thread *to = cpu->current;
	uint32_t id = (uint32_t)thread_id(to);
	if (id != cpu->traced_thread)
		TRACE(SWITCH, cpu->traced_thread, id);
	cpu->traced_thread = id;
	if (to && !to->frame.full)
		TRACE(RETURN, to->frame.rax, to->frame.rdx);
}

/* On each CPU, which is in no system call then. */
static void trace_apply(struct cpu *cpu, void *argument)
{
	cpu->traced = trace_mask != 0;
	arch_syscall_shortcuts(!cpu->traced);
}

static void trace_set(struct memory *memory, uint64_t mask)
{
	if (trace.memory)
		((struct tss_trace_header *)trace_page(0))->mask = 0;
	trace.memory = memory;
	trace_mask = mask;
	syscall_dispatcher = mask ? trace_dispatch : syscall_dispatch;
	if (memory) {
		trace.pages = (memory->pages - 1) / cpu_count;
		struct tss_trace_header *header = __builtin_memset(trace_page(0), 0, PAGE_SIZE);
		header->cpus = cpu_count;
		header->pages = trace.pages;
		header->mask = mask;
		header->tsc_per_ms = arch_tsc_per_ms();
		header->tsc = arch_tsc();
	}
	EACH_CPU(cpu) {
		cpu->traced_events = 0;
		cpu_ask(cpu, trace_apply, NULL);
	}
}

void trace_forget(const struct memory *memory)
{
	if (trace.memory == memory)
		trace_set(NULL, 0);
}

/* (system, memory, mask) */
status_t sys_system_trace(struct thread *self, struct capability *cap)
{
	struct memory *memory = ARGUMENT2(self, MEMORY, WRITE);
	if (memory->run || memory->pages < 1 + cpu_count)
		return ERR(ARGUMENT, 2);
	if (ARG3(self) & ~(uint64_t)TSS_TRACING_ALL)
		return ERR(ARGUMENT, 3);
	if (trace.memory && trace.memory != memory)
		return ERR(BUSY, 2);
	trace_set(ARG3(self) ? memory : NULL, ARG3(self));
	return TSS_OK;
}

void trace_panic(void)
{
	static const char *const names[] = {
#define TRACE_EVENT(number, name, category, arguments, text) [number] = #name,
#include <abi/trace.def>
	};
	const struct cpu *cpu = cpu_this();
	for (uint64_t left = TRACE_PANIC_EVENTS; trace.memory && left > 0; left--) {
		if (cpu->traced_events < left)
			continue;
		/* Its owner may have written there: whatever it holds is only printed. */
		const struct tss_trace_record *record = trace_place(cpu, cpu->traced_events - left);
		log_printf("  trace %lu %s thread %u: %lx %lx %lx\n", record->tsc,
			   record->event < COUNT_OF(names) ? names[record->event] : "?", record->thread,
			   record->arguments[0], record->arguments[1], record->arguments[2]);
	}
}
