/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux_hello.c - loads the program, lays out its first stack (System V ABI, AMD64 supplement, 3.4.1), has its system
 * calls redirected and jumps into it. The program never comes back: it ends by exit, and with it the unit.
 */
#include <tessera/file.h>
#include <tessera/redirect.h>
#include "linux_hello.h"
#include "slots.h"

#define STACK_TOP 0x30000000ull
#define STACK_PAGES 16
#define HANDLER_STACK 4096
enum {
	AUX_END = 0,
	AUX_HEADERS = 3,
	AUX_HEADER_SIZE = 4,
	AUX_HEADER_COUNT = 5,
	AUX_PAGE = 6,
	AUX_ENTRY = 9,
	AUX_RANDOM = 25
};

static uint8_t handler_stack[HANDLER_STACK] __attribute__((aligned(16)));

/* argc, argv, no environment, the auxiliary vector. Its "random" bytes are the unit's: the program needs no secret. */
static uint64_t stack_fill(const struct program *program)
{
	static char name[] = "hello";
	uint64_t *stack = (uint64_t *)STACK_TOP - 32;
	const uint64_t words[] = {1,
				  (uint64_t)name,
				  0,
				  0,
				  AUX_HEADERS,
				  program->headers,
				  AUX_HEADER_SIZE,
				  program->header_size,
				  AUX_HEADER_COUNT,
				  program->header_count,
				  AUX_PAGE,
				  PAGE,
				  AUX_ENTRY,
				  program->entry,
				  AUX_RANDOM,
				  (uint64_t)tss_ipc()->unit,
				  AUX_END,
				  0};
	_Static_assert(sizeof(words) <= 32 * sizeof(uint64_t), "fits");
	memcpy(stack, words, sizeof(words));
	return (uint64_t)stack;
}

static _Noreturn void enter(uint64_t entry, uint64_t stack)
{
	/* Safety: never returns; rdx 0: no function to run at exit. */
	asm volatile("movq %1, %%rsp\n\txorl %%edx, %%edx\n\txorl %%ebp, %%ebp\n\tjmp *%0" : : "a"(entry), "D"(stack));
	__builtin_unreachable();
}

int main(void)
{
	struct program program;
	cap_t stack;
	const char *wrong = program_load(FILE_PROGRAM->bytes, FILE_PROGRAM->size, &program);
	if (wrong == NULL && !memory_at(STACK_TOP - STACK_PAGES * PAGE, STACK_PAGES, &stack))
		wrong = "has no stack";
	if (wrong == NULL && tss_redirect(linux_call, &handler_stack[HANDLER_STACK]) != TSS_OK)
		wrong = "cannot be served";
	if (wrong != NULL) {
		printf("the program %s\n", wrong);
		return 1;
	}
	enter(program.entry, stack_fill(&program));
}
