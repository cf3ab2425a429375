/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spinlock.h - a lock in memory that two units may share.
 *
 * A peer that ended or is hostile may never release it, so there is only a bounded attempt: who does not get the lock
 * after `spins` tries is told so and decides. Holders never block and never make a system call while they hold it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	uint32_t held;
};

static inline void spinlock_init(struct spinlock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

static inline bool spinlock_try(struct spinlock *lock)
{
	return __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline bool spinlock_lock(struct spinlock *lock, unsigned spins)
{
	while (!spinlock_try(lock)) {
		if (spins-- == 0)
			return false;
		__builtin_ia32_pause();
	}
	return true;
}

static inline void spinlock_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
