// sources: kernel/mm/frame.c kernel/mm/slab.c kernel/obj/object.c tests/unit/kernel/ends.c
// flags: -Ikernel/arch/x86_64/include
/* SPDX-License-Identifier: BSD-2-Clause */
/* test_frame.c - frames and slabs: budgets hold, everything comes back, nothing is handed out twice or unclean. */
#include "host.h"
#include <string.h>

#define SMALL 64
#define ROUNDS 20000

static struct unit unit;

static void test_budget(void)
{
	void *frames[10], *more;
	host_unit_init(&unit, 10);
	uint64_t before = frame_count.available;
	for (unsigned i = 0; i < 10; i++) {
		CHECK((frames[i] = frame_alloc(&unit)) != NULL);
		for (unsigned j = 0; j < i; j++)
			CHECK(frames[i] != frames[j]);
	}
	CHECK(frame_alloc(&unit) == NULL);
	CHECK(frame_count.available == before - 10);
	memset(frames[3], 0xee, PAGE_SIZE);
	frame_free(&unit, frames[3]);
	CHECK((more = frame_alloc(&unit)) == frames[3]);
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		CHECK(((uint8_t *)more)[i] == 0);
	for (unsigned i = 0; i < 10; i++)
		frame_free(&unit, frames[i]);
	CHECK(unit.used == 0 && frame_count.available == before);
}

static void test_all_of_ram(void)
{
	static void *frames[HOST_FRAMES];
	uint64_t count = frame_count.available;
	host_unit_init(&unit, count);
	for (uint64_t i = 0; i < count; i++) {
		CHECK((frames[i] = frame_alloc(&unit)) != NULL);
		CHECK(frame_is_ram(virt_to_phys(frames[i]), PAGE_SIZE));
	}
	for (uint64_t i = 0; i < count; i++)
		frame_free(&unit, frames[i]);
	CHECK(frame_count.available == count);
}

/* With several CPUs: what one gives back it gets again, clear, whether that was done beforehand or not. */
static void test_cache(void)
{
	void *frames[2 * FRAME_CACHE];
	struct cpu *cpu = &cpus[0];
	uint64_t count = frame_count.available;
	host_unit_init(&unit, count);
	cpu_count = 2;
	for (unsigned i = 0; i < 2 * FRAME_CACHE; i++)
		frames[i] = frame_alloc(&unit);
	for (unsigned i = 0; i < 2 * FRAME_CACHE; i++) {
		memset(frames[i], 0xee, PAGE_SIZE);
		frame_free(&unit, frames[i]);
	}
	CHECK(cpu->frame_count == FRAME_CACHE && cpu->frames_clear == 0);
	frame_prepare(5);
	CHECK(cpu->frames_clear == 5);
	frame_prepare(3);
	CHECK(cpu->frames_clear == 5);
	for (unsigned i = 0; i < 2 * FRAME_CACHE; i++) {
		frames[i] = frame_alloc(&unit);
		for (unsigned j = 0; j < PAGE_SIZE; j++)
			CHECK(((uint8_t *)frames[i])[j] == 0);
	}
	CHECK(cpu->frame_count == 0 && cpu->frames_clear == 0);
	for (unsigned i = 0; i < 2 * FRAME_CACHE; i++)
		frame_free(&unit, frames[i]);
	frame_prepare(UINT64_MAX);
	CHECK(cpu->frames_clear == FRAME_CACHE && frame_count.available == count);
	cpus[1] = *cpu; /* another's: taken when there are no others */
	cpu->frame_count = cpu->frames_clear = 0;
	test_all_of_ram();
	cpu_count = 1;
}

static void test_slabs(void)
{
	static struct {
		uint8_t *bytes;
		size_t size;
		uint8_t mark;
	} items[SMALL];
	host_unit_init(&unit, frame_count.available);
	memset(items, 0, sizeof(items));
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned i = (unsigned)random() % SMALL;
		if (items[i].bytes) {
			for (size_t j = 0; j < items[i].size; j++)
				CHECK(items[i].bytes[j] == items[i].mark);
			slab_free(&unit, items[i].bytes, items[i].size);
			items[i].bytes = NULL;
			continue;
		}
		items[i].size = 1 + (size_t)random() % 1024;
		CHECK((items[i].bytes = slab_alloc(&unit, items[i].size)) != NULL);
		for (size_t j = 0; j < items[i].size; j++)
			CHECK(items[i].bytes[j] == 0);
		items[i].mark = (uint8_t)(1 + round % 255);
		memset(items[i].bytes, items[i].mark, items[i].size);
	}
	for (unsigned i = 0; i < SMALL; i++)
		if (items[i].bytes)
			slab_free(&unit, items[i].bytes, items[i].size);
	CHECK(unit.used == 0);
}

static void test_objects(void)
{
	host_unit_init(&unit, 4);
	struct object *a = object_alloc(&unit, TSS_TYPE_EVENT), *b = object_alloc(&unit, TSS_TYPE_EVENT);
	CHECK(a && b);
	CHECK(object_at(TSS_TYPE_EVENT, 0) == a && object_at(TSS_TYPE_EVENT, 1) == b && a->id != b->id);
	object_destroy(a);
	CHECK(object_at(TSS_TYPE_EVENT, 0) == b && object_at(TSS_TYPE_EVENT, 1) == NULL);
	object_destroy(b);
	CHECK(object_at(TSS_TYPE_EVENT, 0) == NULL && unit.used == 0);
}

int main(void)
{
	srandom(1);
	host_memory_init();
	object_init_lists();
	CHECK(frame_init() == 399); /* one frame of the 400 holds the bitmap */
	test_budget();
	test_all_of_ram();
	test_slabs();
	test_cache();
	test_objects();
	puts("ok frame");
	return 0;
}
