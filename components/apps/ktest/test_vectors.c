/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_vectors.c - vector and x87 registers, FS base, selectors: whose they are, and that nobody finds another's. Units
 * that fill and check all of them run at one priority, so that they interrupt each other; they end with 0 if all was
 * well, or with the number of what was not.
 */
#include "ktest.h"

#define AVX_STATE 6u
#define ROUNDS 3000u
#define CONTROL_OWN 0x27full /* x87: double precision, all masked */
#define CONTROL_INITIAL 0x37full
#define MXCSR_INITIAL 0x1f80u
#define MXCSR_OWN 0xff80u /* flush to zero, round to zero */

struct image { /* of all vector registers */
	uint64_t ymm[16][4];
	uint32_t mxcsr;
	uint16_t control;
	uint64_t x87;
};

static bool has_avx(void)
{
	uint32_t eax = 1, ecx = 0, ebx, edx, low, high;
	asm volatile("cpuid" : "+a"(eax), "+c"(ecx), "=b"(ebx), "=d"(edx));
	if (!(ecx >> 28 & 1) || !(ecx >> 27 & 1))
		return false;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & AVX_STATE) == AVX_STATE;
}

#define EACH(do)                                                                                                       \
	do                                                                                                             \
	(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)
#define LOAD_YMM(n) asm volatile("vmovdqu %0, %%ymm" #n ::"m"(from->ymm[n][0]), "m"(from->ymm[n]));
#define LOAD_XMM(n) asm volatile("movdqu %0, %%xmm" #n ::"m"(from->ymm[n][0]), "m"(from->ymm[n]));
#define STORE_YMM(n) asm volatile("vmovdqu %%ymm" #n ", %0" : "=m"(to->ymm[n][0])::"memory");
#define STORE_XMM(n) asm volatile("movdqu %%xmm" #n ", %0" : "=m"(to->ymm[n][0])::"memory");

static void load_all(const struct image *from, bool avx)
{
	if (avx) {
		EACH(LOAD_YMM)
	} else {
		EACH(LOAD_XMM)
	}
	asm volatile("ldmxcsr %0\n\tfninit\n\tfldcw %1\n\tfildq %2" ::"m"(from->mxcsr), "m"(from->control),
		     "m"(from->x87));
}

static void store_all(struct image *to, bool avx)
{
	if (avx) {
		EACH(STORE_YMM)
	} else {
		EACH(STORE_XMM)
	}
	asm volatile("stmxcsr %0\n\tfnstcw %1\n\tfistpq %2" : "=m"(to->mxcsr), "=m"(to->control), "=m"(to->x87));
}

static void fill(struct image *image, uint64_t seed, bool avx)
{
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < (avx ? 4 : 2); j++)
			image->ymm[i][j] = seed * 0x9e3779b97f4a7c15 + i * 4 + j;
	image->mxcsr = MXCSR_OWN;
	image->control = CONTROL_OWN;
	image->x87 = seed + 1;
}

/* 0, or which kind of register is not as it should be. */
static unsigned differs(const struct image *a, const struct image *b)
{
	if (memcmp(a->ymm, b->ymm, sizeof(a->ymm)) != 0)
		return 1;
	if (a->mxcsr != b->mxcsr)
		return 2;
	if (a->control != b->control)
		return 3;
	return a->x87 != b->x87 ? 4 : 0;
}

/* a: seed. Each round holds the registers for about a slice. */
static void job_keep_vectors(struct worker *self)
{
	static struct image mine, found;
	bool avx = has_avx();
	for (uint64_t round = 0, end = now() + 40 * SLICE; now() < end; round++) {
		fill(&mine, self->a + round, avx);
		load_all(&mine, avx);
		for (volatile unsigned i = 0; i < ROUNDS; i++)
			;
		if (round % 2 == 1)
			(void)tss_self_yield();
		store_all(&found, avx);
		unsigned what = differs(&mine, &found);
		if (what != 0)
			(void)tss_self_exit(what);
	}
	(void)tss_self_exit(0);
}

