/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.c - what a child does: any system call with arguments that mostly make sense, so that it gets somewhere, and
 * some that do not. Handles that calls return go into a pool with their type; stale ones stay there. It makes threads of
 * its own, which do the same, and units, which it builds, seals, kills, restarts and deletes.
 *
 * Every thread has its own random numbers, so that what it does depends on its seed and on what the kernel answers.
 */
#include "fuzz.h"
#include "hostile.h"

#define POOL 64u
#define THREADS 4u
#define STACK_SIZE 2048u
#define SPARE_AT 0x600000080000ull

volatile uint64_t calls_made[3];
static struct {
	cap_t cap;
	uint8_t type;
} pool[POOL];
static uint64_t states[THREADS];
static _Alignas(16) char stacks[THREADS][STACK_SIZE];

asm(".text\n"
    ".globl hostile_start\n"
    ".hidden hostile_start\n"
    "hostile_start: xorl %ebp, %ebp\n"
    "\tcall hostile_main\n"
    "\tud2\n");

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state; /* xorshift64*, Vigna 2016 */
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull >> 16;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
	return next_random(state) % limit;
}

/* A handle of that type if one turns up soon; else any. 0: any type. */
static uint64_t some_handle(uint64_t *state, unsigned type)
{
	unsigned at = 0;
	if (below(state, 16) == 0)
		return GIVEN_FIRST + below(state, CHILD_SLOTS) + (below(state, 3) << 16);
	for (unsigned i = 0; i < 24; i++) {
		at = (unsigned)below(state, POOL);
		if (pool[at].cap && (!type || pool[at].type == type))
			break;
	}
	return pool[at].cap;
}

static uint64_t some_value(uint64_t *state)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  3,
					  7,
					  8,
					  15,
					  16,
					  17,
					  63,
					  64,
					  65,
					  255,
					  256,
					  257,
					  4095,
					  4096,
					  0xffff,
					  0x10000,
					  1ull << 32,
					  1ull << 44,
					  1ull << 47,
					  1ull << 63,
					  ~0ull,
					  SPARE_AT,
					  TSS_USER_END - 0x2000,
					  TSS_USER_END,
					  SLICE_US,
					  DIRECT_MAP,
					  KERNEL_AT};
	switch (below(state, 6)) {
	case 0:
		return next_random(state) << below(state, 17);
	case 1:
		return 1ull << below(state, 64);
	case 2:
		return some_handle(state, 0);
	default:
		return values[below(state, sizeof(values) / sizeof(values[0]))];
	}
}

static uint64_t stack_top(unsigned number)
{
	return (uint64_t)stacks[number] + STACK_SIZE;
}

/* A message of some interface, or of none, of a length that fits or not. Reading and turning off is for others. */
static uint64_t some_tag(uint64_t *state)
{
	static const uint8_t lengths[] = {0, 1, 7, 8, 9, 16, 31, 32, 33, 40, 64, 72, 80, 200, 232, 240, 255};
	uint64_t length = below(state, 3) ? lengths[below(state, sizeof(lengths))] : below(state, 300);
	uint64_t tag = TSS_TAG(below(state, 7), length, below(state, 3) ? 0 : below(state, 6));
	return below(state, 40) ? tag : some_value(state);
}

/* By the letter that hostile.h has for an argument. */
static uint64_t structured(uint64_t *state, char kind)
{
	static const char types[] = "?uhspcremqiyz"; /* at the number of the type */
	const char *type = strchr(types, kind);
	if (type && kind != '?')
		return some_handle(state, (unsigned)(type - types));
	switch (kind) {
	case '*':
		return some_handle(state, 0);
	case 'n':
		return below(state, 20);
	case 'N':
		return below(state, 130);
	case 'a':
		return SPARE_AT + below(state, 24) * TSS_PAGE_SIZE;
	case 'f':
		return below(state, 3);
	case 'k':
		return below(state, TSS_TYPE_COUNT);
	case 'x':
		return !below(state, 3) ? 0 : next_random(state) & next_random(state) & TSS_RIGHT_ALL;
	case 'd':
		return below(state, 8);
	case 't':
		return below(state, below(state, 4) ? 300 : 5000);
	case 'g':
		return some_tag(state);
	case 'l':
		return GIVEN_FIRST + below(state, CHILD_SLOTS - GIVEN_FIRST);
	case 'E':
		return below(state, 8) ? (uint64_t)hostile_start : some_value(state);
	case 'S':
		return stack_top((unsigned)below(state, THREADS));
	case 'b':
		return some_handle(state, TSS_TYPE_PORT) | some_handle(state, TSS_TYPE_REPLY) << 32;
	default:
		return some_value(state);
	}
}

