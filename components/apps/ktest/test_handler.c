/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_handler.c - a thread's own fault handler: fix and resume, replay, give up; what it may not do to its registers.
 * The handler runs on a stack of its own and calls `decide` with the record.
 */
#include "fault.h"

#define HANDLER_STACK 2048
#define FLAGS_FORBIDDEN                                                                                                \
	0x1af028ull /* IOPL, NT, VM, VIF, VIP, and what does not exist; of 0x3fffff the rest is a unit's */

static uint8_t handler_stack[HANDLER_STACK] __attribute__((aligned(16)));
static uint64_t (*decide)(struct tss_fault_record *record);
static struct tss_fault_record seen;
static unsigned entered;
static uint64_t target, other_target, handler_said;

extern const char handler_entry[] HIDDEN;
uint64_t handler_main(struct tss_fault_record *record) __attribute__((used, visibility("hidden")));
uint64_t handler_main(struct tss_fault_record *record)
{
	seen = *record;
	entered++;
	return decide(record);
}

/* Comes back here only if the kernel refuses; then says so and resumes as asked. */
uint64_t handler_refused(uint64_t status) __attribute__((used, visibility("hidden")));
uint64_t handler_refused(uint64_t status)
{
	handler_said = status;
	return decide((struct tss_fault_record *)&tss_ipc()->fault);
}

asm(".text\n.hidden handler_entry\n"
    "handler_entry: call handler_main\n"
    "1:\tmovq %rax, %rdi\n"
    "\tmovl $0x102e, %eax\n"
    "\tsyscall\n"
    "\tmovq %rax, %rdi\n"
    "\tcall handler_refused\n"
    "\tjmp 1b\n");
_Static_assert(TSS_SYS_self_fault_return == 0x102e, "as in handler_entry");

static tss_status_t handle_with(uint64_t (*how)(struct tss_fault_record *record))
{
	decide = how;
	entered = 0;
	handler_said = 0;
	return tss_self_fault_handler((uint64_t)handler_entry, (uint64_t)&handler_stack[HANDLER_STACK]);
}

/* One load, its registers in sight. */
static uint64_t load(uint64_t address)
{
	uint64_t value;
	asm volatile("movq (%%rsi), %0" : "=r"(value) : "S"(address) : "memory");
	return value;
}

static uint64_t point_elsewhere(struct tss_fault_record *record)
{
	record->regs[4] = (uint64_t)&target;
	return TSS_FAULT_RESUME;
}

static void job_load(struct worker *self)
{
	self->status = handle_with((uint64_t(*)(struct tss_fault_record *))self->b);
	self->got[0] = load(self->a);
}

static struct worker *handled_load(uint64_t address, uint64_t (*how)(struct tss_fault_record *record))
{
	target = 0x1234567890;
	struct worker *worker = work(HIGH, job_load, address, (uint64_t)how);
	CHECK(worker->status, TSS_OK);
	return worker;
}

static void test_handler_changes_a_register(void)
{
	struct worker *worker = handled_load(8, point_elsewhere);
	CHECK_TRUE(worker->done);
	CHECK(worker->got[0], target);
	CHECK(entered, 1);
	CHECK(seen.kind, TSS_FAULT_READ);
	CHECK(seen.address, 8);
	CHECK(seen.code, 14ull << 32 | 4);
	CHECK(seen.regs[4], 8);
	CHECK(seen.thread, thread_id(worker->thread));
	CHECK(strncmp((const char *)seen.unit, "ktest", 6), 0);
	CHECK_TRUE(seen.sp > STACK_BASE && seen.ip > TSS_LAYOUT_IMAGE && seen.ip < TSS_LAYOUT_HEAP);
}

static cap_t spare;

