/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc.c - C's allocation functions over the unit's heap, which is taken into use by the first of them. */
#include <stdbool.h>
#include <tessera/table.h>
#include <tessera/heap.h>
#include <tessera/string.h>
#include <tessera/tessera.h>

static struct tss_heap *unit_heap(void)
{
	static struct tss_heap heap;
	static bool ready;
	if (!ready) {
		ready = true;
		tss_heap_init(&heap, (void *)TSS_LAYOUT_HEAP, tss_argument);
	}
	return &heap;
}

void *malloc(size_t size)
{
	return tss_heap_allocate(unit_heap(), size);
}

void free(void *p)
{
	tss_heap_free(unit_heap(), p);
}

void *realloc(void *p, size_t size)
{
	return tss_heap_resize(unit_heap(), p, size);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *p = malloc(bytes);
	if (p != NULL)
		memset(p, 0, bytes);
	return p;
}
