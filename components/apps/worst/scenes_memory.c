/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes_memory.c - much memory, many capabilities to it, and who shares it. */
#include "scenes.h"

#define UNITS 40u
#define COPIES 500u
#define FIRST_SLOT 32u
#define PAGED_AT 0x0000007000000000ull
#define PAGED_PAGES 32768u
#define CONNECTIONS 60u
#define OTHERS 2000u
#define OURS 20u

static void map_and_unmap(cap_t memory, uint64_t address)
{
	tss_status_t status = tss_unit_map(SELF, memory, address, RW);
	if (status == TSS_OK)
		status = tss_unit_unmap(SELF, memory);
	if (status != TSS_OK)
		printf("worst: map at %lx: %lx\n", address, status);
}

/* Large pages want an address of whole 2 MiB; one page further the same memory takes 8192 entries and 17 tables. */
void scene_memory(void)
{
	uint64_t slice = 0;
	cap_t large = memory_of(SELF, LARGEST);
	map_and_unmap(large, MAP_AT);
	map_and_unmap(large, MAP_AT + TSS_PAGE_SIZE);
	(void)tss_unit_map(SELF, large, MAP_AT + TSS_PAGE_SIZE, RW);
	cap_t part = made(tss_memory_slice(large, 1, LARGEST - 1, &slice), &slice, "slice");
	(void)tss_unit_map(SELF, part, 2 * MAP_AT, RW);
	destroy(large);
	cap_t scattered = memory_of(SELF, LARGEST); /* of frames that were freed */
	map_and_unmap(scattered, MAP_AT);
	(void)tss_memory_seal(scattered);
	(void)tss_memory_template(memory_of(SELF, 1), TSS_SLOT_TEXT, 0, TSS_PAGE_SIZE);
	if (tss_memory_create(SELF, LARGEST, &slice) == TSS_OK)
		made(TSS_OK, &slice, "");
}

void scene_revoke(void)
{
	cap_t memory = memory_of(SELF, 512), units[UNITS];
	for (unsigned i = 0; i < UNITS; i++) {
		units[i] = unit_of(16, 64);
		give(units[i], FIRST_SLOT, memory, RW);
		(void)tss_unit_map(units[i], FIRST_SLOT, MAP_AT + TSS_PAGE_SIZE, RW);
	}
	for (unsigned i = 0; i < COPIES; i++)
		(void)copy_of(memory, RW | TSS_RIGHT_GRANT);
	while (TSS_CODE(tss_capability_revoke(memory)) == TSS_E_AGAIN)
		;
	cap_t top = port_of(SELF, 0);
	for (unsigned i = 0; i < COPIES; i++)
		(void)(i % 2 ? reply_of(top, SELF) : connection_of(top, SELF));
	while (TSS_CODE(tss_capability_revoke(top)) == TSS_E_AGAIN)
		;
}

/* Neither has got any from the other: all have to be looked at. */
void scene_mode(void)
{
	uint64_t empty = 0;
	cap_t other = unit_of(100, TSS_SLOTS_MAX), memory = memory_of(SELF, 1), first = TSS_CAP_NULL;
	cap_t unit = made(tss_unit_create(SELF, 100, 64, 0, 0, &empty), &empty, "unit"), port = port_of(unit, 8);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		first = connection_of(port, SELF);
	for (unsigned i = 0; i < OTHERS; i++)
		give(other, FIRST_SLOT + i, memory, RW);
	for (unsigned i = 0; i < OURS; i++)
		(void)copy_of(memory, RW | TSS_RIGHT_GRANT);
	(void)tss_connection_declare(first, TSS_METHODS_ANY, 0, 0, 0);
	if (tss_capability_set_mode(first, 1) != TSS_OK || tss_capability_set_mode(port, 1) != TSS_OK)
		printf("worst: not HARDENED\n");
	give(unit, FIRST_SLOT, memory, RW);
	if (TSS_CODE(tss_capability_set_mode(port, 2)) != TSS_E_BUSY)
		printf("worst: PARANOID, though memory is shared\n");
}

/* One page in each of its tables; then the region goes. */
void scene_pager(void)
{
	struct tss_request request;
	cap_t port = port_of(SELF, 0), connection = connection_of(port, SELF), memory = memory_of(SELF, 1);
	(void)reply_of(port, SELF);
	(void)tss_unit_pager(SELF, connection, PAGED_AT, PAGED_PAGES);
	for (uint64_t i = 0; i < PAGED_PAGES / 64; i++) {
		uint64_t at = PAGED_AT + i * 64 * TSS_PAGE_SIZE;
		(void)thread_of(SELF, PATIENT, (struct step){STEP_TOUCH, {at}}, DO(self_exit, 0), NOTHING);
		if (tss_port_receive(port, &request, FOREVER) != TSS_OK)
			break;
		tss_ipc()->send_caps[0] = memory;
		const uint64_t words[4] = {at, RW};
		(void)tss_reply_send(request.reply, TSS_TAG(TSS_FAULT_RESUME, 16, 1), words);
		pause_us(100);
	}
	while (TSS_CODE(tss_unit_pager(SELF, TSS_CAP_NULL, PAGED_AT, 0)) == TSS_E_AGAIN)
		;
}
