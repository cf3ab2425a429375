/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fault.c - each kind of fault, in a child whose registers are known: every field of the record is right, ENDED
 * follows, and nobody else notices.
 */
#include "ktest.h"

/* fault_NAME(rdi = an address) fills every register, rsp excepted, and faults at at_NAME. */
#define FAULTING(name, instruction)                                                                                    \
	void fault_##name(uint64_t address) __attribute__((visibility("hidden")));                                     \
	extern const char at_##name[] __attribute__((visibility("hidden")));                                           \
	asm(".text\n.globl fault_" #name ", at_" #name "\n.hidden fault_" #name ", at_" #name "\n"                     \
	    "fault_" #name ": movq $0xa0, %rax\n\tmovq $0xb0, %rbx\n\txorl %ecx, %ecx\n\tmovq $0xd0, %rdx\n\t"          \
	    "movq %rdi, %rsi\n\tmovq $0xf0, %rdi\n\tmovq $0x100, %rbp\n\tmovq $0x108, %r8\n\tmovq $0x109, %r9\n\t"      \
	    "movq $0x110, %r10\n\tmovq $0x111, %r11\n\tmovq $0x112, %r12\n\tmovq $0x113, %r13\n\tmovq $0x114, %r14\n\t" \
	    "movq $0x115, %r15\n"                                                                                      \
	    "at_" #name ": " instruction "\n\tud2\n")

FAULTING(read, "movq (%rsi), %rax");
FAULTING(write, "movq %rax, (%rsi)");
FAULTING(execute, "jmp *%rsi");
FAULTING(undefined, "ud2");
FAULTING(privileged, "hlt");
FAULTING(port, "outb %al, $0x80");
FAULTING(divide, "divl %ecx");
FAULTING(breakpoint, "int3");
FAULTING(vector, "xorps %xmm0, %xmm0");
FAULTING(x87, "fld1");
FAULTING(noncanonical, "movq $1, %rsi\n\tshlq $63, %rsi\nat_noncanonical_2: movq (%rsi), %rax");
FAULTING(interrupt, "int $0x30");
FAULTING(syscall, "syscall");

#define NULL_PAGE 0ull
#define FETCH 0x15u
#define ANY_ERROR 0xffffu /* QEMU's differs from a CPU's */
enum { AT_INSTRUCTION, AT_ADDRESS };

struct kind {
	const char *name;
	void (*run)(uint64_t address);
	const char *at;
	unsigned kind, vector, error, skip, where; /* skip: bytes from `at` to the ip in the record */
	bool in_text, in_data;
};

static const struct kind kinds[] = {
	{"null read", fault_read, at_read, TSS_FAULT_READ, 14, 4, 0, AT_ADDRESS, false, false},
	{"null write", fault_write, at_write, TSS_FAULT_WRITE, 14, 6, 0, AT_ADDRESS, false, false},
	{"write to text", fault_write, at_write, TSS_FAULT_WRITE, 14, 7, 0, AT_ADDRESS, true, false},
	{"execute data", fault_execute, at_execute, TSS_FAULT_EXECUTE, 14, FETCH, 0, AT_ADDRESS, false, true},
	{"execute null", fault_execute, at_execute, TSS_FAULT_EXECUTE, 14, 0x14, 0, AT_ADDRESS, false, false},
	{"undefined", fault_undefined, at_undefined, TSS_FAULT_INSTRUCTION, 6, 0, 0, AT_INSTRUCTION, false, false},
	{"privileged", fault_privileged, at_privileged, TSS_FAULT_PRIVILEGE, 13, 0, 0, AT_INSTRUCTION, false, false},
	{"port", fault_port, at_port, TSS_FAULT_PRIVILEGE, 13, 0, 0, AT_INSTRUCTION, false, false},
	{"divide", fault_divide, at_divide, TSS_FAULT_ARITHMETIC, 0, 0, 0, AT_INSTRUCTION, false, false},
	{"breakpoint", fault_breakpoint, at_breakpoint, TSS_FAULT_DEBUG, 3, 0, 1, AT_INSTRUCTION, false, false},
	{"vector", fault_vector, at_vector, TSS_FAULT_VECTOR, 7, 0, 0, AT_INSTRUCTION, false, false},
	{"x87", fault_x87, at_x87, TSS_FAULT_VECTOR, 7, 0, 0, AT_INSTRUCTION, false, false},
	{"interrupt", fault_interrupt, at_interrupt, TSS_FAULT_PRIVILEGE, 13, ANY_ERROR, 0, AT_INSTRUCTION, false, false},
};

static void check_registers(const struct tss_fault_record *record, uint64_t address)
{
	static const uint64_t want[15] = {0xa0,  0xb0,  0,     0xd0,  0,     0xf0,  0x100, 0x108,
					  0x109, 0x110, 0x111, 0x112, 0x113, 0x114, 0x115};
	for (unsigned i = 0; i < 15; i++)
		CHECK(record->regs[i], i == 4 ? address : want[i]);
}

static void job_fault(struct worker *self)
{
	((void (*)(uint64_t))self->a)(self->b);
}

/* Receives the record whole: its first words came in registers. */
static struct tss_fault_record fault_record(cap_t watch, uint64_t badge)
{
	struct tss_request request;
	struct tss_fault_record record = {0};
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_FAULT, sizeof(record), 0));
	CHECK(request.badge, badge);
	CHECK(request.reply, 0);
	memcpy(&record, tss_ipc()->recv, sizeof(record));
	memcpy(&record, request.words, sizeof(request.words));
	return record;
}

