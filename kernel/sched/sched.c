/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.c - run queues and the choice of what runs. One FIFO a priority, a two-level bitmap of the occupied ones:
 * enqueue, dequeue and pick are O(1) in the number of threads; following a chain of calls is bounded.
 */
#include <enabled.h>
#include <port.h>
#include <trace.h>

void sched_init(struct cpu *cpu)
{
	for (unsigned i = 0; i < PRIORITIES; i++)
		link_init(&cpu->run_queue.queues[i]);
	cpu->timer_set_for = cpu->slice_armed = UINT64_MAX;
	cpu->lot = cpu->index;
	timer_init(&cpu->wheel);
}

void sched_set(struct sched *sched, uint8_t priority, uint32_t slice_us)
{
	sched->priority = priority;
	sched->word = priority / 64;
	sched->bit = 1ull << priority % 64;
	sched->slice_us = slice_us;
	sched->equals = &sched->cpu->run_queue.queues[priority];
	sched->slice_left = sched->slice_ticks = slice_us * arch_tsc_per_ms() / 1000;
}

struct sched *sched_new(struct unit *payer, uint8_t priority, uint32_t slice_us)
{
	struct sched *sched = object_alloc(payer, TSS_TYPE_SCHED);
	if (!sched)
		return NULL;
	sched->cpu = cpu_this();
	sched->due_us = UINT64_MAX;
	link_init(&sched->queue);
	sched_set(sched, priority, slice_us);
	return sched;
}

#define EXPIRE_SLICE 32 /* timeouts that one interrupt looks at */

/* Behind `at`: the queue itself, or the last in it. */
ALWAYS_INLINE void run_queue_insert(struct sched *sched, struct link *at)
{
	struct run_queue *run_queue = &sched->cpu->run_queue;
	sched->state = SCHED_QUEUED;
	link_insert_after(at, &sched->queue);
	run_queue->occupied[sched->word] |= sched->bit;
	run_queue->summary |= 1ull << sched->word;
}

/* Behind its equals; before those with later deadlines, who are before those that have none. */
static void run_queue_append(struct sched *sched)
{
	struct link *queue = sched->equals, *at = queue->prev;
	unsigned passed = 0;
	while (at != queue && LINK_ENTRY(at, struct sched, queue)->due_us > sched->due_us && passed++ < SCHED_BAND_MAX)
		at = at->prev;
	run_queue_insert(sched, at);
}

static void run_queue_remove(struct sched *sched)
{
	struct run_queue *run_queue = &sched->cpu->run_queue;
	link_remove(&sched->queue);
	if (!link_empty(sched->equals))
		return;
	run_queue->occupied[sched->word] &= ~sched->bit;
	if (!run_queue->occupied[sched->word])
		run_queue->summary &= ~(1ull << sched->word);
}

static struct sched *run_queue_first(const struct run_queue *run_queue)
{
	if (!run_queue->summary)
		return NULL;
	unsigned word = 63u - (unsigned)__builtin_clzll(run_queue->summary);
	unsigned bit = 63u - (unsigned)__builtin_clzll(run_queue->occupied[word]);
	/*@ assert filled(run_queue, word * 64 + bit); */
	/*@ assert \forall integer w; word < w < 4 ==> run_queue->occupied[w] == 0; */
	/*@ assert \forall integer p; word * 64 + bit < p < 256 && p / 64 == word ==> !filled(run_queue, p); */
	/*@ assert \forall integer p; word * 64 + bit < p < 256 && p / 64 != word ==> !filled(run_queue, p); */
	/*@ assert \forall integer p; word * 64 + bit < p < 256 ==> !filled(run_queue, p); */
	return LINK_ENTRY(run_queue->queues[word * 64 + bit].next, struct sched, queue);
}

/* Only ever sets the timer earlier; one that fires too early finds nothing due and sets itself right. */
static void timer_fire_by(struct cpu *cpu, uint64_t us)
{
	if (us >= cpu->timer_set_for)
		return;
	cpu->timer_set_for = us;
	arch_timer_set(cpu, us);
}

void sched_timeout_start(struct timeout *timeout, uint64_t delay_us)
{
	struct cpu *cpu = cpu_this();
	timeout_start(&cpu->wheel, timeout, delay_us);
	timer_fire_by(cpu, timeout->deadline << TIMER_TICK_SHIFT);
}

/* Does it matter when its slice ends? */
ALWAYS_INLINE bool slice_counts(const struct sched *sched)
{
	return sched->budget || !link_empty(sched->equals);
}

/* Only when the slice ends matters here: timeouts set the timer when they start. */
static void sched_arm_slice(struct cpu *cpu)
{
	if (cpu->sched->slice_end >= cpu->slice_armed)
		return;
	cpu->slice_armed = cpu->sched->slice_end;
	uint64_t now = arch_tsc();
	uint64_t left = cpu->sched->slice_end > now ? cpu->sched->slice_end - now : 0;
	timer_fire_by(cpu, arch_clock_us() + left * 1000 / arch_tsc_per_ms() + 1);
}

