/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fault.c - each kind of fault, in a child whose registers, stack pointer and flags are known: every field of the
 * record is right, ENDED follows, and nobody else notices. What its own handlers do is in test_handler.c.
 */
#include "fault.h"

FAULTING(read, "movq (%rsi), %rax");
FAULTING(write, "movq %rax, (%rsi)");
FAULTING(jump, "jmp *%rsi");
FAULTING(push, "movq %rsi, %rsp\nat_push_2: pushq %rax");
FAULTING(undefined, "ud2");
FAULTING(privileged, "hlt");
FAULTING(interrupts, "cli");
FAULTING(control, "movq %cr0, %rax");
FAULTING(model_specific, "rdmsr");
FAULTING(port, "outb %al, $0x80");
FAULTING(divide, "divl %ecx");
FAULTING(overflow, "divb %r15b");
FAULTING(breakpoint, "int3");
FAULTING(step, "pushq $" STRING(FAULT_FLAGS) "|0x100\n\tpopfq\n\tnop\nat_step_2:");
FAULTING(vector, "xorps %xmm0, %xmm0");
FAULTING(wide_vector, "vxorps %ymm0, %ymm0, %ymm0");
FAULTING(x87, "fld1");
FAULTING(x87_wait, "fwait");
FAULTING(interrupt, "int $0x30");
FAULTING(interrupt_nmi, "int $2");
FAULTING(syscall, "syscall");
FAULTING_RAX(denied, "0x1001", "syscall");
FAULTING(misaligned, "movaps 1(%rsp), %xmm0");
FAULTING(x87_divide, "pushq $0x37b\n\tfldcw (%rsp)\n\taddq $8, %rsp\n\tfld1\n\tfldz\n\tfdivrp\n\t"
		     "pushq $" STRING(FAULT_FLAGS) "\n\tpopfq\nat_x87_divide_2: fwait");
extern const char at_push_2[] HIDDEN, at_step_2[] HIDDEN, at_x87_divide_2[] HIDDEN;

#define NULL_PAGE 0ull
#define KERNEL 0xffff800000100000ull /* RAM, as the kernel sees it */
#ifdef CONFIG_PTI /* the error code's lowest bit: a page is there, but may not be used so */
#define KERNEL_IS_THERE 0
#else
#define KERNEL_IS_THERE 1
#endif
#define NON_CANONICAL (1ull << 63)
#define GUARD (CHILD_STACK - 8) /* below the stack */
#define TEXT ((uint64_t)fault_of)
#define RODATA ((uint64_t) "constant" & ~7ull)
#define DATA ((uint64_t)&stop_spinning)

/* What is done, at which address, and what the record says. `address` 0: that of the instruction, `ip`. */
struct kind {
	void (*run)(uint64_t address);
	const char *at;
	uint64_t in_rsi;
	unsigned kind, vector, error, other_error; /* where QEMU's differs from a CPU's */
	uint64_t address, ip, sp; /* 0: ip = at, sp = FAULT_SP */
	bool vectors, syscall, null;
};

static void check_record(const struct tss_fault_record *record, const struct kind *kind, const struct child *child)
{
	uint64_t ip = kind->ip ? kind->ip : (uint64_t)kind->at;
	uint64_t flags = kind->run == fault_step ? FAULT_FLAGS | 0x100 : FAULT_FLAGS;
	CHECK(record->kind, kind->kind);
	CHECK(record->ip, ip);
	CHECK(record->address, kind->address || kind->null ? kind->address : ip);
	CHECK(record->sp, kind->sp ? kind->sp : FAULT_SP);
	CHECK(record->flags & ~FLAG_RESUME, flags);
	if (record->code != ((uint64_t)kind->vector << 32 | (kind->other_error ? kind->other_error : kind->error)))
		CHECK(record->code, (uint64_t)kind->vector << 32 | kind->error);
	CHECK(record->thread, thread_id(child->thread));
	CHECK(strncmp((const char *)record->unit, "child", 5), 0);
	CHECK(record->unit[TSS_NAME_SIZE - 1], 0);
	CHECK(record->regs[0], kind->run == fault_denied ? 0x1001 : 0xa0);
	CHECK(record->regs[2], kind->syscall ? ip + 2 : 0); /* the CPU's own use of rcx and r11 */
	CHECK(record->regs[10], kind->syscall ? flags : 0x111);
	check_registers(record, kind->in_rsi);
}

static void fault_of(struct kind kind)
{
	children_have_vectors = kind.vectors;
	struct child child = child_new(LOW, job_fault, (uint64_t)kind.run, kind.in_rsi);
	children_have_vectors = false;
	cap_t watch = child_watch(&child, 0x77);
	CHECK_OK(tss_unit_restrict(child.unit, ~2ull, ~0ull));
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 0x77, false);
	check_record(&record, &kind, &child);
	unit_ended(watch, kind.kind);
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