static void unit_ended(cap_t watch, unsigned kind)
{
	struct tss_request request;
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.words[0], 0x100 | kind);
	CHECK(receive(watch, &request, 0), E(TIMEOUT, 0));
}

static void fault_of(const struct kind *kind)
{
	uint64_t address = kind->in_text ? (uint64_t)fault_of & ~0xfull : kind->in_data ? (uint64_t)&stop_spinning : NULL_PAGE;
	struct child child = child_new(LOW, job_fault, (uint64_t)kind->run, address);
	cap_t watch = child_watch(&child, 0x77);
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 0x77);
	uint64_t ip = kind->run == fault_execute ? address : (uint64_t)kind->at + kind->skip;
	CHECK(record.kind, kind->kind);
	CHECK(record.ip, ip);
	CHECK(record.address, kind->where == AT_ADDRESS ? address : ip);
	CHECK_TRUE(record.sp > TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE && record.sp < TSS_LAYOUT_IPC_PAGE);
	CHECK(record.flags & 0x200, 0x200);
	CHECK(record.flags & ~0x10ad7ull, 0);
	CHECK(record.code, (uint64_t)kind->vector << 32 | (kind->error == ANY_ERROR ? (uint32_t)record.code : kind->error));
	CHECK(record.thread, thread_id(child.thread));
	CHECK(strncmp((const char *)record.unit, "child", 5), 0);
	check_registers(&record, address);
	unit_ended(watch, kind->kind);
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

#define FAULT_TEST(name, index)                                                                                        \
	static void test_##name(void)                                                                                  \
	{                                                                                                              \
		fault_of(&kinds[index]);                                                                               \
	}
FAULT_TEST(fault_null_read, 0)
FAULT_TEST(fault_null_write, 1)
FAULT_TEST(fault_write_text, 2)
FAULT_TEST(fault_execute_data, 3)
FAULT_TEST(fault_execute_null, 4)
FAULT_TEST(fault_undefined, 5)
FAULT_TEST(fault_privileged, 6)
FAULT_TEST(fault_port, 7)
FAULT_TEST(fault_divide, 8)
FAULT_TEST(fault_breakpoint, 9)
FAULT_TEST(fault_vector, 10)
FAULT_TEST(fault_x87, 11)
FAULT_TEST(fault_interrupt, 12)

/* The number is the address; rcx and r11 are lost to the CPU. */
static void job_bad_syscall(struct worker *self)
{
	(void)raw_call(self->a, (const uint64_t[5]){1, 2, 3, 4, 5}, NULL);
}

static void test_fault_bad_syscall(void)
{
	static const uint64_t numbers[] = {0, 0xfff, TSS_SYSCALL_FIRST + TSS_SYSCALL_COUNT, 1ull << 32 | 0x1000, 1ull << 63, ~0ull};
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct child child = child_new(LOW, job_bad_syscall, numbers[i], 0);
		cap_t watch = child_watch(&child, 1);
		child_go(&child);
		struct tss_fault_record record = fault_record(watch, 1);
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

static void test_fault_noncanonical(void)
{
	struct child child = child_new(LOW, job_fault, (uint64_t)fault_noncanonical, 0);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_fault_record record = fault_record(watch, 1);
	CHECK(record.kind, TSS_FAULT_PRIVILEGE);
	CHECK(record.code, 13ull << 32);
	unit_ended(watch, TSS_FAULT_PRIVILEGE);
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
	struct tss_fault_record record = fault_record(watch, 1);
	CHECK(record.kind, TSS_FAULT_INSTRUCTION);
	unit_ended(watch, TSS_FAULT_INSTRUCTION);
}

const struct test fault_tests[] = {
	TEST(fault_null_read),	   TEST(fault_null_write),   TEST(fault_write_text),
	TEST(fault_execute_data),  TEST(fault_execute_null), TEST(fault_undefined),
	TEST(fault_privileged),	   TEST(fault_port),	     TEST(fault_divide),
	TEST(fault_breakpoint),	   TEST(fault_vector),	     TEST(fault_x87),
	TEST(fault_interrupt),	   TEST(fault_bad_syscall),  TEST(fault_noncanonical),
	TEST(server_faults_in_its_callers_context),
	{0},
};
