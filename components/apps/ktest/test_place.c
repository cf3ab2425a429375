/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_place.c - a restart that brings image and stack back elsewhere: all of it, at once, and nothing is left behind.
 * The child is a page of code that does not mind where it lies; it writes into a page shared with us where that was.
 */
#include "ktest.h"

#define GIB (1ull << 30)
#define TOP 512 /* GiB of one top-level page-table entry */
#define VIEW_AT 0x500000000ull /* where it has the page that we have at SPARE_AT */
#define CODE_AT 0x400000ull /* in a GiB, like the next */
#define STACK_AT 0x800000ull
#define SLOT_VIEW 20
#define SLOT_STACK 21
#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)

struct view {
	uint64_t ip, sp, lives, stale;
};

/* Writes down rip, rsp and one life more, adds up what an earlier life left on the stack, leaves something there, ends. */
extern const char place_code[], place_end[];
asm(".pushsection .text\n"
    "place_code:\n"
    "	leaq place_code(%rip), %rax\n"
    "	movabsq $0x500000000, %rbx\n"
    "	movq %rax, (%rbx)\n"
    "	movq %rsp, 8(%rbx)\n"
    "	incq 16(%rbx)\n"
    "	movq -8(%rsp), %rax\n"
    "	addq %rax, 24(%rbx)\n"
    "	pushq $1\n"
    "1:	movl $0x1004, %eax\n" /* self_exit */
    "	xorl %edi, %edi\n"
    "	syscall\n"
    "	jmp 1b\n"
    "place_end:\n"
    ".popsection");
_Static_assert(TSS_SYS_self_exit == 0x1004, "number in place_code");

static cap_t give_page(cap_t unit, unsigned slot, cap_t memory, uint64_t at, uint64_t rights)
{
	CHECK_OK(tss_unit_install(unit, slot, memory, rights, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_map(unit, slot, at, rights));
	return memory;
}

struct placed {
	cap_t unit, thread, sched;
	volatile struct view *view;
};

/* Its image is in GiB `home`. */
static struct placed placed_child(uint64_t home)
{
	uint64_t unit = 0, thread = 0, stack = 0, base = home * GIB;
	struct placed child = {.view = (volatile struct view *)SPARE_AT};
	CHECK_OK(tss_unit_create(SELF, CHILD_PAGES, 64, 0, 0, &unit));
	child.unit = own((cap_t)unit);
	cap_t code = new_memory(1), view = new_memory(1);
	CHECK_OK(tss_unit_map(SELF, code, SPARE_AT, RW));
	memcpy((void *)SPARE_AT, place_code, (size_t)(place_end - place_code));
	CHECK_OK(tss_unit_unmap(SELF, code));
	CHECK_OK(tss_unit_map(SELF, view, SPARE_AT, RW));
	(void)give_page(child.unit, SLOT_VIEW, view, VIEW_AT, RW);
	(void)give_page(child.unit, TSS_SLOT_TEXT, code, base + CODE_AT, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE);
	CHECK_OK(tss_memory_create(child.unit, 1, &stack));
	CHECK_OK(tss_unit_install(child.unit, SLOT_STACK, (cap_t)stack, RW, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_map(child.unit, SLOT_STACK, base + STACK_AT, RW));
	CHECK_OK(tss_thread_create(child.unit, base + CODE_AT, base + STACK_AT + TSS_PAGE_SIZE, TSS_LAYOUT_IPC_PAGE, 0,
				   &thread));
	child.thread = derive((cap_t)thread, TSS_RIGHT_CONTROL);
	CHECK_OK(tss_unit_install(child.unit, TSS_SLOT_THREAD, (cap_t)thread, 0, TSS_INSTALL_MOVE));
	child.sched = new_sched(HIGH);
	return child;
}

static void first_life(const struct placed *child)
{
	CHECK_OK(tss_unit_seal(child->unit));
	CHECK_OK(tss_thread_start(child->thread, child->sched));
}

static tss_status_t restart_at(const struct placed *child, uint64_t place)
{
	tss_status_t status;
	do
		status = tss_unit_restart(child->unit, place);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	return status;
}

static void check_life(const struct placed *child, uint64_t life, uint64_t place)
{
	CHECK(child->view->lives, life);
	CHECK(child->view->ip, place * GIB + CODE_AT);
	CHECK(child->view->sp, place * GIB + STACK_AT + TSS_PAGE_SIZE);
	CHECK(child->view->stale, 0);
}

/* Another GiB of the same 512, other 512, the same place again, the first, and staying. */
static void test_restart_moves(void)
{
	static const uint64_t places[] = {1000, 40000, 40000, TOP, 255 * TOP - 1, 600};
	struct placed child = placed_child(600);
	first_life(&child);
	check_life(&child, 1, 600);
	struct usage before = usage_now();
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CHECK_OK(restart_at(&child, places[i]));
		check_life(&child, i + 2, places[i]);
	}
	CHECK_OK(restart_at(&child, 777));
	CHECK_OK(restart_at(&child, 0));
	check_life(&child, 9, 777);
	CHECK(usage_now().pages, before.pages);
}

static void test_restart_stays(void)
{
	struct placed low = placed_child(1);
	first_life(&low);
	CHECK_OK(restart_at(&low, 5000)); /* its image is among the lowest 512 GiB */
	check_life(&low, 2, 1);
}

/* In the first 512 GiB that it has pages in, or where it would go, is something else: it stays. */
static void test_restart_moves_nothing_else(void)
{
	static const uint64_t others[] = {601, 5000};
	for (unsigned i = 0; i < 2; i++) {
		struct placed child = placed_child(600);
		cap_t other = new_memory(1);
		(void)give_page(child.unit, SLOT_STACK + 1, other, others[i] * GIB, TSS_RIGHT_READ);
		first_life(&child);
		CHECK_OK(restart_at(&child, 5001));
		check_life(&child, 2, 600);
		own_nothing();
	}
}

static void test_places_refused(void)
{
	struct placed child = placed_child(600);
	first_life(&child);
	CHECK(restart_at(&child, TOP - 1), E(ARGUMENT, 2));
	CHECK(restart_at(&child, 255 * TOP), E(ARGUMENT, 2));
	CHECK(restart_at(&child, ~0ull), E(ARGUMENT, 2));
	check_life(&child, 1, 600);
	CHECK_OK(restart_at(&child, 601));
	check_life(&child, 2, 601);
}

const struct test place_tests[] = {
	TEST(restart_moves), TEST(restart_stays), TEST(restart_moves_nothing_else), TEST(places_refused), {NULL, NULL},
};
