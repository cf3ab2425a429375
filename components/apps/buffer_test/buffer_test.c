/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_test.c - areas of memory to share, and the end of the tests. */
#include <interfaces/log.h>
#include "buffer_test.h"

#define AREA ((uint8_t *)0x0000005000000000ull)

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static unsigned checked, failed;

void check(bool good, const char *what, int line)
{
	checked++;
	if (good)
		return;
	failed++;
	printf("not so in line %d: %s\n", line, what);
}

void remove_all(cap_t cap)
{
	while (TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

struct area make_area(uint64_t rights)
{
	uint64_t memory = 0, shared = 0;
	struct area area = {.at = AREA};
	CHECK(tss_memory_create(TSS_SLOT_UNIT, PAGES, &memory) == TSS_OK);
	CHECK(tss_capability_derive((cap_t)memory, rights, &shared) == TSS_OK);
	CHECK(tss_unit_map(TSS_SLOT_UNIT, (cap_t)memory, (uint64_t)AREA, TSS_RIGHT_READ | TSS_RIGHT_WRITE) == TSS_OK);
	for (uint64_t i = 0; i < AREA_SIZE; i++)
		area.at[i] = (uint8_t)(i * 7);
	area.memory = (cap_t)memory;
	area.shared = (cap_t)shared;
	return area;
}

void end_area(struct area *area)
{
	remove_all(area->memory);
}

uint64_t sum_of(const struct area *area, uint64_t offset, uint64_t size)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < size; i++)
		sum += area->at[offset + i];
	return sum;
}

/* Ends while the server reads; its next life asks what became of that. */
static int leave(void)
{
	uint64_t sum, ready = 0, go = 0, bits;
	struct area area = make_area(READS);
	const struct tss_buffer data = {area.shared, 0, AREA_SIZE};
	tss_status_t status = digest_outcome(SLOT_DIGEST, &sum, TSS_INFINITE);
	if (status != DIGEST_ERROR_NONE) {
		printf("what was read of an earlier life: %s\n", status == TSS_OK              ? "all"
								 : status == DIGEST_ERROR_GONE ? "gone"
											       : "wrong");
		return 0;
	}
	CHECK(tss_event_create(TSS_SLOT_UNIT, &ready) == TSS_OK && tss_event_create(TSS_SLOT_UNIT, &go) == TSS_OK);
	CHECK(digest_watch_send(SLOT_DIGEST, &data, DIGEST_MOMENT_WHILE_READING, (cap_t)ready, (cap_t)go) == TSS_OK);
	CHECK(tss_event_wait((cap_t)ready, TSS_INFINITE, &bits) == TSS_OK);
	return 1;
}

int main(void)
{
	if (PARAMETERS->leaves)
		return leave();
	test_well();
	test_hostile();
	printf("%u checks, %u failed\n", checked, failed);
	return 0;
}
