/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.c - the timer wheel: LEVELS wheels of 64 slots, each slot of level k covering 64^k ticks. A timeout lies in the
 * lowest level that its distance fits in; when the hand reaches a slot of a higher level, its timeouts move down.
 * Each moves at most LEVELS - 1 times; a bitmap a level finds the next slot in O(1).
 */
#include <arch.h>
#include <timer.h>

#define LEVELS TIMER_LEVELS
#define SLOT_BITS TIMER_SLOT_BITS
#define SLOTS TIMER_SLOTS
#define SLOT_DUE 0xff

void timer_init(struct wheel *wheel)
{
	wheel->now = arch_clock_us() >> TIMER_TICK_SHIFT;
	link_init(&wheel->due);
	for (unsigned level = 0; level < LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (unsigned slot = 0; slot < SLOTS; slot++)
			link_init(&wheel->slots[level][slot]);
	}
}

static void timer_insert(struct wheel *wheel, struct timeout *timeout)
{
	if (timeout->deadline <= wheel->now) {
		timeout->slot = SLOT_DUE;
		link_append(&wheel->due, &timeout->link);
		return;
	}
	uint64_t distance = timeout->deadline - wheel->now;
	unsigned level = (63u - (unsigned)__builtin_clzll(distance)) / SLOT_BITS;
	timeout->level = (uint8_t)level;
	timeout->slot = (uint8_t)(timeout->deadline >> level * SLOT_BITS & (SLOTS - 1));
	wheel->occupied[level] |= 1ull << timeout->slot;
	link_append(&wheel->slots[level][timeout->slot], &timeout->link);
}

static uint64_t deadline_of(uint64_t start_us, uint64_t delay_us)
{
	uint64_t tick_us = 1ull << TIMER_TICK_SHIFT;
	return (start_us + delay_us + tick_us - 1) >> TIMER_TICK_SHIFT;
}

/* Out of the wheel, whose time has come for it: does it still count? Then its deadline is right now. */
static bool timer_counts(struct timeout *timeout)
{
	if (timeout->restarted)
		timeout->deadline = deadline_of(arch_clock_at(timeout->restarted), timeout->again - 1);
	timeout->restarted = 0;
	if (!timeout->armed)
		timeout->again = 0;
	return timeout->armed;
}

void timeout_start(struct wheel *wheel, struct timeout *timeout, uint64_t delay_us)
{
	timeout_cancel(timeout);
	timeout->deadline = deadline_of(arch_clock_us(), delay_us);
	timeout->again = delay_us + 1;
	timeout->armed = true;
	timeout->wheel = wheel;
	timer_insert(wheel, timeout);
}

void timeout_cancel(struct timeout *timeout)
{
	struct wheel *wheel = timeout->wheel;
	timeout->armed = false;
	if (!timeout->again)
		return;
	timeout->again = timeout->restarted = 0;
	link_remove(&timeout->link);
	if (timeout->slot != SLOT_DUE && link_empty(&wheel->slots[timeout->level][timeout->slot]))
		wheel->occupied[timeout->level] &= ~(1ull << timeout->slot);
}

void timeout_move(struct wheel *wheel, struct timeout *timeout)
{
	uint64_t again = timeout->again;
	(void)timer_counts(timeout);
	timeout_cancel(timeout);
	timeout->again = again;
	timeout->armed = true;
	timeout->wheel = wheel;
	timer_insert(wheel, timeout);
}

/* First tick of the nearest occupied slot of any level, 1 to 64 of its slots ahead of its hand; UINT64_MAX: none. */
static uint64_t timer_next_tick(const struct wheel *wheel)
{
	uint64_t best = UINT64_MAX;
	for (unsigned level = 0; level < LEVELS; level++) {
		uint64_t occupied = wheel->occupied[level], hand = wheel->now >> level * SLOT_BITS;
		unsigned turn = (unsigned)(hand + 1) % SLOTS;
		if (!occupied)
			continue;
		uint64_t ahead = turn ? occupied >> turn | occupied << (SLOTS - turn) : occupied;
		uint64_t next = (hand + 1 + (unsigned)__builtin_ctzll(ahead)) << level * SLOT_BITS;
		best = next < best ? next : best;
	}
	return best;
}

/* Which of them are due and which belong into a lower level is looked up one by one, however many there are. */
static void timer_open_slot(struct wheel *wheel, unsigned level)
{
	unsigned slot = (unsigned)(wheel->now >> level * SLOT_BITS) % SLOTS;
	if (!(wheel->occupied[level] >> slot & 1))
		return;
	wheel->occupied[level] &= ~(1ull << slot);
	link_append_all(&wheel->due, &wheel->slots[level][slot]);
}

/* Move the hand to a tick at which some slot begins, and open every slot that begins there, the widest first. */
static void timer_advance(struct wheel *wheel, uint64_t tick)
{
	wheel->now = tick;
	for (unsigned level = LEVELS; level-- > 0;)
		if (tick % (1ull << level * SLOT_BITS) == 0)
			timer_open_slot(wheel, level);
}

struct timeout *timer_expire(struct wheel *wheel, uint64_t now_us, unsigned *left)
{
	uint64_t now = now_us >> TIMER_TICK_SHIFT;
	while (*left) {
		(*left)--;
		struct timeout *timeout = LINK_TAKE(&wheel->due, struct timeout, link);
		if (timeout && timer_counts(timeout) && timeout->deadline <= wheel->now) {
			timeout->armed = false;
			return timeout;
		}
		if (timeout && timeout->armed)
			timer_insert(wheel, timeout);
		if (timeout)
			continue;
		uint64_t next = timer_next_tick(wheel);
		if (next > now) {
			if (now > wheel->now)
				wheel->now = now;
			return NULL;
		}
		timer_advance(wheel, next);
	}
	return NULL;
}

uint64_t timer_next(const struct wheel *wheel)
{
	if (!link_empty(&wheel->due))
		return wheel->now << TIMER_TICK_SHIFT;
	uint64_t tick = timer_next_tick(wheel);
	return tick == UINT64_MAX ? UINT64_MAX : tick << TIMER_TICK_SHIFT;
}