/* CONFIG_PERTURB: the next preemption; the multiplier is Knuth's (MMIX). */
static void sched_perturb(struct cpu *cpu)
{
	if (CONFIG_PERTURB == 0)
		return;
	cpu->lot = cpu->lot * 6364136223846793005ull + 2 * CONFIG_PERTURB + 1;
	timer_fire_by(cpu, arch_clock_us() + (cpu->lot >> 58));
}

void sched_preempt(struct cpu *cpu)
{
	if (CONFIG_PERTURB == 0 || !cpu->sched)
		return;
	cpu->sched->slice_end = 0;
	cpu->need_resched = true;
}

void sched_enqueue(struct sched *sched)
{
	struct cpu *cpu = sched->cpu;
	if (UNLIKELY(sched->budget != NULL) && !budget_admits(sched))
		return;
	if (cpu->sched && !cpu->need_resched && sched->priority > cpu->sched->priority) {
		sched->state = SCHED_QUEUED;
		cpu->next = sched;
		return cpu_resched(cpu);
	}
	if (UNLIKELY(cpu->next != NULL)) {
		run_queue_append(cpu->next);
		cpu->next = NULL;
	}
	run_queue_append(sched);
	struct sched *now = cpu->sched;
	bool equal = now && sched->priority == now->priority, sooner = equal && sched->due_us < now->due_us;
	if (sooner)
		now->slice_end = 0; /* it is queued again by its own deadline */
	if (equal && !sooner && cpu_is_here(cpu)) /* a CPU sets its own timer only */
		sched_arm_slice(cpu);
	else if (!now || sched->priority >= now->priority)
		cpu_resched(cpu);
}

static void sched_park(struct sched *sched, struct thread *at)
{
	sched->state = SCHED_PARKED;
	sched->slice_left = sched->slice_ticks;
	sched->parked_at = at;
	if (at->state == TSS_THREAD_CALLING && at->reply)
		at->reply->sched = at->reply->fault_sched = NULL; /* a reply that is not direct wakes it */
	link_append(&at->parked, &sched->queue);
}

static void sched_unpark(struct sched *sched)
{
	link_remove(&sched->queue);
	sched_enqueue(sched);
}

void sched_wake_parked(struct thread *thread)
{
	for (struct sched *sched; (sched = LINK_FIRST(&thread->parked, struct sched, queue));)
		sched_unpark(sched);
}

void sched_activate_home(struct thread *thread)
{
	struct sched *home = thread->home;
	if (home && home->state == SCHED_PARKED)
		sched_unpark(home);
	else if (home && home->state == SCHED_CURRENT)
		cpu_resched(home->cpu);
}

/* `cpu` first: of a thread elsewhere nothing else may be looked at. */
static bool serves_caller(const struct thread *server, const struct cpu *cpu)
{
	return server && server->cpu == cpu && server->state != TSS_THREAD_RECEIVING &&
	       server->state != TSS_THREAD_ENDED;
}

/*
 * A caller whose server has gone back to receiving (it will answer later) is parked at the caller: the server is not
 * working for it. A server that waits for anything else is working for it, and takes the context along when it wakes.
 */
struct thread *sched_follow(const struct sched *sched, struct thread **park_at)
{
	struct thread *thread = sched->home;
	for (unsigned links = 0; links <= SCHED_CHAIN_MAX; links++) {
		if (thread->state == TSS_THREAD_READY)
			return thread;
		*park_at = thread;
		if (thread->state != TSS_THREAD_CALLING || !IS_ENABLED(CONFIG_DONATION))
			return NULL;
		/* Of a port that is at home elsewhere the receiver may be changing: it is read once. */
		struct thread *next = thread->reply ? thread->reply->server
						    : __atomic_load_n(&thread->port->receiver, __ATOMIC_RELAXED);
		if (!serves_caller(next, thread->cpu))
			return NULL;
		thread = next;
	}
	/*
	 * Calls count how deep they are (thread->left), but when a caller gives up or a reply is handed on the count may
	 * turn out too low, and a longer chain is built than is followed. The thread that it was given up at goes on from
	 * there with its own context, so that whoever can run at the far end does. No chain is a circle: call_queue().
	 */
	sched_activate_home(*park_at);
	return NULL;
}

static void sched_charge(struct cpu *cpu)
{
	uint64_t now = arch_tsc();
	if (cpu->sched)
		cpu->sched->time += now - cpu->charged_tsc;
	cpu->charged_tsc = now;
}

uint64_t sched_charged(const struct sched *sched)
{
	const struct cpu *cpu = sched->cpu;
	return sched->time + (cpu->sched == sched ? arch_tsc() - cpu->charged_tsc : 0);
}

void sched_unqueue(struct sched *sched)
{
	struct cpu *cpu = sched->cpu;
	run_queue_remove(sched); /* or from where it is parked: an empty queue's bits are clear, and stay so */
	if (sched->budget)
		timeout_cancel(&sched->budget->refill);
	if (cpu->next == sched)
		cpu->next = NULL;
	if (cpu->sched == sched) {
		sched_charge(cpu);
		cpu->sched = NULL;
		cpu_resched(cpu);
	}
	sched->state = SCHED_UNBOUND;
}