static void shuffle_page(uint64_t *state)
{
	struct tss_ipc_page *page = tss_ipc();
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++) {
		page->send_caps[i] = (cap_t)some_handle(state, 0);
		page->recv_slots[i] = (cap_t)(GIVEN_FIRST + below(state, CHILD_SLOTS));
	}
	for (unsigned i = TSS_MESSAGE_REGISTERS; i < TSS_MESSAGE_WORDS; i++)
		page->send[i] = some_value(state);
}

/* Endless waits would end the experiment, and so would, too early, the end of what the child stands on. */
static void tame(uint64_t *state, struct registers *r)
{
	uint64_t *time = r->rax == TSS_SYS_self_sleep                                                ? &r->rdi
			 : r->rax == TSS_SYS_port_receive || r->rax == TSS_SYS_event_wait            ? &r->rsi
			 : r->rax == TSS_SYS_connection_call || r->rax == TSS_SYS_port_reply_receive ? &r->rdx
												     : NULL;
	bool ends = r->rax == TSS_SYS_self_exit || r->rax == TSS_SYS_unit_restrict ||
		    r->rax == TSS_SYS_unit_interpose ||
		    ((r->rax == TSS_SYS_unit_kill || r->rax == TSS_SYS_capability_delete ||
		      r->rax == TSS_SYS_capability_revoke) &&
		     (uint16_t)r->rdi < GIVEN_FIRST) ||
		    (r->rax == TSS_SYS_unit_unmap && (uint16_t)r->rsi < GIVEN_FIRST);
	if (time && *time > 5000)
		*time = below(state, 300);
	if (ends && below(state, 64))
		r->rax = TSS_SYS_self_yield;
}

static struct registers some_call(uint64_t *state)
{
	static const char *const rows[TSS_SYSCALL_COUNT] = {HOSTILE_ROWS};
	uint64_t row = below(state, TSS_SYSCALL_COUNT), values[5];
	const char *kinds = rows[row] && below(state, 5) ? rows[row] : "";
	for (unsigned i = 0; i < 5; i++) {
		bool known = *kinds != '\0' && below(state, 12);
		values[i] = known ? structured(state, *kinds) : some_value(state);
		kinds += *kinds != '\0';
	}
	struct registers r = {.rax = TSS_SYSCALL_FIRST + row,
			      .rdi = values[0],
			      .rsi = values[1],
			      .rdx = values[2],
			      .r10 = values[3],
			      .r8 = values[4],
			      .r9 = some_value(state),
			      .rbx = next_random(state)};
	if (below(state, 20000) == 0)
		r.rax = some_value(state);
	tame(state, &r);
	return r;
}

/* New handles go into the pool, over what has been there longest or not. */
static void remember(uint64_t *state, uint64_t cap)
{
	uint64_t what = 0;
	unsigned at = (unsigned)below(state, POOL);
	if (cap >> 32 || tss_capability_inspect((cap_t)cap, &what) != TSS_OK)
		return;
	pool[at].cap = (cap_t)cap;
	pool[at].type = (uint8_t)what;
}

/* Seldom, the things that end a unit at once. */
static void misbehave(uint64_t *state)
{
	switch (below(state, 4)) {
	case 0:
		*(volatile uint64_t *)some_value(state) = 1;
		break;
	case 1:
		(void)*(volatile uint64_t *)some_value(state);
		break;
	case 2:
		asm volatile("ud2");
		break;
	default:
		asm volatile("cli");
		break;
	}
}

static void trace(uint64_t number, const struct registers *r, const char *when)
{
	if (number >= order.trace)
		printf("%s %lx: %lx(%lx, %lx, %lx, %lx, %lx)\n", when, number, r->rax, r->rdi, r->rsi, r->rdx, r->r10,
		       r->r8);
}

