// sources: kernel/sched/timer.c
// flags: -Ikernel/arch/x86_64/include
/* SPDX-License-Identifier: BSD-2-Clause */
/* test_timer.c - the timer wheel against a model: nothing fires early, nothing later than a tick, all fire once. */
#include "check.h"
#include <arch.h>
#include <timer.h>

#define COUNT 2000
#define TICK (1u << TIMER_TICK_SHIFT)

static struct wheel wheel;
static uint64_t now;
static struct timeout timeouts[COUNT];
static uint64_t deadline[COUNT];

uint64_t arch_clock_us(void)
{
	return now;
}

uint64_t arch_clock_at(uint64_t tsc)
{
	return tsc;
}

void panic(const char *format, ...)
{
	printf("panic: %s\n", format);
	abort();
}

static uint64_t random_delay(void)
{
	return (uint64_t)random() % (1ull << (unsigned)(random() % 43));
}

static void start_all(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t delay = random_delay();
		deadline[i] = now + delay;
		timeout_start(&wheel, &timeouts[i], delay);
	}
}

static unsigned expire_at(uint64_t at)
{
	struct timeout *timeout;
	unsigned fired = 0, left = COUNT * 8;
	now = at;
	while ((timeout = timer_expire(&wheel, now, &left))) {
		uint64_t due = deadline[timeout - timeouts];
		CHECK(due != UINT64_MAX && due <= now && now < due + 2 * TICK);
		CHECK(!timeout->armed);
		timeout_cancel(timeout); /* as whoever ends the wait does */
		deadline[timeout - timeouts] = UINT64_MAX;
		fired++;
	}
	return fired;
}

static void test_all_fire_in_time(void)
{
	unsigned fired = 0, steps = 0;
	start_all();
	for (uint64_t next; (next = timer_next(&wheel)) != UINT64_MAX; steps++) {
		CHECK(next >= now || next + TICK > now);
		fired += expire_at(next > now ? next : now);
	}
	CHECK(fired == COUNT);
	CHECK(steps < 8 * COUNT); /* a timeout moves down at most once a level */
}

static void test_cancelled_never_fire(void)
{
	start_all();
	for (unsigned i = 0; i < COUNT; i++)
		if (i % 3) {
			timeout_cancel(&timeouts[i]);
			timeout_cancel(&timeouts[i]);
			deadline[i] = UINT64_MAX;
		}
	unsigned fired = 0;
	for (uint64_t next; (next = timer_next(&wheel)) != UINT64_MAX;)
		fired += expire_at(next > now ? next : now);
	CHECK(fired == (COUNT + 2) / 3);
}

/* As fast.S does it: cancelled in place; half of them is then started once more with the same delay. */
static void test_cancelled_in_place(void)
{
	unsigned again = 0, fired = 0;
	start_all();
	for (uint64_t next = timer_next(&wheel); next != UINT64_MAX && fired < COUNT / 4; next = timer_next(&wheel))
		fired += expire_at(next > now ? next : now);
	for (unsigned i = 0; i < COUNT; i++) {
		if (!timeouts[i].armed)
			continue;
		timeouts[i].armed = i % 2;
		deadline[i] = i % 2 ? now + timeouts[i].again - 1 : UINT64_MAX;
		timeouts[i].restarted = i % 2 ? now : 0;
		again += i % 2;
	}
	CHECK(again > COUNT / 4);
	for (fired = 0; timer_next(&wheel) != UINT64_MAX;)
		fired += expire_at(timer_next(&wheel) > now ? timer_next(&wheel) : now);
	CHECK(fired == again);
	for (unsigned i = 0; i < COUNT; i++)
		CHECK(timeouts[i].again == 0 && timeouts[i].restarted == 0 && link_empty(&timeouts[i].link));
}

/* However many are due at once, no more are looked at than was asked for; the others are due again at once. */
static void test_a_few_at_a_time(void)
{
	unsigned fired = 0;
	for (unsigned i = 0; i < COUNT; i++)
		timeout_start(&wheel, &timeouts[i], 100000);
	now += 200000;
	while (timer_next(&wheel) <= now) {
		unsigned left = 8, before = fired;
		for (struct timeout *timeout; (timeout = timer_expire(&wheel, now, &left)); fired++)
			timeout_cancel(timeout);
		CHECK(left == 0 || fired == COUNT);
		CHECK(fired <= before + 8);
	}
	CHECK(fired == COUNT && timer_next(&wheel) == UINT64_MAX);
}

static void test_empty(void)
{
	unsigned left = 1;
	CHECK(timer_next(&wheel) == UINT64_MAX);
	now += 1000000;
	CHECK(timer_expire(&wheel, now, &left) == NULL);
}

int main(void)
{
	srandom(1);
	now = 12345;
	timer_init(&wheel);
	test_empty();
	for (unsigned round = 0; round < 20; round++) {
		test_all_fire_in_time();
		test_cancelled_never_fire();
		test_cancelled_in_place();
		test_a_few_at_a_time();
	}
	puts("ok timer");
	return 0;
}
