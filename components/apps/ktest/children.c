/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * children.c - units made for one test. A child has this image's text and constants (copies made once: the unit's own
 * segments may not be handed on) and a copy of its data as it is when the child is made; so it runs any function here.
 * Its IPC page is at the address of the main thread's, as that of most first threads is.
 */
#include "ktest.h"

#define COPY_AT 0x600001000000ull
#define CHILD_SLOTS 64
#define CHILD_STACK_PAGES 2

struct segment {
	uint64_t address, pages;
	cap_t copy;
};
static struct segment text, rodata, data;
static struct worker child_job;
bool children_have_vectors;

static struct segment segment_of(unsigned slot)
{
	const struct tss_inspect_capability *record = (const struct tss_inspect_capability *)tss_ipc()->recv;
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0, self = 0;
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
		if (strcmp((const char *)unit->name, "ktest") == 0)
			self = unit->id;
	} while (next && !self);
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, slot, self, NULL));
	return (struct segment){.address = record->c, .pages = record->a};
}

/* A memory object with what the segment holds now. */
static cap_t segment_copy(const struct segment *segment)
{
	uint64_t memory = 0;
	CHECK_OK(tss_memory_create(SELF, segment->pages, &memory));
	CHECK_OK(tss_unit_map(SELF, (cap_t)memory, COPY_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	memcpy((void *)COPY_AT, (const void *)segment->address, segment->pages * TSS_PAGE_SIZE);
	CHECK_OK(tss_unit_unmap(SELF, (cap_t)memory));
	return (cap_t)memory;
}

void children_init(void)
{
	text = segment_of(TSS_SLOT_TEXT);
	rodata = segment_of(TSS_SLOT_RODATA);
	data = segment_of(TSS_SLOT_DATA);
	text.copy = segment_copy(&text);
	rodata.copy = segment_copy(&rodata);
}

static void child_map(cap_t unit, unsigned slot, cap_t memory, uint64_t address, uint64_t protection)
{
	CHECK_OK(tss_unit_install(unit, slot, memory, protection, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_map(unit, slot, address, protection));
}

static void child_name(uint64_t name[2])
{
	static unsigned number;
	char letters[TSS_NAME_SIZE] = {0};
	snprintf(letters, sizeof(letters), "child%u", ++number);
	memcpy(name, letters, sizeof(letters));
}

struct child child_new(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	return child_below(SELF, priority, run, a, b);
}

struct child child_below(cap_t parent, unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	const uint64_t stack = TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE;
	uint64_t unit = 0, thread = 0, sched = 0, name[2];
	struct child child = {.job = &child_job};
	child_name(name);
	CHECK_OK(tss_unit_create(parent, CHILD_PAGES, CHILD_SLOTS, name[0], name[1], &unit));
	child.unit = own((cap_t)unit);
	if (children_have_vectors)
		CHECK_OK(tss_unit_vectors(child.unit));
	child_job = (struct worker){.run = run, .a = a, .b = b};
	child.data = own(segment_copy(&data));
	child.stack = new_memory(CHILD_STACK_PAGES);
	child_map(child.unit, TSS_SLOT_TEXT, text.copy, text.address, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE);
	child_map(child.unit, TSS_SLOT_RODATA, rodata.copy, rodata.address, TSS_RIGHT_READ);
	child_map(child.unit, TSS_SLOT_DATA, child.data, data.address, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	child_map(child.unit, TSS_SLOT_STACK, child.stack, stack, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	CHECK_OK(tss_thread_create(child.unit, (uint64_t)worker_start, stack + CHILD_STACK_PAGES * TSS_PAGE_SIZE,
				   TSS_LAYOUT_IPC_PAGE, (uint64_t)&child_job, &thread));
	child.thread = own((cap_t)thread);
	CHECK_OK(tss_sched_create(SYSTEM, SELF, priority, SLICE, &sched));
	child.sched = own((cap_t)sched);
	return child;
}

void child_give(const struct child *child, unsigned slot, cap_t cap, uint64_t rights)
{
	CHECK_OK(tss_unit_install(child->unit, slot, cap, rights, TSS_INSTALL_COPY));
}

void child_go(const struct child *child)
{
	CHECK_OK(tss_thread_start(child->thread, child->sched));
}

cap_t child_watch(const struct child *child, uint64_t badge)
{
	cap_t port = new_port(4);
	CHECK_OK(tss_unit_supervise(child->unit, new_connection(port, badge)));
	return port;
}

uint64_t child_text_address(void)
{
	return text.address;
}

uint64_t child_data_address(void)
{
	return data.address;
}
