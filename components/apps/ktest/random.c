/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.c - random system calls with arguments that mostly make sense, from a child with a small budget, a unit
 * capability, two scheduling contexts, and a connection and an event of ours. It starts threads and units of its own.
 * Whatever it does to itself, the tables stay consistent, nothing of ours changes, and all it had comes back.
 */
#include "ktest.h"

#define CALLS 5000 /* a test */
#define CHILDREN_MAX 400
#define POOL 32
#define GIVEN 4
#define KEEP_AWAY 16 /* slots below hold what the child lives on */

static volatile uint64_t calls_made, state;
static cap_t pool[POOL];

static uint64_t next_random(void)
{
	uint64_t x = state; /* xorshift64*, Vigna 2016 */
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	state = x;
	return x * 0x2545f4914f6cdd1dull >> 16;
}

static uint64_t below(uint64_t limit)
{
	return next_random() % limit;
}

static uint64_t some_handle(void)
{
	switch (below(8)) {
	case 0:
		return KEEP_AWAY + below(GIVEN);
	case 1:
		return KEEP_AWAY + below(48) + (below(3) << 16);
	case 2:
		return TSS_SLOT_UNIT;
	default:
		return pool[below(POOL)];
	}
}

static uint64_t some_value(void)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		3,
		7,
		15,
		16,
		17,
		63,
		64,
		255,
		256,
		257,
		4096,
		0xffff,
		0x10000,
		1ull << 32,
		1ull << 47,
		1ull << 63,
		~0ull,
		SPARE_AT,
		SPARE_AT + 0x1000,
		SPARE_AT + 0x3000,
		IPC_BASE,
		IPC_BASE + 0x2000,
		TSS_USER_END - 0x2000,
		SLICE,
	};
	switch (below(8)) {
	case 0:
		return next_random() << below(17);
	case 1:
		return 1ull << below(64);
	case 2:
	case 3:
	case 4:
		return some_handle();
	default:
		return values[below(sizeof(values) / sizeof(values[0]))];
	}
}

static void shuffle_page(void)
{
	struct tss_ipc_page *page = tss_ipc();
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++) {
		page->send_caps[i] = (cap_t)some_handle();
		page->recv_slots[i] = (cap_t)(KEEP_AWAY + below(48));
	}
}

/* Arguments that would only end the experiment are bent: endless waits, and the end of what the child stands on. */
static void tame(struct registers *r)
{
	uint64_t short_wait = below(300);
	switch (r->rax) {
	case TSS_SYS_self_sleep:
		r->rdi = short_wait;
		break;
	case TSS_SYS_port_receive:
	case TSS_SYS_event_wait:
		r->rsi = short_wait;
		break;
	case TSS_SYS_port_reply_receive:
		r->rdi = (uint32_t)r->rdi | some_handle() << 32;
		r->rdx = short_wait;
		r->rsi = TSS_TAG(below(3), below(280), below(6));
		break;
	case TSS_SYS_connection_call:
		r->rdx = short_wait;
		/* fall through */
	case TSS_SYS_connection_send:
	case TSS_SYS_reply_send:
		r->rsi = TSS_TAG(below(3), below(280), below(6));
		break;
	case TSS_SYS_thread_create:
		r->rsi = below(8) ? (uint64_t)worker_start : r->rsi;
		r->r8 = (uint64_t)tss_ipc()->local;
		break;
	case TSS_SYS_unit_create:
		r->rsi = below(16) + 6;
		r->rdx = below(130);
		break;
	case TSS_SYS_capability_delete:
	case TSS_SYS_capability_revoke:
	case TSS_SYS_unit_unmap:
		if ((uint16_t)(r->rax == TSS_SYS_unit_unmap ? r->rsi : r->rdi) < KEEP_AWAY)
			r->rdi = pool[below(POOL)];
		break;
	case TSS_SYS_self_exit:
	case TSS_SYS_unit_kill:
	case TSS_SYS_unit_restrict:
	case TSS_SYS_unit_interpose:
		if (below(50))
			r->rax = TSS_SYS_self_yield;
		break;
	default:
		break;
	}
}

