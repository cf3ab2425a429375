/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.c - first fit over one piece of memory, with boundary tags.
 *
 * The memory is a row of blocks without gaps, closed by a sentinel that is never free. A block's header has its size
 * (header included, a multiple of 16), the size of the block before it and a magic number for its state. Two free
 * blocks never lie side by side: freeing merges. Free blocks are in a ring through their payload.
 */
#include <stdbool.h>
#include <tessera/assert.h>
#include <tessera/heap.h>
#include <tessera/string.h>

#define UNIT 16u /* alignment, header size, and what sizes are multiples of */
#define MAGIC_USED 0x64657375u
#define MAGIC_FREE 0x65657266u

struct tss_heap_block {
	size_t size;
	uint32_t previous; /* size of the block before, in UNITs; 0 for the first */
	uint32_t magic;
	struct tss_heap_block *next, *back; /* only while free: the ring */
};
#define SMALLEST sizeof(struct tss_heap_block)
_Static_assert(SMALLEST == 2 * UNIT, "a free block is a header and two links");

static struct tss_heap_block *after(const struct tss_heap_block *b)
{
	return (struct tss_heap_block *)((uintptr_t)b + b->size);
}

static void *payload(const struct tss_heap_block *b)
{
	return (void *)((uintptr_t)b + UNIT);
}

static void ring_insert(struct tss_heap *heap, struct tss_heap_block *b)
{
	b->magic = MAGIC_FREE;
	if (heap->free == NULL) {
		b->next = b->back = b;
	} else {
		b->next = heap->free;
		b->back = heap->free->back;
		b->next->back = b->back->next = b;
	}
	heap->free = b;
}

static void ring_remove(struct tss_heap *heap, struct tss_heap_block *b)
{
	if (b->next == b) {
		heap->free = NULL;
		return;
	}
	b->next->back = b->back;
	b->back->next = b->next;
	if (heap->free == b)
		heap->free = b->next;
}

static void set_size(struct tss_heap_block *b, size_t size)
{
	b->size = size;
	after(b)->previous = (uint32_t)(size / UNIT);
}

void tss_heap_init(struct tss_heap *heap, void *base, size_t size)
{
	uintptr_t start = ((uintptr_t)base + UNIT - 1) & ~(uintptr_t)(UNIT - 1);
	uintptr_t end = ((uintptr_t)base + size) & ~(uintptr_t)(UNIT - 1);
	*heap = (struct tss_heap){.base = (uint8_t *)start, .end = (uint8_t *)start};
	if (base == NULL || end < start + SMALLEST + UNIT)
		return;
	heap->end = (uint8_t *)end;
	struct tss_heap_block *first = (struct tss_heap_block *)start;
	struct tss_heap_block *sentinel = (struct tss_heap_block *)(end - UNIT);
	first->previous = 0;
	sentinel->magic = MAGIC_USED;
	sentinel->size = UNIT;
	set_size(first, end - UNIT - start);
	ring_insert(heap, first);
}

static void merge_next(struct tss_heap *heap, struct tss_heap_block *b)
{
	struct tss_heap_block *next = after(b);
	if (next->magic != MAGIC_FREE)
		return;
	ring_remove(heap, next);
	next->magic = 0;
	set_size(b, b->size + next->size);
}

/* Gives what block b has beyond `size` back to the ring. */
static void cut(struct tss_heap *heap, struct tss_heap_block *b, size_t size)
{
	size_t rest = b->size - size;
	if (rest < SMALLEST)
		return;
	set_size(b, size);
	struct tss_heap_block *tail = after(b);
	set_size(tail, rest);
	merge_next(heap, tail);
	ring_insert(heap, tail);
}

/* Payload bytes -> block bytes; 0 if that is more than any heap has. */
static size_t block_size(size_t size)
{
	if (size > SIZE_MAX / 2)
		return 0;
	size = (size + UNIT + UNIT - 1) & ~(size_t)(UNIT - 1);
	return size < SMALLEST ? SMALLEST : size;
}

void *tss_heap_allocate(struct tss_heap *heap, size_t size)
{
	size_t wanted = block_size(size);
	struct tss_heap_block *b = heap->free;
	if (b == NULL || wanted == 0)
		return NULL;
	while (b->size < wanted) {
		b = b->next;
		if (b == heap->free)
			return NULL;
	}
	ring_remove(heap, b);
	b->magic = MAGIC_USED;
	cut(heap, b, wanted);
	heap->used += b->size;
	return payload(b);
}

/* The block of p, after every check that its neighbourhood allows. */
static struct tss_heap_block *checked(const struct tss_heap *heap, void *p)
{
	uintptr_t at = (uintptr_t)p;
	assert(at % UNIT == 0 && at >= (uintptr_t)heap->base + UNIT && at < (uintptr_t)heap->end);
	struct tss_heap_block *b = (struct tss_heap_block *)(at - UNIT);
	assert(b->magic == MAGIC_USED); /* else: freed twice, or never allocated */
	assert(b->size % UNIT == 0 && b->size >= SMALLEST && b->size < (size_t)(heap->end - (uint8_t *)b));
	struct tss_heap_block *next = after(b);
	assert(next->previous == b->size / UNIT && (next->magic == MAGIC_USED || next->magic == MAGIC_FREE));
	return b;
}

void tss_heap_free(struct tss_heap *heap, void *p)
{
	if (p == NULL)
		return;
	struct tss_heap_block *b = checked(heap, p);
	heap->used -= b->size;
	merge_next(heap, b);
	if (b->previous != 0) {
		struct tss_heap_block *back = (struct tss_heap_block *)((uintptr_t)b - (size_t)b->previous * UNIT);
		if (back->magic == MAGIC_FREE) {
			ring_remove(heap, back);
			b->magic = 0; /* so that freeing it again is noticed */
			set_size(back, back->size + b->size);
			b = back;
		}
	}
	ring_insert(heap, b);
}

void *tss_heap_resize(struct tss_heap *heap, void *p, size_t size)
{
	if (p == NULL)
		return tss_heap_allocate(heap, size);
	struct tss_heap_block *b = checked(heap, p);
	size_t wanted = block_size(size), had = b->size;
	struct tss_heap_block *next = after(b);
	if (wanted == 0)
		return NULL;
	if (b->size < wanted && next->magic == MAGIC_FREE && b->size + next->size >= wanted)
		merge_next(heap, b);
	if (b->size >= wanted) {
		cut(heap, b, wanted);
		heap->used += b->size - had;
		return p;
	}
	void *fresh = tss_heap_allocate(heap, size);
	if (fresh != NULL) {
		memcpy(fresh, p, had - UNIT);
		tss_heap_free(heap, p);
	}
	return fresh;
}
