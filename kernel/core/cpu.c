/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c - the CPUs' kernel locks, exclusive sections, and what CPUs ask of each other (doc/adr/0004-several-cpus.md).
 *
 * Who wants to be exclusive gives up his own lock, draws a number, and when it is his turn takes all locks in ascending
 * order. He waits for each CPU for the rest of one passage through the kernel at most: `wanted` makes its owner hand
 * the lock over on the way out. Nobody else ever takes a lock that is not his own, so this cannot deadlock, and
 * whoever waits is parked: he holds nothing, and serves cpu_ask().
 */
#include <enabled.h>
#include <trace.h>

struct cpu cpus[CPUS_MAX] SHARED_WITH_UNITS;
unsigned cpu_count = 1;

static struct {
	_Alignas(CACHE_LINE) uint64_t next; /* number to draw */
	uint64_t serving; /* whose turn it is */
} turn;

static void rank_take(struct cpu *cpu, unsigned rank)
{
	if (!IS_ENABLED(CONFIG_LOCK_CHECK))
		return;
	if (cpu->held >> rank)
		panic("lock order: CPU %u takes a lock of rank %u while it holds %#lx", cpu->index, rank, cpu->held);
	cpu->held |= 1ull << rank;
}

static void rank_give(struct cpu *cpu, unsigned rank)
{
	if (IS_ENABLED(CONFIG_LOCK_CHECK) && !(cpu->held >> rank & 1))
		panic("lock order: CPU %u gives up a lock of rank %u but holds %#lx", cpu->index, rank, cpu->held);
	cpu->held &= ~(1ull << rank);
}

static bool lock_try(uint64_t *lock)
{
	return __atomic_load_n(lock, __ATOMIC_RELAXED) == 0 && __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0;
}

void lock_take(uint64_t *lock, unsigned rank)
{
	rank_take(cpu_this(), rank);
	while (CPUS_MAX > 1 && !lock_try(lock))
		arch_pause();
}

void lock_give(uint64_t *lock, unsigned rank)
{
	rank_give(cpu_this(), rank);
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* While parked: do what the exclusive CPU asks. Its answer is that `asked` is NULL again. */
static void cpu_serve(struct cpu *cpu)
{
	void (*asked)(struct cpu *, void *) = __atomic_load_n(&cpu->asked, __ATOMIC_ACQUIRE);
	if (asked) {
		asked(cpu, cpu->asked_with);
		__atomic_store_n(&cpu->asked, NULL, __ATOMIC_RELEASE);
	}
	arch_pause();
}

/* The own lock is rank RANK_CPU + index in `held` all the time but for the waits in here: entry.S does not keep books. */
static void cpu_park(struct cpu *cpu)
{
	rank_give(cpu, RANK_CPU + cpu->index);
	__atomic_store_n(&cpu->parked, true, __ATOMIC_RELEASE);
}

static void cpu_unpark(struct cpu *cpu)
{
	__atomic_store_n(&cpu->parked, false, __ATOMIC_RELEASE);
	rank_take(cpu, RANK_CPU + cpu->index);
}

void cpu_lock_contended(void)
{
	struct cpu *cpu = cpu_this();
	cpu_park(cpu);
	while (!lock_try(&cpu->lock))
		cpu_serve(cpu);
	cpu_unpark(cpu);
}

static void cpu_take(struct cpu *cpu)
{
	if (lock_try(&cpu->lock))
		return;
	__atomic_store_n(&cpu->wanted, true, __ATOMIC_RELEASE);
	while (!lock_try(&cpu->lock))
		arch_pause();
	__atomic_store_n(&cpu->wanted, false, __ATOMIC_RELEASE);
}

void cpu_exclusive(void)
{
	struct cpu *self = cpu_this();
	if (cpu_is_exclusive())
		return;
	cpu_park(self);
	__atomic_store_n(&self->lock, 0, __ATOMIC_RELEASE);
	uint64_t number = __atomic_fetch_add(&turn.next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&turn.serving, __ATOMIC_ACQUIRE) != number)
		cpu_serve(self);
	rank_take(self, RANK_TURN);
	EACH_CPU(cpu) {
		rank_take(self, RANK_CPU + cpu->index);
		cpu_take(cpu);
	}
	__atomic_store_n(&self->parked, false, __ATOMIC_RELEASE);
	self->exclusive = self->owns_all = true;
	self->exclusives++;
}

/* Back to the own lock alone. Whoever is parked sees by himself what has changed; others are interrupted. */
static void cpu_exclusive_end(struct cpu *self)
{
	uint64_t kicks = self->kicks;
	self->exclusive = self->owns_all = false;
	self->kicks = 0;
	EACH_CPU(cpu) {
		if (cpu == self)
			continue;
		bool parked = __atomic_load_n(&cpu->parked, __ATOMIC_ACQUIRE);
		lock_give(&cpu->lock, RANK_CPU + cpu->index);
		if (kicks >> cpu->index & 1 && !parked)
			arch_kick(cpu);
	}
	rank_give(self, RANK_TURN);
	__atomic_store_n(&turn.serving, turn.serving + 1, __ATOMIC_RELEASE);
	sched_preempt(self);
}

void kernel_leave(void)
{
	struct cpu *cpu = cpu_this();
	while (cpu->leaving & ~CPU_LEAVING_TRACED) {
		if (cpu->exclusive)
			cpu_exclusive_end(cpu);
		if (cpu->need_resched)
			sched_schedule();
		if (!__atomic_load_n(&cpu->wanted, __ATOMIC_RELAXED) || cpu->exclusive)
			continue;
		cpu_park(cpu);
		__atomic_store_n(&cpu->lock, 0, __ATOMIC_RELEASE);
		while (__atomic_load_n(&cpu->wanted, __ATOMIC_RELAXED))
			cpu_serve(cpu);
		cpu_unpark(cpu);
		cpu_lock_contended();
	}
	if (UNLIKELY(cpu->traced))
		trace_leave(cpu);
}

void kernel_exclusive(const struct thread *self)
{
	cpu_this()->call_pending = true;
	cpu_exclusive();
	arch_syscall_restart();
}

void cpu_ask(struct cpu *cpu, void (*asked)(struct cpu *cpu, void *argument), void *argument)
{
	if (cpu_is_here(cpu))
		return asked(cpu, argument);
	cpu->asked_with = argument;
	__atomic_store_n(&cpu->asked, asked, __ATOMIC_RELEASE);
	if (!__atomic_load_n(&cpu->parked, __ATOMIC_ACQUIRE))
		arch_kick(cpu);
	while (__atomic_load_n(&cpu->asked, __ATOMIC_ACQUIRE))
		arch_pause();
}

void cpu_resched(struct cpu *cpu)
{
	struct cpu *self = cpu_this();
	cpu->need_resched = true;
	if (cpu_is_here(cpu))
		return;
	if (IS_ENABLED(CONFIG_LOCK_CHECK) && !cpu_is_exclusive())
		panic("CPU %u reaches into CPU %u without its lock", self->index, cpu->index);
	self->kicks |= 1ull << cpu->index;
}
