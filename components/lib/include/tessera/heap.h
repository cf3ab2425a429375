/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.h - a heap over a fixed piece of memory, and malloc over the unit's own.
 *
 * The unit's heap is [TSS_LAYOUT_HEAP, + heap bytes of the manifest); with `heap: 0` malloc returns NULL. Everything
 * is 16-byte aligned. Freeing twice, freeing what was never allocated and writing past the end are caught when the
 * block or its neighbour is freed, and end the unit (abort). One thread at a time: a unit whose threads share the heap
 * locks around it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct tss_heap {
	uint8_t *base, *end;
	struct tss_heap_block *free; /* ring of free blocks, or NULL */
	size_t used; /* bytes handed out, headers included */
};

/* Takes [base, base + size) over; size may be 0. */
void tss_heap_init(struct tss_heap *heap, void *base, size_t size);
void *tss_heap_allocate(struct tss_heap *heap, size_t size);
void tss_heap_free(struct tss_heap *heap, void *p);
void *tss_heap_resize(struct tss_heap *heap, void *p, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *p, size_t size);
void free(void *p);
