/* SPDX-License-Identifier: BSD-2-Clause */
/* test_memory.c - memory objects: zeroed, mapped whole and once a capability, never writable and executable, sliced. */
#include "ktest.h"

#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)
#define RX (TSS_RIGHT_READ | TSS_RIGHT_EXECUTE)
#define ALL (RW | TSS_RIGHT_EXECUTE | TSS_RIGHT_GRANT)

static uint64_t *words_at(uint64_t address)
{
	return (uint64_t *)address;
}

static void test_map_write_unmap(void)
{
	cap_t memory = new_memory(3);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, RW));
	for (unsigned i = 0; i < 3 * 512; i++)
		CHECK(words_at(SPARE_AT)[i], 0);
	memset(words_at(SPARE_AT), 0x5a, 3 * TSS_PAGE_SIZE);
	CHECK(tss_unit_map(SELF, memory, SPARE_AT + 4 * TSS_PAGE_SIZE, RW), E(BUSY, 2));
	CHECK_OK(tss_unit_unmap(SELF, memory));
	CHECK(tss_unit_unmap(SELF, memory), E(ARGUMENT, 2));
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT + TSS_PAGE_SIZE, TSS_RIGHT_READ));
	CHECK(words_at(SPARE_AT + TSS_PAGE_SIZE)[3 * 512 - 1], 0x5a5a5a5a5a5a5a5aull);
}

static void test_frames_come_back_zeroed(void)
{
	for (unsigned round = 0; round < 3; round++) {
		cap_t memory = new_memory(20);
		CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, RW));
		for (unsigned i = 0; i < 20 * 512; i++)
			CHECK(words_at(SPARE_AT)[i], 0);
		memset(words_at(SPARE_AT), 0xff, 20 * TSS_PAGE_SIZE);
		CHECK_OK(destroy(memory));
	}
}

static void test_overlaps(void)
{
	cap_t memory = new_memory(4), other = new_memory(3);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT + 4 * TSS_PAGE_SIZE, RW));
	CHECK(tss_unit_map(SELF, other, SPARE_AT + 2 * TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	CHECK(tss_unit_map(SELF, other, SPARE_AT + 7 * TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	CHECK(tss_unit_map(SELF, other, SPARE_AT + 5 * TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	CHECK_OK(tss_unit_map(SELF, other, SPARE_AT + TSS_PAGE_SIZE, RW));
	CHECK_OK(tss_unit_unmap(SELF, other));
	CHECK_OK(tss_unit_map(SELF, other, SPARE_AT + 8 * TSS_PAGE_SIZE, RW));
	CHECK(tss_unit_map(SELF, new_memory(1), IPC_BASE + TSS_PAGE_SIZE * 2 * WORKERS, RW), TSS_OK);
	CHECK(tss_unit_map(SELF, new_memory(1), TSS_LAYOUT_IPC_PAGE, RW), E(OCCUPIED, 3));
	CHECK(tss_unit_map(SELF, new_memory(1), TSS_LAYOUT_IMAGE, RW), E(OCCUPIED, 3));
}

static void test_addresses(void)
{
	static const uint64_t bad[] = {
		0, 1, TSS_PAGE_SIZE, TSS_USER_BASE - TSS_PAGE_SIZE, SPARE_AT + 1, SPARE_AT + 8, TSS_USER_END,
		TSS_USER_END - TSS_PAGE_SIZE, TSS_USER_END - 2 * TSS_PAGE_SIZE, 1ull << 63, 0xffff800000000000ull,
		0xffffffff80000000ull, ~0ull, ~0ull << 12,
	};
	cap_t memory = new_memory(2);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(tss_unit_map(SELF, memory, bad[i], RW), E(ARGUMENT, 3));
}

static void test_write_or_execute(void)
{
	cap_t memory = new_memory(1);
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, RW | TSS_RIGHT_EXECUTE), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, 0), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_WRITE), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_EXECUTE), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, RW | TSS_RIGHT_GRANT), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, 1ull << 63 | RW), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, 1ull << 32 | RW), E(ARGUMENT, 4));
	CHECK(tss_unit_map(SELF, derive(memory, RX), SPARE_AT, RW), E(RIGHTS, 2));
	CHECK(tss_unit_map(SELF, derive(memory, RW), SPARE_AT, RX), E(RIGHTS, 2));
	CHECK(tss_unit_map(SELF, derive(memory, TSS_RIGHT_WRITE), SPARE_AT, RW), E(RIGHTS, 2));
}

