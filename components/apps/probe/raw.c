/* SPDX-License-Identifier: BSD-2-Clause */
/* raw.c - the forbidden things themselves. */
#include "probe.h"

void raw_call(uint64_t number, const uint64_t arguments[6], uint64_t *result, uint64_t *value)
{
	uint64_t rax = number, rdi = arguments[0], rsi = arguments[1], rdx = arguments[2], rbx = 0;
	/* cppcheck-suppress constStatement */
	register uint64_t r10 asm("r10") = arguments[3];
	/* cppcheck-suppress constStatement */
	register uint64_t r8 asm("r8") = arguments[4];
	/* cppcheck-suppress constStatement */
	register uint64_t r9 asm("r9") = arguments[5];
	/* Safety: every register a system call may change is an output. */
	asm volatile("syscall"
		     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r10), "+r"(r8), "+r"(r9)
		     :
		     : "rcx", "r11", "memory");
	*result = rax;
	*value = rdx;
}

uint64_t sleep_measured(uint64_t time_us)
{
	uint64_t start = 0, end = 0;
	(void)tss_self_clock(&start);
	(void)tss_self_sleep(time_us);
	(void)tss_self_clock(&end);
	return end - start;
}

static uint8_t code_in_data[] = {0xc3}; /* ret */
static const char in_rodata[] = "read-only";

static void read_null(void)
{
	asm volatile("movb 0, %%al" ::: "rax");
}

static void write_null(void)
{
	asm volatile("movb $1, 0" ::: "memory");
}

static void write_text(void)
{
	asm volatile("movb $0xc3, (%0)" ::"r"(&fault_do) : "memory");
}

static void write_rodata(void)
{
	asm volatile("movb $1, (%0)" ::"r"(in_rodata) : "memory");
}

static void execute_data(void)
{
	asm volatile("call *%0" ::"r"(code_in_data) : "memory");
}

static void execute_stack(void)
{
	uint8_t ret = 0xc3;
	asm volatile("call *%0" ::"r"(&ret) : "memory");
}

static void read_kernel(void)
{
	asm volatile("movb (%0), %%al" ::"r"(0xffffffff80000000ull) : "rax");
}

static void undefined_instruction(void)
{
	asm volatile("ud2");
}

static void privileged_instruction(void)
{
	asm volatile("hlt");
}

static void interrupts_off(void)
{
	asm volatile("cli");
}

static void port_access(void)
{
	asm volatile("outb %%al, $0x80" ::"a"(0));
}

static void software_interrupt(void)
{
	asm volatile("int $0x20");
}

static void divide_by_zero(void)
{
	asm volatile("div %%ecx" ::"a"(1), "d"(0), "c"(0));
}

static void breakpoint(void)
{
	asm volatile("int3");
}

static void vector_instruction(void)
{
	asm volatile("pxor %xmm0, %xmm0");
}

static void float_instruction(void)
{
	asm volatile("fld1");
}

static void bad_stack(void)
{
	asm volatile("mov %0, %%rsp; push %%rax" ::"r"(0x8000000000000000ull) : "memory");
}

static void stack_overflow(void)
{
	asm volatile("1: push %rax; jmp 1b");
}

static void jump_nowhere(void)
{
	asm volatile("jmp *%0" ::"r"(0x8000000000000000ull));
}

static void bad_number(void)
{
	uint64_t none[6] = {0}, result, value;
	raw_call(0xfff, none, &result, &value);
}

static void number_past_the_table(void)
{
	uint64_t none[6] = {0}, result, value;
	raw_call(TSS_SYSCALL_FIRST + TSS_SYSCALL_COUNT, none, &result, &value);
}

static void huge_number(void)
{
	uint64_t none[6] = {0}, result, value;
	raw_call(1ull << 63 | TSS_SYSCALL_FIRST, none, &result, &value);
}

/* Where the CPU has its descriptors, which is inside the kernel; then reads there, so that the fault tells the address. */
static void store_table(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) table = {0};
	asm volatile("sgdt %0" : "=m"(table));
	asm volatile("movb (%0), %%al" ::"r"(table.base) : "rax");
}

/* What an attacker wants to run: it shows by the address it faults at. */
static void chosen(void)
{
	asm volatile("movb 0x5353000, %%al" ::: "rax");
}

/* More than there is room for, so it goes on into the address of return. */
__attribute__((noinline)) static void smash_stack(void)
{
	volatile uint64_t room[4];
	volatile uint64_t *to = room;
	asm("" : "+r"(to));
	for (unsigned i = 0; i < 12; i++)
		to[i] = (uint64_t)chosen;
}

static void spin(void)
{
	for (;;)
		asm volatile("pause");
}

/* The order is known to tests/scenario/test_faults.py. */
static void (*const kinds[])(void) = {
	read_null,
	write_null,
	write_text,
	write_rodata,
	execute_data,
	execute_stack,
	read_kernel,
	undefined_instruction,
	privileged_instruction,
	interrupts_off,
	port_access,
	software_interrupt,
	divide_by_zero,
	breakpoint,
	vector_instruction,
	bad_stack,
	stack_overflow,
	jump_nowhere,
	bad_number,
	number_past_the_table,
	huge_number,
	float_instruction,
	store_table,
	smash_stack,
	spin, /* no fault: for what comes from outside */
};

void fault_do(uint64_t kind)
{
	if (kind < sizeof(kinds) / sizeof(kinds[0]))
		kinds[kind]();
}