/* The first thing it does; a C function built without vector registers has not touched them. */
static void job_first_state(struct worker *self)
{
	static struct image found, initial = {.mxcsr = MXCSR_INITIAL, .control = CONTROL_INITIAL};
	uint16_t environment[14];
	bool avx = has_avx();
	(void)self;
	asm volatile("fnstenv %0" : "=m"(environment));
	if (environment[4] != 0xffff || environment[2] != 0)
		(void)tss_self_exit(5); /* the x87 stack is not empty, or has a status */
	asm volatile("fildq %0\n\tfldcw %1" ::"m"(found.x87), "m"(environment[0]));
	store_all(&found, avx);
	(void)tss_self_exit(differs(&initial, &found));
}

static struct child with_vectors(void (*run)(struct worker *self), uint64_t a, cap_t *watch)
{
	children_have_vectors = true;
	struct child child = child_new(MEDIUM, run, a, 0);
	children_have_vectors = false;
	*watch = child_watch(&child, 1);
	return child;
}

static void ends_with(cap_t watch, uint64_t code)
{
	struct tss_request request;
	CHECK_OK(receive(watch, &request, 4 * SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.words[0], code);
}

/* On each CPU in turn, whatever that had of it last time; alone on it, so that no other thread makes it save them. */
static void test_vectors_move_along(void)
{
	cap_t watch;
	struct child child = with_vectors(job_keep_vectors, 7, &watch);
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL));
	uint64_t cpus = ((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus;
	child_go(&child);
	for (unsigned i = 0; i < 30; i++) {
		CHECK_OK(tss_sched_place(SYSTEM, child.sched, i % cpus));
		(void)tss_self_sleep(SLICE);
	}
	ends_with(watch, 0);
}

/* Two fill, check and interrupt each other; others begin in between, and a third never has any of it. */
static void test_vectors_stay_with_their_thread(void)
{
	cap_t watch[2], first, without;
	child_go(&(struct child[]){with_vectors(job_keep_vectors, 1, &watch[0])}[0]);
	child_go(&(struct child[]){with_vectors(job_keep_vectors, 1000, &watch[1])}[0]);
	for (unsigned i = 0; i < 4; i++) {
		struct child fresh = with_vectors(job_first_state, 0, &first);
		child_go(&fresh);
		(void)tss_self_sleep(3 * SLICE);
		ends_with(first, 0);
	}
	struct child plain = child_new(MEDIUM, job_keep_vectors, 0, 0);
	without = child_watch(&plain, 1);
	child_go(&plain);
	struct tss_request request;
	CHECK_OK(receive(without, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_VECTOR);
	ends_with(without, 0x100 | TSS_FAULT_VECTOR);
	ends_with(watch[0], 0);
	ends_with(watch[1], 0);
}

/* Kept over calls as well, to a server without and past a caller with other values. */
static void job_call_with_vectors(struct worker *self)
{
	static struct image mine, found;
	bool avx = has_avx();
	fill(&mine, self->a, avx);
	for (unsigned i = 0; i < 100; i++) {
		tss_tag_t tag = TSS_TAG(1, 0, 0);
		uint64_t words[4] = {0};
		load_all(&mine, avx);
		if (tss_connection_call(CHILD_FIRST, &tag, words, TSS_INFINITE) != TSS_OK)
			(void)tss_self_exit(9);
		store_all(&found, avx);
		unsigned what = differs(&mine, &found);
		if (what != 0)
			(void)tss_self_exit(what);
	}
	(void)tss_self_exit(0);
}

static void test_vectors_over_calls(void)
{
	cap_t port = new_port(1), watch[2];
	(void)new_reply(port);
	for (unsigned i = 0; i < 2; i++) {
		struct child child = with_vectors(job_call_with_vectors, 7 * (i + 1), &watch[i]);
		child_give(&child, CHILD_FIRST, new_connection(port, i), TSS_RIGHT_CALL);
		child_go(&child);
	}
	struct worker *server = work(HIGH, job_server, port, 200);
	ends_with(watch[0], 0);
	ends_with(watch[1], 0);
	CHECK(server->got[0], 200);
}

/* The CPU's registers are a thread's that is deleted while they are there; nothing of it is found later. */
static void test_vectors_of_a_deleted_thread(void)
{
	cap_t watch, first;
	struct child child = with_vectors(job_keep_vectors, 3, &watch);
	child_go(&child);
	(void)tss_self_sleep(2 * SLICE);
	CHECK_OK(destroy(child.thread));
	disown(child.thread);
	struct child fresh = with_vectors(job_first_state, 0, &first);
	child_go(&fresh);
	ends_with(first, 0);
}

static void test_vectors_are_paid_for(void)
{
	uint64_t unit = 0, thread = 0;
	CHECK_OK(tss_unit_create(SELF, 7, 64, 0, 0, &unit)); /* what a unit is made of: no page is left for it */
	own((cap_t)unit);
	CHECK_OK(tss_unit_vectors((cap_t)unit));
	CHECK(TSS_CODE(tss_thread_create((cap_t)unit, TSS_LAYOUT_IMAGE, TSS_LAYOUT_STACK_TOP, TSS_LAYOUT_IPC_PAGE, 0,
					 &thread)),
	      TSS_E_MEMORY);
}

/* FS base: a thread's own, whoever runs in between and however it is come back to. */
static uint64_t fs_word(void)
{
	uint64_t word;
	asm volatile("movq %%fs:0, %0" : "=r"(word));
	return word;
}

static void job_fs(struct worker *self)
{
	static uint64_t places[2];
	uint64_t *mine = &places[self->a];
	*mine = 0x1000 + self->a;
	self->status = tss_self_fs_base((uint64_t)mine);
	for (uint64_t end = now() + 10 * SLICE; now() < end; self->got[0]++) {
		self->got[1] |= fs_word() != *mine;
		(void)(self->got[0] % 3 == 0 ? tss_self_yield() : tss_self_sleep(self->got[0] % 3 == 1 ? 0 : TICK));
		self->got[1] |= fs_word() != *mine;
	}
}

static void job_read_fs(struct worker *self)
{
	self->got[0] = fs_word();
}

static void test_fs_base_is_the_threads_own(void)
{
	struct worker *one = work(MEDIUM, job_fs, 0, 0), *two = work(MEDIUM, job_fs, 1, 0);
	(void)tss_self_sleep(2 * SLICE);
	struct child child = child_new(MEDIUM, job_read_fs, 0, 0);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_request request;
	CHECK_OK(receive(watch, &request, SECOND)); /* its own is 0, where nothing is mapped */
	CHECK(request.words[0], TSS_FAULT_READ);
	CHECK(request.words[1], 0);
	CHECK_TRUE(joined(one) && joined(two));
	CHECK(one->status, TSS_OK);
	CHECK(one->got[1], 0);
	CHECK(two->got[1], 0);
	CHECK_TRUE(one->got[0] > 3 && two->got[0] > 3);
}

static void test_fs_base_arguments(void)
{
	static const uint64_t wrong[] = {TSS_USER_END, 0xffff800000000000, 1ull << 63, ~0ull};
	for (unsigned i = 0; i < 4; i++)
		CHECK(tss_self_fs_base(wrong[i]), E(ARGUMENT, 1));
	CHECK_OK(tss_self_fs_base(TSS_USER_END - 1));
	CHECK_OK(tss_self_fs_base(0));
}

/* Selectors are nobody's for long: another unit that comes next finds none of them. */
static void job_load_selectors(struct worker *self)
{
	for (;;)
		asm volatile("movw %w0, %%ds\n\tmovw %w0, %%es\n\tmovw %w0, %%fs\n\tmovw %w0, %%gs" ::"r"(self->a));
}

static uint64_t selectors(void)
{
	uint16_t ds, es, fs, gs;
	asm volatile("movw %%ds, %0\n\tmovw %%es, %1\n\tmovw %%fs, %2\n\tmovw %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return (uint64_t)ds << 48 | (uint64_t)es << 32 | (uint64_t)fs << 16 | gs;
}

static void test_selectors_are_cleared(void)
{
	static const uint64_t values[] = {0x1b, 0x23, 3};
	for (unsigned i = 0; i < 3; i++) {
		struct child child = child_new(LOW, job_load_selectors, values[i], 0);
		child_go(&child);
		for (unsigned j = 0; j < 5; j++) {
			(void)tss_self_sleep(2 * TICK);
			CHECK(selectors(), 0);
		}
		CHECK_OK(tss_unit_kill(child.unit, 0));
	}
}

const struct test vector_tests[] = {
	TEST(vectors_stay_with_their_thread),
	TEST(vectors_move_along),
	TEST(vectors_over_calls),
	TEST(vectors_of_a_deleted_thread),
	TEST(vectors_are_paid_for),
	TEST(fs_base_is_the_threads_own),
	TEST(fs_base_arguments),
	TEST(selectors_are_cleared),
	{0},
};
