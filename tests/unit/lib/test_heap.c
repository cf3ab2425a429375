/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/lib/src/heap.c
/* test_heap.c - the heap: random work with a pattern in every block, exhaustion, merging, and misuse that must end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct tss_heap;
#include "../../../components/lib/include/tessera/heap.h"
#include "tap.h"

_Noreturn void tss_assert_failed(const char *what, const char *file, int line);
_Noreturn void tss_assert_failed(const char *what, const char *file, int line)
{
	(void)what, (void)file, (void)line;
	_exit(99);
}

#define SIZE 16384
static uint8_t memory[SIZE] __attribute__((aligned(16)));

static void check_pattern(const uint8_t *p, size_t size, uint8_t pattern)
{
	for (size_t i = 0; i < size; i++)
		CHECK(p[i] == pattern);
}

static void test_random(void)
{
	struct tss_heap heap;
	uint8_t *blocks[64] = {0};
	size_t sizes[64] = {0};
	tss_heap_init(&heap, memory, SIZE);
	for (int round = 0; round < 50000; round++) {
		unsigned i = (unsigned)rand() % 64;
		size_t size = (size_t)rand() % 600;
		if (blocks[i] != NULL)
			check_pattern(blocks[i], sizes[i], (uint8_t)i);
		if (rand() % 3 == 0) {
			uint8_t *p = tss_heap_resize(&heap, blocks[i], size);
			if (p == NULL)
				continue;
			check_pattern(p, size < sizes[i] ? size : sizes[i], (uint8_t)i);
			blocks[i] = p;
		} else {
			tss_heap_free(&heap, blocks[i]);
			blocks[i] = tss_heap_allocate(&heap, size);
		}
		sizes[i] = blocks[i] == NULL ? 0 : size;
		CHECK((uintptr_t)blocks[i] % 16 == 0);
		if (blocks[i] != NULL)
			memset(blocks[i], (int)i, size);
	}
	for (int i = 0; i < 64; i++)
		tss_heap_free(&heap, blocks[i]);
	CHECK(heap.used == 0);
	CHECK(tss_heap_allocate(&heap, SIZE - 32) != NULL); /* all merged into one again */
}

static void test_limits(void)
{
	struct tss_heap heap;
	tss_heap_init(&heap, NULL, 0);
	CHECK(tss_heap_allocate(&heap, 1) == NULL);
	tss_heap_init(&heap, memory, 40);
	CHECK(tss_heap_allocate(&heap, 1) == NULL);
	tss_heap_init(&heap, memory, SIZE);
	CHECK(tss_heap_allocate(&heap, SIZE_MAX) == NULL && tss_heap_allocate(&heap, SIZE) == NULL);
	CHECK(tss_heap_allocate(&heap, 0) != NULL);
	tss_heap_free(&heap, NULL);
}

/* Does `misuse` end the program as the checks do? */
static int ends(void (*misuse)(struct tss_heap *heap))
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		struct tss_heap heap;
		tss_heap_init(&heap, memory, SIZE);
		misuse(&heap);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 99;
}

static void free_twice(struct tss_heap *heap)
{
	void *p = tss_heap_allocate(heap, 100);
	void *keep = tss_heap_allocate(heap, 100);
	(void)keep;
	tss_heap_free(heap, p);
	tss_heap_free(heap, p);
}

static void free_twice_merged(struct tss_heap *heap)
{
	void *p = tss_heap_allocate(heap, 100), *q = tss_heap_allocate(heap, 100);
	tss_heap_free(heap, p);
	tss_heap_free(heap, q);
	tss_heap_free(heap, q);
}

static void free_inside(struct tss_heap *heap)
{
	tss_heap_free(heap, (uint8_t *)tss_heap_allocate(heap, 100) + 32);
}

static void free_outside(struct tss_heap *heap)
{
	static uint8_t elsewhere[64] __attribute__((aligned(16)));
	tss_heap_free(heap, elsewhere + 16);
}

static void write_past_end(struct tss_heap *heap)
{
	uint8_t *p = tss_heap_allocate(heap, 96);
	memset(p, 0xaa, 96 + 16);
	tss_heap_free(heap, p);
}

static void test_misuse(void)
{
	CHECK(ends(free_twice));
	CHECK(ends(free_twice_merged));
	CHECK(ends(free_inside));
	CHECK(ends(free_outside));
	CHECK(ends(write_past_end));
}

int main(void)
{
	RUN(test_random);
	RUN(test_limits);
	RUN(test_misuse);
	return tap_end();
}