/* Runs in the child. */
static void job_random(struct worker *self)
{
	state = self->a;
	shuffle_page();
	while (calls_made < CALLS) {
		struct registers r = {.rax = TSS_SYSCALL_FIRST + below(TSS_SYSCALL_COUNT),
				      .rdi = some_handle(),
				      .rsi = some_value(),
				      .rdx = some_value(),
				      .r10 = some_value(),
				      .r8 = some_value(),
				      .r9 = next_random(),
				      .rbx = next_random()};
		tame(&r);
		uint64_t number = r.rax;
		raw(&r);
		calls_made++;
		if (r.rax == TSS_OK && r.rdx && number != TSS_SYS_self_clock && number != TSS_SYS_capability_inspect)
			pool[below(POOL)] = (cap_t)r.rdx;
		if (below(16) == 0)
			shuffle_page();
	}
	(void)tss_self_exit(0);
}

static uint64_t free_pages(void)
{
	const struct tss_inspect_memory *record = (const struct tss_inspect_memory *)tss_ipc()->recv;
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_MEMORY, 0, 0, NULL));
	return record->free_pages;
}

/* What each unit says of itself: slots in use are slots that can be listed, budgets hold. */
static void check_tables(void)
{
	const struct tss_inspect_unit *record = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0, slot;
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
		struct tss_inspect_unit unit = *record;
		uint64_t used = 0;
		CHECK_TRUE(unit.used_pages <= unit.budget_pages);
		slot = 0;
		do {
			if (tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, slot, unit.id, &slot) != TSS_OK)
				break;
			used++;
		} while (slot);
		CHECK(used, unit.slots_used);
	} while (next);
}

/* One child, until it has made its calls, dies, or does no more; how many calls it made. */
static uint64_t random_child(uint64_t seed)
{
	struct tss_request request;
	uint64_t made = 0, before;
	cap_t event = new_event();
	struct child child = child_new(LOW, job_random, seed, 0);
	cap_t watch = child_watch(&child, 1), port = new_port(3);
	cap_t view = derive(child.data, TSS_RIGHT_READ);
	volatile uint64_t *counter = (volatile uint64_t *)(SPARE_AT + (uint64_t)&calls_made - child_data_address());
	CHECK_OK(tss_unit_map(SELF, view, SPARE_AT, TSS_RIGHT_READ));
	CHECK_OK(tss_unit_install(child.unit, TSS_SLOT_UNIT, child.unit, TSS_RIGHT_CONTROL | TSS_RIGHT_GRANT, 0));
	child_give(&child, KEEP_AWAY, new_connection(port, 2), TSS_RIGHT_CALL | TSS_RIGHT_SEND | TSS_RIGHT_GRANT);
	child_give(&child, KEEP_AWAY + 1, event, TSS_RIGHT_SIGNAL | TSS_RIGHT_WAIT | TSS_RIGHT_BIND | TSS_RIGHT_GRANT);
	child_give(&child, KEEP_AWAY + 2, new_sched(LOW), TSS_RIGHT_CONTROL | TSS_RIGHT_GRANT);
	child_give(&child, KEEP_AWAY + 3, new_sched(LOW - 1), TSS_RIGHT_CONTROL | TSS_RIGHT_GRANT);
	child_go(&child);
	do {
		before = made;
		tss_status_t status = receive(watch, &request, 50000);
		made = *counter;
		if (status == TSS_OK && TSS_TAG_TYPE(request.tag) == TSS_MSG_ENDED)
			break;
	} while (made != before);
	check_tables();
	CHECK_OK(tss_unit_kill(child.unit, 0));
	check_tables();
	return made;
}

static void random_calls(uint64_t seed)
{
	uint64_t pages = free_pages(), made = 0;
	for (unsigned i = 0; i < CHILDREN_MAX && made < CALLS; i++) {
		made += random_child(seed + i);
		own_nothing();
		CHECK(free_pages(), pages);
	}
	CHECK_TRUE(made >= CALLS);
}

static void test_random_calls_1(void)
{
	random_calls(0x1000001);
}

static void test_random_calls_2(void)
{
	random_calls(0x2000002);
}

static void test_random_calls_3(void)
{
	random_calls(0x3000003);
}

static void test_random_calls_4(void)
{
	random_calls(0x4000004);
}

const struct test random_tests[] = {
	TEST(random_calls_1), TEST(random_calls_2), TEST(random_calls_3), TEST(random_calls_4), {0},
};
