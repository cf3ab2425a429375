/* SPDX-License-Identifier: BSD-2-Clause */
/* job.c - what threads do: a few system calls with arguments out of a page that all units map, then nothing for ever. */
#include "worst.h"

#define CODE_AT 0x0000000600000000ull
#define JOBS_AT 0x0000000600100000ull
#define IPC_AT 0x0000000610000000ull
#define JOBS_PAGES 32u
#define JOBS_MAX (JOBS_PAGES * TSS_PAGE_SIZE / (STEPS * sizeof(struct step)))
#define CODE_SLOT 16u
#define CHILD_TABLES 40u

extern const char job_code[], job_code_end[];
asm(".section .rodata\n"
    ".globl job_code, job_code_end\n"
    "job_code:\n"
    "	movq %rdi, %r15\n"
    "1:	movq (%r15), %rax\n"
    "	movq 8(%r15), %rdi\n"
    "	testq %rax, %rax\n"
    "	jz 3f\n"
    "	cmpq $1, %rax\n"
    "	je 2f\n"
    "	movq 16(%r15), %rsi\n"
    "	movq 24(%r15), %rdx\n"
    "	movq 32(%r15), %r10\n"
    "	movq 40(%r15), %r8\n"
    "	movq 48(%r15), %r9\n"
    "	xorl %ebx, %ebx\n"
    "	addq $56, %r15\n"
    "	syscall\n"
    "	jmp 1b\n"
    "2:	addq $56, %r15\n"
    "	movb $1, (%rdi)\n"
    "	jmp 1b\n"
    "3:	movl $0x1003, %eax\n" /* self_sleep */
    "	movq $-1, %rdi\n"
    "	syscall\n"
    "	jmp 3b\n"
    "job_code_end:\n"
    ".text\n");
_Static_assert(TSS_SYS_self_sleep == 0x1003 && sizeof(struct step) == 56 && STEP_TOUCH == 1, "numbers in job_code");

static cap_t code, jobs;
static unsigned job_count;
#define HANDLES_MAX 8192u
static cap_t handles[HANDLES_MAX];
static unsigned handle_count;

cap_t made(tss_status_t status, const uint64_t *handle, const char *what)
{
	if (status != TSS_OK || handle_count == HANDLES_MAX) {
		printf("worst: no %s: %lx\n", what, status);
		return TSS_CAP_NULL;
	}
	return handles[handle_count++] = (cap_t)*handle;
}

void destroy(cap_t cap)
{
	while (cap && TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

void scene_over(void)
{
	while (handle_count)
		destroy(handles[--handle_count]);
	job_count = 0;
}

void pause_us(uint64_t us)
{
	(void)tss_self_sleep(us);
}

void jobs_init(void)
{
	code = memory_of(SELF, 1);
	jobs = memory_of(SELF, JOBS_PAGES);
	handle_count = 0; /* for good */
	(void)tss_unit_map(SELF, code, CODE_AT, RW);
	memcpy((void *)CODE_AT, job_code, (size_t)(job_code_end - job_code));
	(void)tss_unit_unmap(SELF, code);
	(void)tss_unit_map(SELF, code, CODE_AT, RX);
	(void)tss_unit_map(SELF, jobs, JOBS_AT, RW);
}

cap_t thread_of(cap_t unit, unsigned priority, struct step first, struct step second, struct step third)
{
	uint64_t thread = 0, sched = 0, at = JOBS_AT + job_count * STEPS * sizeof(struct step);
	struct step *job = (struct step *)at;
	job[0] = first;
	job[1] = second;
	job[2] = third;
	job[3] = NOTHING;
	cap_t cap = made(tss_thread_create(unit, CODE_AT, CODE_AT, IPC_AT + job_count * TSS_PAGE_SIZE, at, &thread),
			 &thread, "thread");
	cap_t context = made(tss_sched_create(SYSTEM, unit, priority, 10000, &sched), &sched, "sched");
	job_count = (job_count + 1) % JOBS_MAX;
	(void)tss_thread_start(cap, context);
	return cap;
}

cap_t port_of(cap_t unit, unsigned depth)
{
	uint64_t handle = 0;
	return made(tss_port_create(unit, depth, &handle), &handle, "port");
}

cap_t reply_of(cap_t port, cap_t unit)
{
	uint64_t handle = 0;
	return made(tss_reply_create(port, unit, &handle), &handle, "reply");
}

cap_t connection_of(cap_t port, cap_t unit)
{
	uint64_t handle = 0;
	return made(tss_connection_create(port, unit, 1, 0, &handle), &handle, "connection");
}

cap_t event_of(cap_t unit)
{
	uint64_t handle = 0;
	return made(tss_event_create(unit, &handle), &handle, "event");
}

cap_t memory_of(cap_t unit, uint64_t pages)
{
	uint64_t handle = 0;
	return made(tss_memory_create(unit, pages, &handle), &handle, "memory");
}

cap_t copy_of(cap_t cap, uint64_t rights)
{
	uint64_t handle = 0;
	return made(tss_capability_derive(cap, rights, &handle), &handle, "copy");
}

void give(cap_t unit, unsigned slot, cap_t cap, uint64_t rights)
{
	tss_status_t status = tss_unit_install(unit, slot, cap, rights, TSS_INSTALL_COPY);
	if (status != TSS_OK)
		printf("worst: slot %u is not given: %lx\n", slot, status);
}

cap_t unit_of(uint64_t pages, uint64_t slots)
{
	uint64_t handle = 0;
	cap_t unit = made(tss_unit_create(SELF, pages + slots / 64 + CHILD_TABLES, slots, 0x646c696863, 0, &handle),
			  &handle, "unit");
	give(unit, CODE_SLOT, code, RX);
	give(unit, CODE_SLOT + 1, jobs, TSS_RIGHT_READ);
	(void)tss_unit_map(unit, CODE_SLOT, CODE_AT, RX);
	(void)tss_unit_map(unit, CODE_SLOT + 1, JOBS_AT, TSS_RIGHT_READ);
	return unit;
}