/* One call; what it says and gives is kept. Its status. */
static uint64_t make_call(uint64_t *state, struct registers r)
{
	uint64_t row = r.rax, number = calls_made[0]++;
	trace(number, &r, "call");
	hostile_call(&r);
	trace(number, &r, "back");
	if (r.rax != TSS_OK || row - TSS_SYSCALL_FIRST >= TSS_SYSCALL_COUNT)
		return r.rax;
	calls_made[1 + (row - TSS_SYSCALL_FIRST) / 64] |= 1ull << (row - TSS_SYSCALL_FIRST) % 64;
	if (row != TSS_SYS_self_clock && row != TSS_SYS_capability_inspect && r.rdx)
		remember(state, r.rdx);
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS && row == TSS_SYS_port_receive; i++)
		remember(state, tss_ipc()->recv_caps[i]);
	return TSS_OK;
}

static uint64_t step(uint64_t *state, uint64_t row, uint64_t a, uint64_t b, uint64_t c)
{
	struct registers r = {.rax = row, .rdi = a, .rsi = b, .rdx = c, .r10 = stack_top(0), .r8 = SPARE_AT};
	return below(state, 12) ? make_call(state, r) : TSS_OK;
}

/* A unit's whole life, which chance alone hardly ever hits on: built, sealed, started, killed, restarted, deleted. */
static void unit_life(uint64_t *state)
{
	struct registers r = {.rax = TSS_SYS_unit_create, .rdi = SELF, .rsi = 8 + below(state, 20), .rdx = 64};
	uint64_t unit = 0, thread = 0, status;
	if (tss_unit_create(SELF, r.rsi, r.rdx, 0, 0, &unit) != TSS_OK)
		return;
	remember(state, unit);
	(void)step(state, TSS_SYS_unit_install, unit, structured(state, 'l'), some_handle(state, 0));
	if (tss_thread_create((cap_t)unit, (uint64_t)hostile_start, stack_top(0), SPARE_AT, 0, &thread) == TSS_OK)
		remember(state, thread);
	(void)step(state, TSS_SYS_unit_seal, unit, 0, 0);
	(void)step(state, TSS_SYS_unit_supervise, unit, some_handle(state, TSS_TYPE_CONNECTION), 0);
	(void)step(state, TSS_SYS_unit_fault_port, unit, some_handle(state, TSS_TYPE_CONNECTION), 0);
	(void)step(state, TSS_SYS_thread_start, thread, some_handle(state, TSS_TYPE_SCHED), 0);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t place = below(state, 2) ? TSS_PLACE_FIRST + below(state, TSS_PLACE_END - TSS_PLACE_FIRST) : 0;
		(void)step(state, TSS_SYS_self_sleep, below(state, 500), 0, 0);
		(void)step(state, TSS_SYS_unit_kill, unit, below(state, 30) == 0, 0);
		do
			status = step(state, TSS_SYS_unit_restart, unit, place, 0);
		while (TSS_CODE(status) == TSS_E_AGAIN);
	}
	do
		status = below(state, 3) ? step(state, TSS_SYS_capability_delete, unit, 0, 0) : TSS_OK;
	while (TSS_CODE(status) == TSS_E_AGAIN);
}

void hostile_main(uint64_t argument) __attribute__((used, noreturn, visibility("hidden")));
void hostile_main(uint64_t argument)
{
	uint64_t *state = &states[argument % THREADS];
	output_port = TSS_SLOT_DIRECTORY;
	*state = (order.seed * THREADS + argument % THREADS + 1) * 0x9e3779b97f4a7c15ull;
	if (argument == 0)
		for (unsigned i = 0; i < GIVEN_MAX; i++)
			remember(state, i ? GIVEN_FIRST + i - 1 : SELF);
	shuffle_page(state);
	while (calls_made[0] < order.calls) {
		(void)make_call(state, some_call(state));
		if (below(state, 16) == 0)
			shuffle_page(state);
		if (below(state, 400) == 0)
			unit_life(state);
		if (below(state, 3000) == 0)
			misbehave(state);
	}
	for (;;)
		(void)tss_self_exit(0);
}
