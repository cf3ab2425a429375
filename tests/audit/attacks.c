/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attacks.c - what somebody does who has found a hole in the kernel, one for each switch of the profile that is to stop
 * him. The hole is made here: there is none known. Each attack either gets through and says so, or ends in the
 * defence's own panic. tests/scenario/test_hardening.py wants both, of kernels with and without the switch.
 */
#include <frame.h>
#include <thread.h>
#include "../../kernel/arch/x86_64/layout.h"
#include "defects.h"

#define SECRET 0x5345435245542121ull
#define NEAR_RET 0xc3

static void NORETURN through(const char *what)
{
	panic("the attack got through: %s", what);
}

/* What an attacker wants to run. */
static void NORETURN payload(void)
{
	through("the kernel runs what the attacker chose");
}

/* A message that is longer than the room for it, copied without a look: it goes on into the address of return. */
static void __attribute__((noinline)) smash(uint64_t count)
{
	volatile uint64_t room[4];
	volatile uint64_t *to = room;
	__asm__("" : "+r"(to));
	for (uint64_t i = 0; i < count; i++)
		to[i] = (uint64_t)payload;
}

/* The page of the unit that asked for this, as its own page tables have it. */
static const uint8_t *unit_page(void)
{
	const struct thread *thread = cpu_this()->current;
	paddr_t page = arch_space_lookup(&thread->unit->space, (uaddr_t){thread->frame.rip & ~PAGE_MASK});
	return phys_to_virt(page);
}

static void read_unit(void)
{
	const volatile uint8_t *at = (const volatile uint8_t *)(cpu_this()->current->frame.rip & ~PAGE_MASK);
	if (*at == *unit_page())
		through("the kernel took a unit's page for its own data");
}

/* A page of the unit that has a `ret`: enough to show that it would be run. */
static void run_unit(void)
{
	const uint8_t *page = unit_page();
	for (uint64_t i = 0; i < PAGE_SIZE; i++)
		if (page[i] == NEAR_RET) {
			((void (*)(void))((cpu_this()->current->frame.rip & ~PAGE_MASK) + i))();
			through("the kernel ran a unit's page");
		}
}

static void read_freed(void)
{
	uint64_t *frame = frame_alloc(NULL);
	frame[100] = SECRET;
	frame_free(NULL, frame);
	if (frame[100] == SECRET)
		through("a freed frame still has the secret");
	panic("the attack failed: the freed frame has %#lx", frame[100]);
}

/* Where the published image has it. */
static void run_guessed(void)
{
	uint64_t guess = LINK_BASE + arch_image_offset((uint64_t)payload);
	__asm__("" : "+r"(guess));
	((void (*)(void))guess)();
}

/* The word after the stack's last, as a function with a large frame would write it. */
static void step_over_stack(void)
{
	volatile uint64_t *below = (volatile uint64_t *)(cpu_this()->kernel_stack - KERNEL_STACK_SIZE - 8);
	*below = SECRET;
	through("the kernel's stack went on into what lies below it");
}

bool attack(uint64_t number)
{
	static void (*const attacks[])(void) = {read_unit, run_unit, read_freed, run_guessed, step_over_stack};
	if (number == ATTACK_FIRST)
		smash(12);
	else if (number - ATTACK_FIRST <= COUNT_OF(attacks))
		attacks[number - ATTACK_FIRST - 1]();
	return false;
}