/* Code written through one capability runs through another. */
static void test_code_through_two_capabilities(void)
{
	static const uint8_t code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
	cap_t memory = new_memory(1), copy = derive(memory, ALL);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, RW));
	CHECK_OK(tss_unit_map(SELF, copy, SPARE_AT + TSS_PAGE_SIZE, RX));
	memcpy(words_at(SPARE_AT), code, sizeof(code));
	CHECK(((int (*)(void))(SPARE_AT + TSS_PAGE_SIZE))(), 42);
}

static volatile bool touching;
static void job_touch(struct worker *self)
{
	self->got[0] = *words_at(self->a);
	touching = true;
	for (;;)
		self->got[0] += *(volatile uint64_t *)words_at(self->a);
}

/* Revoking takes the page away under a thread that uses it: the next access faults. Seen from a child. */
static void test_revoke_unmaps(void)
{
	struct child child = child_new(LOW, job_touch, SPARE_AT, 0);
	cap_t memory = new_memory(1), watch = child_watch(&child, 1);
	struct tss_request request;
	CHECK_OK(tss_unit_install(child.unit, CHILD_FIRST, memory, TSS_RIGHT_READ, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_map(child.unit, CHILD_FIRST, SPARE_AT, TSS_RIGHT_READ));
	child_go(&child);
	CHECK(receive(watch, &request, 3000), E(TIMEOUT, 0));
	CHECK_OK(tss_capability_revoke(memory));
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_READ);
	CHECK(request.words[1], SPARE_AT);
}

static void test_slices(void)
{
	cap_t memory = new_memory(600), last;
	uint64_t slice = 0, part = 0;
	CHECK_OK(tss_memory_slice(memory, 510, 5, &slice));
	CHECK_OK(tss_memory_slice((cap_t)slice, 1, 2, &part));
	last = own((cap_t)slice);
	CHECK_OK(tss_unit_map(SELF, (cap_t)slice, SPARE_AT, RW));
	CHECK_OK(tss_unit_map(SELF, (cap_t)part, SPARE_AT + 8 * TSS_PAGE_SIZE, RW));
	for (unsigned i = 0; i < 5; i++)
		words_at(SPARE_AT)[i * 512] = 100 + i;
	CHECK(words_at(SPARE_AT + 8 * TSS_PAGE_SIZE)[0], 101);
	CHECK(words_at(SPARE_AT + 9 * TSS_PAGE_SIZE)[0], 102);
	CHECK(tss_memory_slice(memory, 600, 1, &slice), E(ARGUMENT, 2));
	CHECK(tss_memory_slice(memory, 1ull << 63, 1, &slice), E(ARGUMENT, 2));
	CHECK(tss_memory_slice(memory, 599, 2, &slice), E(ARGUMENT, 3));
	CHECK(tss_memory_slice(memory, 0, 0, &slice), E(ARGUMENT, 3));
	CHECK(tss_memory_slice(memory, 1, ~0ull, &slice), E(ARGUMENT, 3));
	CHECK(tss_memory_slice(memory, 0, 1ull << 52, &slice), E(ARGUMENT, 3));
	CHECK_OK(destroy(memory));
	CHECK(tss_unit_unmap(SELF, last), E(CAPABILITY, 2));
	CHECK_OK(tss_unit_map(SELF, new_memory(10), SPARE_AT, RW));
}

static void test_slice_has_no_more_rights(void)
{
	cap_t memory = derive(new_memory(4), TSS_RIGHT_READ | TSS_RIGHT_GRANT);
	uint64_t slice = 0, what = 0;
	CHECK_OK(tss_memory_slice(memory, 0, 4, &slice));
	CHECK_OK(tss_capability_inspect((cap_t)slice, &what));
	CHECK(what, TSS_TYPE_MEMORY | (TSS_RIGHT_READ | TSS_RIGHT_GRANT) << 8 | 2 << 24);
	CHECK(tss_unit_map(SELF, (cap_t)slice, SPARE_AT, RW), E(RIGHTS, 2));
	CHECK(tss_memory_slice(derive(memory, TSS_RIGHT_READ), 0, 1, &slice), E(RIGHTS, 1));
}

static void test_create_refusals(void)
{
	static const uint64_t bad[] = {0, 8193, 1ull << 52, 1ull << 63, ~0ull};
	uint64_t value;
	for (unsigned i = 0; i < 5; i++)
		CHECK(tss_memory_create(SELF, bad[i], &value), E(ARGUMENT, 2));
	CHECK(tss_memory_create(SELF, 8192, &value), E(MEMORY, 2));
}

const struct test memory_tests[] = {
	TEST(map_write_unmap),
	TEST(frames_come_back_zeroed),
	TEST(overlaps),
	TEST(addresses),
	TEST(write_or_execute),
	TEST(code_through_two_capabilities),
	TEST(revoke_unmaps),
	TEST(slices),
	TEST(slice_has_no_more_rights),
	TEST(create_refusals),
	{0},
};