#define FAULT_TEST(name, what, number, ...)                                                                            \
	static void test_fault_##name(void)                                                                            \
	{                                                                                                              \
		fault_of(                                                                                              \
			(struct kind){.run = fault_##what, .at = at_##what, .kind = TSS_FAULT_##number, __VA_ARGS__}); \
	}
#define PAGE(place, error_) .in_rsi = (place), .vector = 14, .error = (error_), .address = (place)
/* Error codes: 1 present, 2 write, 4 user, 16 fetch (SDM vol. 3, 4.7). */
FAULT_TEST(null_read, read, READ, PAGE(NULL_PAGE, 4), .null = true)
FAULT_TEST(null_write, write, WRITE, PAGE(NULL_PAGE, 6), .null = true)
FAULT_TEST(write_text, write, WRITE, PAGE(TEXT, 7))
FAULT_TEST(write_rodata, write, WRITE, PAGE(RODATA, 7))
FAULT_TEST(kernel_read, read, READ, PAGE(KERNEL, 4 | KERNEL_IS_THERE))
FAULT_TEST(kernel_write, write, WRITE, PAGE(KERNEL, 6 | KERNEL_IS_THERE))
FAULT_TEST(guard_page, write, WRITE, PAGE(GUARD, 6))
FAULT_TEST(guard_page_push, push, WRITE, .ip = (uint64_t)at_push_2, .in_rsi = CHILD_STACK, .sp = CHILD_STACK,
	   .vector = 14, .error = 6, .address = GUARD)
FAULT_TEST(execute_data, jump, EXECUTE, PAGE(DATA, 0x15), .ip = DATA)
FAULT_TEST(execute_stack, jump, EXECUTE, PAGE(CHILD_STACK, 0x15), .ip = CHILD_STACK)
FAULT_TEST(execute_unmapped, jump, EXECUTE, PAGE(0x10000, 0x14), .ip = 0x10000)
FAULT_TEST(execute_kernel, jump, EXECUTE, PAGE(KERNEL, 0x14 | KERNEL_IS_THERE), .ip = KERNEL)
FAULT_TEST(non_canonical_read, read, PRIVILEGE, .in_rsi = NON_CANONICAL, .vector = 13)
FAULT_TEST(non_canonical_write, write, PRIVILEGE, .in_rsi = NON_CANONICAL, .vector = 13)
FAULT_TEST(undefined, undefined, INSTRUCTION, .vector = 6)
FAULT_TEST(privileged, privileged, PRIVILEGE, .vector = 13)
FAULT_TEST(interrupts, interrupts, PRIVILEGE, .vector = 13)
FAULT_TEST(control, control, PRIVILEGE, .vector = 13)
FAULT_TEST(model_specific, model_specific, PRIVILEGE, .vector = 13)
FAULT_TEST(port, port, PRIVILEGE, .vector = 13)
FAULT_TEST(interrupt, interrupt, PRIVILEGE, .vector = 13, .error = 0x30 * 8 + 2, .other_error = 0x30 * 16 + 2)
FAULT_TEST(interrupt_nmi, interrupt_nmi, PRIVILEGE, .vector = 13, .error = 2 * 8 + 2, .other_error = 2 * 16 + 2)
FAULT_TEST(divide, divide, ARITHMETIC, .vector = 0)
FAULT_TEST(overflow, overflow, ARITHMETIC, .vector = 0)
FAULT_TEST(breakpoint, breakpoint, DEBUG, .vector = 3, .ip = (uint64_t)at_breakpoint + 1)
FAULT_TEST(step, step, DEBUG, .vector = 1, .ip = (uint64_t)at_step_2)
FAULT_TEST(vector, vector, VECTOR, .vector = 7)
FAULT_TEST(wide_vector, wide_vector, VECTOR, .vector = 7)
FAULT_TEST(x87, x87, VECTOR, .vector = 7)
FAULT_TEST(x87_wait, x87_wait, VECTOR, .vector = 7)
FAULT_TEST(syscall, syscall, SYSCALL, .address = 0xa0, .syscall = true)
FAULT_TEST(denied, denied, SYSCALL, .address = 0x1001, .syscall = true)
FAULT_TEST(misaligned, misaligned, PRIVILEGE, .vector = 13, .vectors = true)
FAULT_TEST(x87_divide, x87_divide, ARITHMETIC, .vector = 16, .ip = (uint64_t)at_x87_divide_2, .vectors = true)

/*
 * A CPU faults on the jump, or the push; TCG jumps first and says PRIVILEGE for the stack. Both are right, and nothing
 * else is.
 */
static void non_canonical(void (*run)(uint64_t), const char *at, unsigned kind, unsigned vector)
{
	struct child child = child_new(LOW, job_fault, (uint64_t)run, NON_CANONICAL);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK_TRUE(record.kind == TSS_FAULT_PRIVILEGE || record.kind == kind);
	CHECK_TRUE(record.code == 13ull << 32 || record.code == (uint64_t)vector << 32);
	CHECK_TRUE(record.ip == NON_CANONICAL || record.ip == (uint64_t)at);
	CHECK(record.address, record.ip);
	CHECK(record.sp, run == fault_push ? NON_CANONICAL : FAULT_SP);
	check_registers(&record, NON_CANONICAL);
	unit_ended(watch, (unsigned)record.kind);
}

static void test_fault_non_canonical_jump(void)
{
	non_canonical(fault_jump, at_jump, TSS_FAULT_PRIVILEGE, 13);
}

static void test_fault_non_canonical_stack(void)
{
	non_canonical(fault_push, at_push_2, TSS_FAULT_STACK, 12);
}

/* The number is the address; rcx and r11 are lost to the CPU. */
static void job_bad_syscall(struct worker *self)
{
	(void)raw_call(self->a, (const uint64_t[5]){1, 2, 3, 4, 5}, NULL);
}

static void test_fault_bad_syscall(void)
{
	static const uint64_t numbers[] = {
		0, 0xfff, TSS_SYSCALL_FIRST + TSS_SYSCALL_COUNT, 1ull << 32 | 0x1000, 1ull << 63, ~0ull};
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct child child = child_new(LOW, job_bad_syscall, numbers[i], 0);
		cap_t watch = child_watch(&child, 1);
		child_go(&child);
		struct tss_fault_record record = fault_record(watch, 1, false);
		CHECK(record.kind, TSS_FAULT_SYSCALL);
		CHECK(record.address, numbers[i]);
		CHECK(record.code, 0);
		CHECK(record.regs[0], numbers[i]);
		CHECK(record.regs[5], 1);
		CHECK(record.regs[4], 2);
		CHECK(record.regs[3], 3);
		CHECK(record.regs[9], 4);
		CHECK(record.regs[7], 5);
		CHECK_TRUE(record.ip > (uint64_t)raw && record.ip < (uint64_t)raw + 200);
		unit_ended(watch, TSS_FAULT_SYSCALL);
	}
}

/* The faulting thread runs in its caller's context: the caller hears of it, and goes on in its own. */
static void job_receive_and_fault(struct worker *self)
{
	struct tss_request request;
	(void)self;
	(void)tss_port_receive(CHILD_FIRST, &request, TSS_INFINITE);
	fault_undefined(0);
}

static void test_server_faults_in_its_callers_context(void)
{
	struct child child = child_new(LOW, job_receive_and_fault, 0, 0);
	uint64_t port = 0, words[4] = {0};
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	CHECK_OK(tss_port_create(child.unit, 1, &port));
	own((cap_t)port);
	(void)new_reply((cap_t)port);
	cap_t connection = new_connection((cap_t)port, 1);
	child_give(&child, CHILD_FIRST, (cap_t)port, TSS_RIGHT_RECEIVE);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	rest();
	CHECK(tss_connection_call(connection, &tag, words, TSS_INFINITE), E(PEER_DEAD, 1));
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK(record.kind, TSS_FAULT_INSTRUCTION);
	unit_ended(watch, TSS_FAULT_INSTRUCTION);
}

const struct test fault_tests[] = {
	TEST(fault_null_read),
	TEST(fault_null_write),
	TEST(fault_write_text),
	TEST(fault_write_rodata),
	TEST(fault_kernel_read),
	TEST(fault_kernel_write),
	TEST(fault_guard_page),
	TEST(fault_guard_page_push),
	TEST(fault_execute_data),
	TEST(fault_execute_stack),
	TEST(fault_execute_unmapped),
	TEST(fault_execute_kernel),
	TEST(fault_non_canonical_read),
	TEST(fault_non_canonical_write),
	TEST(fault_undefined),
	TEST(fault_privileged),
	TEST(fault_interrupts),
	TEST(fault_control),
	TEST(fault_model_specific),
	TEST(fault_port),
	TEST(fault_interrupt),
	TEST(fault_interrupt_nmi),
	TEST(fault_divide),
	TEST(fault_overflow),
	TEST(fault_breakpoint),
	TEST(fault_step),
	TEST(fault_vector),
	TEST(fault_wide_vector),
	TEST(fault_x87),
	TEST(fault_x87_wait),
	TEST(fault_syscall),
	TEST(fault_denied),
	TEST(fault_misaligned),
	TEST(fault_x87_divide),
	TEST(fault_non_canonical_jump),
	TEST(fault_non_canonical_stack),
	TEST(fault_bad_syscall),
	TEST(server_faults_in_its_callers_context),
	{0},
};