static void sched_put_back(struct cpu *cpu)
{
	struct sched *sched = cpu->sched;
	if (!sched)
		return;
	int64_t left = (int64_t)(sched->slice_end - cpu->charged_tsc);
	if (left <= 0 && sched->budget && sched->event && !event_at_home(sched->event)) {
		cpu_exclusive(); /* it may not be current any more then */
		return sched_put_back(cpu);
	}
	cpu->sched = NULL;
	sched->slice_left = left > 0 ? (uint64_t)left : sched->slice_ticks;
	if (left > 0)
		run_queue_insert(sched, sched->equals);
	else if (!sched->budget || budget_admits(sched))
		run_queue_append(sched);
}

ALWAYS_INLINE void sched_run(struct cpu *cpu, struct sched *sched, struct thread *thread)
{
	cpu->sched = sched;
	sched->state = SCHED_CURRENT;
	sched->slice_end = cpu->charged_tsc + sched->slice_left;
	if (cpu->current != thread) {
		/* A call hands over to a unit that the caller may speak to anyhow; here anybody may come next. */
		if (cpu->space_root != thread->root)
			arch_selectors_clear();
		thread_switch_to(cpu, thread);
	}
	if (slice_counts(sched))
		sched_arm_slice(cpu);
	sched_perturb(cpu);
}

static __attribute__((noinline)) void sched_pick(struct cpu *cpu)
{
	struct sched *sched;
	while ((sched = cpu->next ? cpu->next : run_queue_first(&cpu->run_queue))) {
		struct thread *park_at = NULL;
		if (sched == cpu->next)
			cpu->next = NULL;
		else
			run_queue_remove(sched);
		struct thread *thread = sched_follow(sched, &park_at);
		if (thread)
			return sched_run(cpu, sched, thread);
		if (park_at->state != TSS_THREAD_FAULTED) {
			sched_park(sched, park_at);
			continue;
		}
		run_queue_insert(sched, sched->equals); /* to be looked at again */
		if (!cpu_is_exclusive())
			cpu_exclusive();
		else if ((cpu->slicing = !fault_unhandled(park_at)))
			break;
	}
	cpu->need_resched &= !cpu->slicing; /* not before the interrupts */
	cpu->current = NULL;
}

void sched_schedule(void)
{
	struct cpu *cpu = cpu_this();
	sched_charge(cpu);
	sched_put_back(cpu);
	struct sched *next = cpu->next;
	cpu->need_resched = false;
	if (!next || next->home->state != TSS_THREAD_READY)
		return sched_pick(cpu);
	cpu->next = NULL;
	sched_run(cpu, next, next->home);
}

/* Ends the current slice. The next of the same priority goes on at once, if it can run itself: the queue is as full as before. */
status_t sys_self_yield(struct thread *self, struct capability *cap)
{
	struct cpu *cpu = cpu_this();
	struct sched *sched = cpu->sched;
	struct link *queue = sched->equals;
	struct sched *next = LINK_FIRST(queue, struct sched, queue);
	if (!next || next->home->state != TSS_THREAD_READY || cpu->need_resched || sched->budget) {
		sched->slice_end = 0;
		cpu->need_resched = true;
		return TSS_OK;
	}
	self->frame.rax = TSS_OK;
	sched_charge(cpu);
	link_remove(&next->queue);
	link_append(queue, &sched->queue);
	sched->state = SCHED_QUEUED;
	sched->slice_left = sched->slice_ticks;
	sched_run(cpu, next, next->home);
	return SYSCALL_NO_RESULT;
}

void sched_timer_update(struct cpu *cpu, void *unused)
{
	uint64_t next = timer_next(&cpu->wheel);
	if (next != UINT64_MAX)
		timer_fire_by(cpu, next);
}

void trap_timer(void)
{
	struct cpu *cpu = cpu_this();
	struct timeout *timeout;
	unsigned left = EXPIRE_SLICE;
	cpu->timer_interrupts++;
	TRACE(TIMER, cpu->current ? cpu->current->frame.rip : 0);
	cpu->timer_set_for = cpu->slice_armed = UINT64_MAX;
	while ((timeout = timer_expire(&cpu->wheel, arch_clock_us(), &left))) {
		struct thread *thread = CONTAINER_OF(timeout, struct thread, timeout);
		if (timeout->refills) {
			timeout_cancel(timeout);
			sched_enqueue(CONTAINER_OF(timeout, struct budget, refill)->sched);
		} else if (thread_waits_at_home(thread)) {
			thread_wake(thread, ERR(TIMEOUT, 0));
		} else {
			timeout_move(&cpu->wheel, timeout); /* due again, unless somebody else ends the wait first */
			cpu_exclusive();
		}
	}
	if (cpu->sched && arch_tsc() >= cpu->sched->slice_end && slice_counts(cpu->sched))
		cpu->need_resched = true;
	sched_preempt(cpu);
	sched_timer_update(cpu, NULL);
	if (cpu->sched && !cpu->need_resched && slice_counts(cpu->sched))
		sched_arm_slice(cpu);
}
