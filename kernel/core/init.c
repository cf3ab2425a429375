/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init.c - builds the first unit by hand, as init later builds the others by system calls. Init owns every free frame
 * and holds a capability to everything there is; nothing the kernel does later gives anyone more.
 */
#include <bundle_check.h>
#include <frame.h>
#include <memory.h>
#include <syscall.h>

static struct object system_object;

static struct capability *init_place(struct unit *unit, unsigned slot, struct object *object, unsigned rights)
{
	struct capability *cap = cspace_slot(unit, slot);
	if (!cap || cap->object)
		panic("init's slot %u is taken: two segments of one protection?", slot);
	capability_place(cap, object, (uint16_t)rights, NULL);
	return cap;
}

static void init_map(struct capability *cap, uint64_t address, unsigned protection)
{
	status_t status;
	while ((status = memory_map(cap, address, protection)) == ERR(AGAIN, 0))
		;
	if (status != TSS_OK)
		panic("init cannot be mapped at %#lx: status %#lx", address, status);
}

static struct memory *init_memory(struct unit *unit, uint64_t pages)
{
	struct memory *memory;
	if (memory_create(unit, pages, &memory) != TSS_OK || memory_fill(memory, MEMORY_PAGES_MAX) != TSS_OK)
		panic("not enough memory for init: %lu pages wanted, %lu free", pages, frame_count.available);
	return memory;
}

static struct memory *init_run(struct unit *unit, uint64_t offset, uint64_t pages)
{
	struct memory *memory = memory_create_run(unit, (paddr_t){boot_info.bundle.raw + offset}, pages, false);
	if (!memory)
		panic("not enough memory for init");
	return memory;
}

/* Constant segments are used where they lie in the bundle; others get frames of their own. */
static void init_segment(struct unit *unit, const struct bundle *bundle, const struct tss_bundle_section *section)
{
	unsigned protection = section->flags & (TSS_RIGHT_READ | TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE);
	bool in_place = !(protection & TSS_RIGHT_WRITE);
	unsigned slot = protection & TSS_RIGHT_EXECUTE ? TSS_SLOT_TEXT : in_place ? TSS_SLOT_RODATA : TSS_SLOT_DATA;
	struct memory *memory;
	uint64_t pages = section->memory_size / PAGE_SIZE;
	if (pages == 0)
		panic("section %s is empty", section->name);
	memory = in_place ? init_run(unit, section->offset, pages) : init_memory(unit, pages);
	memory->template = (paddr_t){boot_info.bundle.raw + section->offset};
	memory->template_size = section->size;
	for (uint64_t page = 0; !in_place && page < pages; page++)
		memory_refill(memory, page);
	init_map(init_place(unit, slot, &memory->object, protection),
		 bundle_init_instance(bundle)->image_base + section->address, protection);
}

static void init_segments(struct unit *unit, const struct bundle *bundle)
{
	for (uint32_t i = 0; i < bundle->header->section_count; i++) {
		const struct tss_bundle_section *section = &bundle->sections[i];
		if (section->kind == TSS_SECTION_SEGMENT && section->flags & TSS_SECTION_INIT)
			init_segment(unit, bundle, section);
	}
}

static void init_authority(struct unit *unit, const struct bundle *bundle)
{
	const unsigned rights = TSS_RIGHT_READ | TSS_RIGHT_WRITE;
	struct memory *stack = init_memory(unit, TSS_INIT_STACK_PAGES);
	struct memory *whole = init_run(unit, 0, bundle->header->size / PAGE_SIZE);
	init_map(init_place(unit, TSS_SLOT_STACK, &stack->object, rights),
		 bundle_init_instance(bundle)->stack_top - TSS_INIT_STACK_PAGES * PAGE_SIZE, rights);
	init_map(
		init_place(unit, TSS_SLOT_BUNDLE, &whole->object, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE | TSS_RIGHT_GRANT),
		TSS_LAYOUT_BUNDLE, TSS_RIGHT_READ);
	object_register(&system_object, TSS_TYPE_SYSTEM, unit);
	init_place(unit, TSS_SLOT_SYSTEM, &system_object,
		   TSS_RIGHT_GRANT | TSS_RIGHT_RECEIVE | TSS_RIGHT_INSPECT | TSS_RIGHT_SCHEDULE | TSS_RIGHT_DEVICE |
			   TSS_RIGHT_TRACE);
	init_place(unit, TSS_SLOT_UNIT, &unit->object, TSS_RIGHT_GRANT | TSS_RIGHT_CONTROL);
}

static void init_thread(struct unit *unit, const struct bundle *bundle)
{
	const struct tss_table_instance *instance = bundle_init_instance(bundle);
	struct thread *thread;
	status_t status = thread_create(unit, instance->entry, instance->stack_top, instance->ipc_page,
					bundle->header->size, &thread);
	struct sched *sched = sched_new(unit, TSS_INIT_PRIORITY, TSS_SLICE_MAX_US);
	if (status != TSS_OK || !sched)
		panic("init's thread cannot be made: status %#lx", status);
	init_place(unit, TSS_SLOT_THREAD, &thread->object, 0);
	init_place(unit, TSS_SLOT_SCHED, &sched->object, 0);
	thread_start(thread, sched);
}

void init_build(const struct bundle *bundle)
{
	struct unit *unit = unit_build(NULL, frame_count.available);
	while (cspace_grow(unit, bundle_init_instance(bundle)->slots) == ERR(AGAIN, 0))
		;
	__builtin_memcpy(unit->name, "init", sizeof("init"));
	init_segments(unit, bundle);
	init_authority(unit, bundle);
	init_thread(unit, bundle);
}
