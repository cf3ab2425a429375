/* SPDX-License-Identifier: BSD-2-Clause */
/* child.c - units with a copy of this image, as children of ours. */
#include "fuzz.h"
#include "slots.h"

#define COPY_AT 0x600001000000ull
#define VIEW_AT 0x600002000000ull
#define CHILD_PAGES 96u
#define STACK_PAGES 2u
#define STACK_AT (TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE)
#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)

struct segment {
	uint64_t address, pages;
	cap_t copy;
};
static struct segment text, rodata, data;
static cap_t view;

static uint64_t own_id(void)
{
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0;
	do {
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next) != TSS_OK)
			return 0;
		if (strcmp((const char *)unit->name, "fuzz") == 0)
			return unit->id;
	} while (next);
	return 0;
}

static struct segment segment_of(unsigned slot)
{
	const struct tss_inspect_capability *record = (const struct tss_inspect_capability *)tss_ipc()->recv;
	assert(tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, slot, own_id(), NULL) == TSS_OK);
	return (struct segment){.address = record->c, .pages = record->a};
}

static cap_t segment_copy(const struct segment *segment)
{
	uint64_t memory = 0;
	assert(tss_memory_create(SELF, segment->pages, &memory) == TSS_OK);
	assert(tss_unit_map(SELF, (cap_t)memory, COPY_AT, RW) == TSS_OK);
	memcpy((void *)COPY_AT, (const void *)segment->address, segment->pages * TSS_PAGE_SIZE);
	assert(tss_unit_unmap(SELF, (cap_t)memory) == TSS_OK);
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

static bool give_mapped(cap_t unit, unsigned slot, cap_t memory, uint64_t address, uint64_t protection)
{
	return tss_unit_install(unit, slot, memory, protection, TSS_INSTALL_COPY) == TSS_OK &&
	       tss_unit_map(unit, slot, address, protection) == TSS_OK;
}

static bool child_map(struct child *child)
{
	uint64_t stack = 0;
	child->data = segment_copy(&data);
	if (tss_memory_create(SELF, STACK_PAGES, &stack) != TSS_OK)
		return false;
	child->stack = (cap_t)stack;
	return give_mapped(child->unit, TSS_SLOT_TEXT, text.copy, text.address, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE) &&
	       give_mapped(child->unit, TSS_SLOT_RODATA, rodata.copy, rodata.address, TSS_RIGHT_READ) &&
	       give_mapped(child->unit, TSS_SLOT_DATA, child->data, data.address, RW) &&
	       give_mapped(child->unit, TSS_SLOT_STACK, child->stack, STACK_AT, RW);
}

bool child_new(struct child *child)
{
	uint64_t value = 0;
	*child = (struct child){0};
	if (tss_unit_create(SELF, CHILD_PAGES, CHILD_SLOTS, 0x646c696863ull, 0, &value) != TSS_OK)
		return false;
	child->unit = (cap_t)value;
	for (unsigned i = 0; i < 2; i++) {
		if (tss_sched_create(SYSTEM, SELF, CHILD_PRIORITY - i, SLICE_US, &value) != TSS_OK)
			return false;
		child->sched[i] = (cap_t)value;
	}
	if (!child_map(child) ||
	    tss_thread_create(child->unit, (uint64_t)hostile_start, STACK_AT + STACK_PAGES * TSS_PAGE_SIZE,
			      TSS_LAYOUT_IPC_PAGE, 0, &value) != TSS_OK)
		return false;
	child->thread = (cap_t)value;
	return true;
}

void child_give(const struct child *child, unsigned place, cap_t cap)
{
	uint64_t what = 0;
	if (tss_capability_inspect(cap, &what) == TSS_OK && what >> 8 & TSS_RIGHT_GRANT)
		(void)tss_unit_install(child->unit, GIVEN_FIRST + place, cap, what >> 8 & 0xffff, TSS_INSTALL_COPY);
}

static void destroy(cap_t cap)
{
	while (cap && TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

void child_end(const struct child *child)
{
	destroy(child->unit);
	destroy(child->thread);
	destroy(child->sched[0]);
	destroy(child->sched[1]);
	destroy(child->data);
	destroy(child->stack);
}

const volatile uint64_t *child_view(const struct child *child, const volatile uint64_t *ours)
{
	uint64_t value = 0;
	assert(tss_capability_derive(child->data, TSS_RIGHT_READ, &value) == TSS_OK);
	view = (cap_t)value;
	assert(tss_unit_map(SELF, view, VIEW_AT, TSS_RIGHT_READ) == TSS_OK);
	return (const volatile uint64_t *)(VIEW_AT + (uint64_t)ours - data.address);
}

void child_blind(void)
{
	destroy(view);
}
