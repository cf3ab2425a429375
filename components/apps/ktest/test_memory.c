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
		0,
		1,
		TSS_PAGE_SIZE,
		TSS_USER_BASE - TSS_PAGE_SIZE,
		SPARE_AT + 1,
		SPARE_AT + 8,
		TSS_USER_END,
		TSS_USER_END - TSS_PAGE_SIZE,
		TSS_USER_END - 2 * TSS_PAGE_SIZE,
		1ull << 63,
		0xffff800000000000ull,
		0xffffffff80000000ull,
		~0ull,
		~0ull << 12,
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

/* Two units share memory; sealed, it stays where it is mapped and comes to no other place, and a revoke takes it back. */
static void test_sealed_memory_stays_as_it_is(void)
{
	struct child child = child_new(LOW, job_touch, SPARE_AT, 0);
	cap_t shared = new_memory(2), spare = derive(shared, RW), watch = child_watch(&child, 1);
	struct tss_request request;
	uint64_t value;
	CHECK_OK(tss_unit_map(SELF, shared, SPARE_AT, RW));
	CHECK_OK(tss_unit_install(child.unit, CHILD_FIRST, shared, TSS_RIGHT_READ | TSS_RIGHT_GRANT, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_map(child.unit, CHILD_FIRST, SPARE_AT, TSS_RIGHT_READ));
	CHECK(tss_memory_seal(spare), E(RIGHTS, 1));
	CHECK_OK(tss_memory_seal(shared));
	CHECK_OK(tss_memory_seal(shared));
	CHECK(tss_unit_map(SELF, spare, SPARE_AT + 4 * TSS_PAGE_SIZE, RW), E(BUSY, 2));
	CHECK(tss_unit_unmap(SELF, shared), E(BUSY, 2));
	CHECK(tss_unit_unmap(child.unit, CHILD_FIRST), E(BUSY, 2));
	CHECK(tss_capability_derive(shared, TSS_RIGHT_READ, &value), E(BUSY, 1));
	CHECK(tss_memory_slice(shared, 0, 1, &value), E(BUSY, 1));
	CHECK(tss_unit_install(child.unit, CHILD_FIRST + 1, shared, TSS_RIGHT_READ, TSS_INSTALL_COPY), E(BUSY, 3));
	words_at(SPARE_AT)[0] = 11;
	child_go(&child);
	CHECK(receive(watch, &request, 3000), E(TIMEOUT, 0));
	CHECK_OK(tss_capability_revoke(shared));
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[1], SPARE_AT);
	CHECK(tss_capability_derive(shared, TSS_RIGHT_READ, &value), E(BUSY, 1));
	CHECK(words_at(SPARE_AT)[0], 11);
}

/* A sealed capability is in no message either, not even where one is handed over at once. */
static void test_sealed_memory_is_not_sent(void)
{
	cap_t port = new_port(1), memory = new_memory(1);
	static const uint64_t none[4];
	CHECK_OK(tss_memory_seal(memory));
	tss_ipc()->send_caps[0] = memory;
	CHECK(tss_connection_send(new_connection(port, 1), TSS_TAG(1, 0, 1), none), E(BUSY, 2));
}

/*
 * 2 MiB in a row at an address that fits are one entry: a table less than page by page. Its pages are those of the object
 * all the same, and what is mapped there is in the way of others.
 */
static void test_large_pages(void)
{
	const uint64_t large = 0x520040000000ull, small = 0x530040000000ull, pages = 512;
	cap_t memory = new_memory(pages), other = new_memory(1);
	uint64_t slice = 0, before = usage_now().pages, wrong = 1;
	CHECK_OK(tss_unit_map(SELF, memory, large, RW));
	CHECK(usage_now().pages, before + 2);
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, 0, &wrong)); /* each page leads to its own frame */
	CHECK(wrong, 0);
	for (uint64_t i = 0; i < pages; i++) {
		CHECK(words_at(large)[i * 512], 0);
		words_at(large)[i * 512] = i + 1;
	}
	CHECK(tss_unit_map(SELF, other, large + 300 * TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	CHECK_OK(tss_memory_slice(memory, 300, 2, &slice));
	CHECK_OK(tss_unit_map(SELF, (cap_t)slice, SPARE_AT, RW));
	CHECK(words_at(SPARE_AT)[512], 302);
	CHECK_OK(tss_unit_unmap(SELF, memory));
	CHECK_OK(tss_unit_map(SELF, other, large + 300 * TSS_PAGE_SIZE, RW));
	CHECK(tss_unit_map(SELF, memory, large, RW), E(OCCUPIED, 3));
	before = usage_now().pages;
	CHECK_OK(tss_unit_map(SELF, memory, small + TSS_PAGE_SIZE, TSS_RIGHT_READ));
	CHECK(usage_now().pages, before + 4);
	for (uint64_t i = 0; i < pages; i++)
		CHECK(words_at(small + TSS_PAGE_SIZE)[i * 512], i + 1);
	spent(7, 0); /* the tables stay */
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
	TEST(large_pages),
	TEST(sealed_memory_stays_as_it_is),
	TEST(sealed_memory_is_not_sent),
	TEST(slice_has_no_more_rights),
	TEST(create_refusals),
	{0},
};
