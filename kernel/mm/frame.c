/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.c - page frames.
 *
 * Each region of RAM hands out its untouched frames in order (so boot does not walk memory) and freed frames from one
 * list threaded through the frames themselves: both O(1). A bitmap of free-list members catches a double free.
 * Budgets are reserved when a unit is created and their sum is what there is, so a unit inside its budget always gets
 * its frame.
 *
 * With several CPUs each has a few free frames of its own: those that it gave back last. Taking one is exclusive work all
 * the same; but clearing them, which takes far longer, is done beforehand, while the other CPUs go on.
 */
#include <enabled.h>
#include <event.h>
#include <frame.h>
#include <unit.h>

#define FRAME_POISON 0xa5 /* what freed frames hold that were of a unit that scrubs, or with CONFIG_POISON */

struct frame_count frame_count;
struct frames frames;

bool frame_bitmap_flip(const void *frame)
{
	uint64_t index = virt_to_phys(frame).raw / PAGE_SIZE - frames.bitmap_base;
	if (index >= frames.bitmap_frames)
		panic("frame %#lx is not RAM", virt_to_phys(frame).raw);
	frames.bitmap[index / 64] ^= 1ull << index % 64;
	return frames.bitmap[index / 64] >> index % 64 & 1;
}

/* Clear ones are before the others, and are taken first. */
static void *cache_take(struct cpu *cpu)
{
	unsigned index = cpu->frames_clear ? --cpu->frames_clear : cpu->frame_count - 1;
	void *frame = cpu->frames[index];
	cpu->frames[index] = cpu->frames[--cpu->frame_count];
	(void)frame_bitmap_flip(frame);
	return frame;
}

void frame_prepare(uint64_t wanted)
{
	struct cpu *cpu = cpu_this();
	for (; cpu->frames_clear < cpu->frame_count && cpu->frames_clear < wanted; cpu->frames_clear++)
		__builtin_memset(cpu->frames[cpu->frames_clear], 0, PAGE_SIZE);
}

static void *frame_take(void)
{
	struct free_frame *frame = frames.free;
	if (frame) {
		frames.free = frame->next;
		if (frame_bitmap_flip(frame))
			panic("frame %#lx was on the free list twice", virt_to_phys(frame).raw);
		return frame;
	}
	for (; frames.region < boot_info.ram_count; frames.region++, frames.taken = 0) {
		const struct boot_region *region = &boot_info.ram[frames.region];
		if (frames.taken < region->size) {
			frames.taken += PAGE_SIZE;
			return phys_to_virt((paddr_t){region->base.raw + frames.taken - PAGE_SIZE});
		}
	}
	EACH_CPU(cpu)
		if (cpu->frame_count)
			return cache_take(cpu);
	return NULL;
}

/* There were enough left; whoever wants to know hears that there are few now. */
ALWAYS_INLINE void frames_charge(struct unit *payer, uint64_t count)
{
	uint64_t left = payer->budget - payer->used;
	payer->used += count;
	frame_count.available -= count;
	if (UNLIKELY(left - count < payer->low && left >= payer->low))
		event_signal(payer->low_event, payer->low_bits);
}

/* From the end of a region, where nobody has been; 0: none has so many bytes left. What alignment costs is freed. */
static uint64_t frame_take_run(uint64_t bytes, uint64_t alignment)
{
	for (unsigned i = frames.region; i < boot_info.ram_count; i++) {
		struct boot_region *region = &boot_info.ram[i];
		uint64_t first = region->base.raw + (i == frames.region ? frames.taken : 0);
		uint64_t end = region->base.raw + region->size, start = (end - bytes) & ~(alignment - 1);
		if (region->size < bytes || start < first)
			continue;
		region->size = start - region->base.raw;
		for (uint64_t at = start + bytes; at < end; at += PAGE_SIZE) {
			struct free_frame *frame = phys_to_virt((paddr_t){at});
			(void)frame_bitmap_flip(frame);
			frame->next = frames.free;
			frames.free = frame;
		}
		return start;
	}
	return 0;
}

void *frame_alloc_run(struct unit *payer, uint64_t pages, uint64_t alignment)
{
	uint64_t start;
	if (payer->budget - payer->used < pages || !(start = frame_take_run(pages * PAGE_SIZE, alignment)))
		return NULL;
	frames_charge(payer, pages);
	return phys_to_virt((paddr_t){start});
}

uint64_t frame_init(void)
{
	const struct boot_region *first = &boot_info.ram[0];
	const struct boot_region *last = &boot_info.ram[boot_info.ram_count - 1];
	if (boot_info.ram_count == 0)
		panic("the boot loader reports no usable RAM");
	frames.bitmap_base = first->base.raw / PAGE_SIZE;
	frames.bitmap_frames = (last->base.raw + last->size) / PAGE_SIZE - frames.bitmap_base;
	uint64_t bytes = (frames.bitmap_frames / 8 + PAGE_SIZE) & ~PAGE_MASK;
	frames.bitmap = phys_to_virt((paddr_t){frame_take_run(bytes, PAGE_SIZE)});
	if (frames.bitmap == phys_to_virt((paddr_t){0}))
		panic("no run of %lu bytes for the frame bitmap", bytes);
	__builtin_memset(frames.bitmap, 0, bytes);
	for (unsigned i = 0; i < boot_info.ram_count; i++)
		frame_count.total += boot_info.ram[i].size / PAGE_SIZE;
	frame_count.available = frame_count.total;
	return frame_count.total;
}

void *frame_alloc(struct unit *payer)
{
	if (payer && payer->used >= payer->budget)
		return NULL;
	struct cpu *cpu = cpu_this();
	bool clear = cpu->frames_clear;
	void *frame = cpu->frame_count ? cache_take(cpu) : frame_take();
	if (!frame)
		panic("out of frames although budgets fit: %lu of %lu", frame_count.available, frame_count.total);
	if (payer)
		frames_charge(payer, 1);
	else
		frame_count.available--;
	return clear ? frame : __builtin_memset(frame, 0, PAGE_SIZE);
}

void frame_free(struct unit *payer, void *address)
{
	struct free_frame *frame = address;
	if (!frame_bitmap_flip(frame))
		panic("frame %#lx freed twice", virt_to_phys(frame).raw);
	if (IS_ENABLED(CONFIG_POISON) || (payer && payer->scrubs))
		__builtin_memset(frame, FRAME_POISON, PAGE_SIZE);
	struct cpu *cpu = cpu_this();
	if (cpu_count > 1 && cpu->frame_count < FRAME_CACHE) {
		cpu->frames[cpu->frame_count++] = frame;
	} else {
		frame->next = frames.free;
		frames.free = frame;
	}
	frame_count.available++;
	if (payer)
		payer->used--;
}

bool frame_is_ram(paddr_t start, uint64_t size)
{
	for (unsigned i = 0; i < boot_info.reserved_count; i++) {
		const struct boot_region *region = &boot_info.reserved[i];
		if (start.raw < region->base.raw + region->size && region->base.raw < start.raw + size)
			return true;
	}
	return false;
}