static uint64_t map_it(struct tss_fault_record *record)
{
	(void)record;
	CHECK_OK(tss_unit_map(SELF, spare, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	return TSS_FAULT_RESUME;
}

static void test_handler_maps_the_page_and_replays(void)
{
	spare = new_memory(1);
	struct worker *worker = handled_load(SPARE_AT + 16, map_it);
	CHECK_TRUE(worker->done);
	CHECK(worker->got[0], 0);
	CHECK(entered, 1);
	CHECK_OK(tss_unit_unmap(SELF, spare));
}

/* Every register of the interrupted thread is its own again, but what the handler has changed. */
static void job_all_registers(struct worker *self)
{
	uint64_t lost = 0;
	self->status = handle_with((uint64_t(*)(struct tss_fault_record *))self->b);
	asm volatile("movl $1, %%eax\n\tmovl $2, %%ebx\n\tmovl $3, %%ecx\n\tmovl $4, %%edx\n\tmovl $5, %%esi\n\t"
		     "movl $6, %%edi\n\tmovl $8, %%r8d\n\tmovl $9, %%r9d\n\tmovl $10, %%r10d\n\tmovl $11, %%r11d\n\t"
		     "movl $12, %%r12d\n\tmovl $13, %%r13d\n\tmovl $14, %%r14d\n\tmovl $15, %%r15d\n\tstc\n\tud2\n\t"
		     "setnc %%al\n\tmovzbl %%al, %%eax\n\t"
		     "addq %%rbx, %%rax\n\taddq %%rcx, %%rax\n\taddq %%rdx, %%rax\n\taddq %%rsi, %%rax\n\t"
		     "addq %%rdi, %%rax\n\taddq %%r8, %%rax\n\taddq %%r9, %%rax\n\taddq %%r10, %%rax\n\t"
		     "addq %%r11, %%rax\n\taddq %%r12, %%rax\n\taddq %%r13, %%rax\n\taddq %%r14, %%rax\n\t"
		     "addq %%r15, %%rax"
		     : "=a"(lost)
		     :
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc");
	self->got[0] = lost;
}

static uint64_t skip_two(struct tss_fault_record *record)
{
	record->ip += 2;
	return TSS_FAULT_RESUME;
}

static void test_handler_returns_every_register(void)
{
	struct worker *worker = work(HIGH, job_all_registers, 0, (uint64_t)skip_two);
	CHECK_TRUE(worker->done);
	CHECK(worker->got[0], 2 + 3 + 4 + 5 + 6 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15);
	for (unsigned i = 0; i < 15; i++)
		if (i != 6) /* rbp is the compiler's */
			CHECK(seen.regs[i], i + 1);
	CHECK(seen.flags & 1, 1);
}

/* The address space ends below both; then asks for what is allowed. */
static uint64_t ask_for_too_much(struct tss_fault_record *record)
{
	static uint64_t ip, sp;
	static const uint64_t wrong[] = {TSS_USER_END, 0xffffffff80000000, 1ull << 63, ~0ull};
	static unsigned step;
	if (handler_said == 0) {
		ip = record->ip;
		sp = record->sp;
		step = 0;
	} else {
		CHECK(handler_said, step <= 8 ? E(ARGUMENT, 0) : E(ARGUMENT, 1));
	}
	record->ip = step < 4 ? wrong[step] : ip + 2;
	record->sp = step >= 4 && step < 8 ? wrong[step - 4] : sp;
	record->flags |= FLAGS_FORBIDDEN;
	record->flags &= ~0x200ull;
	step++;
	return step == 9 ? 2 : TSS_FAULT_RESUME;
}

static void job_undefined(struct worker *self)
{
	uint64_t flags;
	self->status = handle_with((uint64_t(*)(struct tss_fault_record *))self->b);
	asm volatile("ud2\n\tpushfq\n\tpopq %0" : "=r"(flags));
	self->got[0] = flags;
	asm volatile("pushq $0x202\n\tpopfq" ::: "cc", "memory");
	self->got[1] = tss_self_fault_return(TSS_FAULT_RESUME);
	self->got[2] = tss_self_fault_return(TSS_FAULT_GIVE_UP);
}

static void test_handler_cannot_ask_for_too_much(void)
{
	struct worker *worker = work(HIGH, job_undefined, 0, (uint64_t)ask_for_too_much);
	CHECK_TRUE(worker->done);
	CHECK(handler_said, E(ARGUMENT, 1));
	CHECK(worker->got[0] & FLAGS_FORBIDDEN, 0);
	CHECK(worker->got[0] & 0x202, 0x202);
	CHECK(worker->got[1], E(GONE, 0));
	CHECK(worker->got[2], E(GONE, 0));
}

static void test_handler_arguments(void)
{
	static const uint64_t wrong[] = {1, TSS_USER_BASE - 1, TSS_USER_END - TSS_PAGE_SIZE, TSS_USER_END, ~0ull};
	const uint64_t entry = (uint64_t)handler_entry, stack = (uint64_t)&handler_stack[HANDLER_STACK];
	for (unsigned i = 0; i < 5; i++) {
		CHECK(tss_self_fault_handler(wrong[i], stack), E(ARGUMENT, 1));
		CHECK(tss_self_fault_handler(entry, wrong[i] & ~15ull), E(ARGUMENT, 2));
	}
	CHECK(tss_self_fault_handler(entry, stack - 8), E(ARGUMENT, 2));
	CHECK_OK(tss_self_fault_handler(entry, stack));
	CHECK_OK(tss_self_fault_handler(0, 1));
	CHECK(tss_self_fault_return(2), E(ARGUMENT, 1));
	CHECK(tss_self_fault_return(~0ull), E(ARGUMENT, 1));
}

/* The system call that this unit does not have is made up: its number comes back, the instruction is skipped. */
static uint64_t emulate(struct tss_fault_record *record)
{
	CHECK(record->kind, TSS_FAULT_SYSCALL);
	CHECK(record->regs[2], record->ip + 2);
	CHECK(record->regs[10], record->flags);
	record->ip += 2;
	record->regs[3] = record->address * 2;
	record->regs[0] = TSS_OK;
	return TSS_FAULT_RESUME;
}

static void job_foreign(struct worker *self)
{
	uint64_t value = 0;
	self->status = handle_with(emulate);
	self->got[0] = raw_call(39, (const uint64_t[5]){1, 2, 3, 4, 5}, &value);
	self->got[1] = value;
}

static void test_handler_emulates_a_foreign_call(void)
{
	struct worker *worker = work(HIGH, job_foreign, 0, 0);
	CHECK_TRUE(worker->done);
	CHECK(worker->got[0], TSS_OK);
	CHECK(worker->got[1], 78);
}

/* Gives up in a child: the supervisor hears of the fault as it was, with who it was as the kernel knows it. */
static uint64_t give_up(struct tss_fault_record *record)
{
	record->thread = 77;
	memset(record->unit, 'x', sizeof(record->unit));
	return TSS_FAULT_GIVE_UP;
}

FAULTING(handled, "movq (%rsi), %rax");

static void job_give_up(struct worker *self)
{
	(void)handle_with(self->b ? (uint64_t(*)(struct tss_fault_record *))self->b : give_up);
	fault_handled(16);
}

static void test_handler_gives_up(void)
{
	struct child child = child_new(LOW, job_give_up, 0, 0);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK(record.kind, TSS_FAULT_READ);
	CHECK(record.address, 16);
	CHECK(record.ip, (uint64_t)at_handled);
	CHECK(record.sp, FAULT_SP);
	CHECK(record.code, 14ull << 32 | 4);
	CHECK(record.flags, FAULT_FLAGS);
	CHECK(record.regs[0], 0xa0);
	check_registers(&record, 16);
	CHECK(record.thread, thread_id(child.thread));
	CHECK(strncmp((const char *)record.unit, "child", 5), 0);
	unit_ended(watch, TSS_FAULT_READ);
}

/* A kind that does not exist is refused; the handler then gives up in earnest. */
static uint64_t give_up_badly(struct tss_fault_record *record)
{
	static const uint64_t kinds[] = {0, TSS_FAULT_MACHINE + 1, ~0ull, TSS_FAULT_READ};
	static unsigned step;
	if (step > 0 && handler_said != E(ARGUMENT, 0))
		return TSS_FAULT_RESUME; /* for ever: nobody hears of it */
	record->kind = kinds[step++];
	return TSS_FAULT_GIVE_UP;
}

static void test_handler_cannot_make_up_a_kind(void)
{
	struct child child = child_new(LOW, job_give_up, 0, (uint64_t)give_up_badly);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	CHECK(fault_record(watch, 1, false).kind, TSS_FAULT_READ);
	unit_ended(watch, TSS_FAULT_READ);
}

static uint64_t fault_again(struct tss_fault_record *record)
{
	(void)record;
	fault_handled(32);
	return TSS_FAULT_RESUME;
}

static void test_fault_in_the_handler_goes_past_it(void)
{
	struct child child = child_new(LOW, job_give_up, 0, (uint64_t)fault_again);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK(record.address, 32);
	check_registers(&record, 32);
	unit_ended(watch, TSS_FAULT_READ);
}

/* Registering again ends the handler that runs: its next fault is an ordinary one. */
static uint64_t leave_by_registering(struct tss_fault_record *record)
{
	(void)record;
	other_target = 5;
	(void)handle_with(point_elsewhere);
	other_target = load(24);
	(void)tss_self_exit(0);
	return TSS_FAULT_GIVE_UP;
}

static void test_handler_may_not_come_back(void)
{
	struct worker *worker = handled_load(8, leave_by_registering);
	CHECK_TRUE(!worker->done);
	CHECK(thread_state(worker->thread), TSS_THREAD_ENDED);
	CHECK(other_target, target);
}

const struct test handler_tests[] = {
	TEST(handler_changes_a_register),
	TEST(handler_maps_the_page_and_replays),
	TEST(handler_returns_every_register),
	TEST(handler_cannot_ask_for_too_much),
	TEST(handler_arguments),
	TEST(handler_emulates_a_foreign_call),
	TEST(handler_gives_up),
	TEST(handler_cannot_make_up_a_kind),
	TEST(fault_in_the_handler_goes_past_it),
	TEST(handler_may_not_come_back),
	{0},
};
