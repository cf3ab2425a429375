/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/lib/src/buffer.c
/* test_buffer.c - which pages are mapped, what is undone when a call fails, and copies from pages that are not there. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <tessera/buffer.h>
#include <ucontext.h>
#include "../lib/tap.h"

#define PAGE TSS_PAGE_SIZE
#define SLICE 77u

static struct {
	uint64_t first, pages, address, protection, slices, maps;
	tss_status_t slice_fails, map_fails;
	unsigned again, deleted[100]; /* by handle; `again` times it is not over yet */
} kernel;

tss_status_t tss_memory_slice(cap_t memory, uint64_t first_page, uint64_t pages, uint64_t *value)
{
	CHECK(memory == 5);
	kernel.first = first_page;
	kernel.pages = pages;
	kernel.slices++;
	if (kernel.slice_fails == TSS_OK)
		*value = SLICE;
	return kernel.slice_fails;
}

tss_status_t tss_unit_map(cap_t unit, cap_t memory, uint64_t address, uint64_t protection)
{
	CHECK(unit == 3 && memory == SLICE);
	kernel.address = address;
	kernel.protection = protection;
	kernel.maps++;
	return kernel.map_fails;
}

tss_status_t tss_capability_delete(cap_t cap)
{
	if (kernel.again > 0)
		return kernel.again--, TSS_STATUS(TSS_E_AGAIN, 1);
	kernel.deleted[cap]++;
	return TSS_OK;
}

static tss_status_t map(uint64_t offset, uint64_t size, struct tss_view *view)
{
	const struct tss_buffer buffer = {5, offset, size};
	return tss_buffer_map(3, &buffer, (void *)0x7000, TSS_RIGHT_READ, view);
}

static void test_exactly_its_pages(void)
{
	static const struct {
		uint64_t offset, size, first, pages;
	} rows[] = {{0, 1, 0, 1},
		    {0, PAGE, 0, 1},
		    {0, PAGE + 1, 0, 2},
		    {2 * PAGE, 3 * PAGE, 2, 3},
		    {1ull << 62, 65535, 1ull << 50, 16},
		    {0, UINT64_MAX, 0, 1ull << 52}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tss_view view;
		memset(&kernel, 0, sizeof(kernel));
		CHECK(map(rows[i].offset, rows[i].size, &view) == TSS_OK);
		CHECK(kernel.first == rows[i].first && kernel.pages == rows[i].pages);
		CHECK(kernel.address == 0x7000 && kernel.protection == TSS_RIGHT_READ);
		CHECK(view.slice == SLICE && view.at == (void *)0x7000 && view.size == rows[i].size);
		kernel.again = 3;
		tss_buffer_unmap(&view);
		tss_buffer_unmap(&view);
		CHECK(kernel.again == 0 && kernel.deleted[SLICE] == 1 && view.slice == TSS_CAP_NULL);
	}
}

static void test_what_fails_leaves_nothing(void)
{
	struct tss_view view;
	memset(&kernel, 0, sizeof(kernel));
	CHECK(map(8, PAGE, &view) == TSS_STATUS(TSS_E_ARGUMENT, 1) && view.slice == TSS_CAP_NULL && kernel.slices == 0);
	kernel.slice_fails = TSS_STATUS(TSS_E_ARGUMENT, 3);
	CHECK(map(0, PAGE, &view) == kernel.slice_fails && view.slice == TSS_CAP_NULL && kernel.maps == 0);
	tss_buffer_unmap(&view);
	kernel.slice_fails = TSS_OK;
	CHECK(kernel.deleted[SLICE] == 0 && kernel.deleted[TSS_CAP_NULL] == 0);
	kernel.map_fails = TSS_STATUS(TSS_E_OCCUPIED, 3);
	kernel.again = 2;
	CHECK(map(0, PAGE, &view) == kernel.map_fails && view.slice == TSS_CAP_NULL && kernel.deleted[SLICE] == 1);
}

static void test_what_came_is_given_up(void)
{
	const struct tss_buffer buffer = {5, 0, PAGE};
	memset(&kernel, 0, sizeof(kernel));
	kernel.again = 2;
	tss_buffer_drop(&buffer);
	CHECK(kernel.deleted[5] == 1 && kernel.again == 0);
}

static void test_inside_the_view(void)
{
	static const struct {
		uint64_t offset, size;
		bool inside;
	} rows[] = {{0, 64, true},  {0, 65, false}, {63, 1, true},          {64, 0, true},
		    {64, 1, false}, {65, 0, false}, {1, UINT64_MAX, false}, {UINT64_MAX, 1, false}};
	uint8_t memory[66], own[66];
	const struct tss_view view = {.slice = SLICE, .at = memory + 1, .size = 64};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		tss_status_t wanted = rows[i].inside ? TSS_OK : TSS_STATUS(TSS_E_ARGUMENT, 2);
		for (size_t byte = 0; byte < sizeof(memory); byte++) {
			memory[byte] = (uint8_t)byte;
			own[byte] = 0xee;
		}
		CHECK(tss_view_read(&view, rows[i].offset, own, rows[i].size) == wanted);
		for (size_t byte = 0; byte < sizeof(own); byte++)
			CHECK(own[byte] ==
			      (wanted == TSS_OK && byte < rows[i].size ? rows[i].offset + byte + 1 : 0xee));
		memset(own, 0xdd, sizeof(own));
		CHECK(tss_view_write(&view, rows[i].offset, own, rows[i].size) == wanted);
		for (size_t byte = 0; byte < sizeof(memory); byte++) {
			bool meant = wanted == TSS_OK && byte > rows[i].offset && byte <= rows[i].offset + rows[i].size;
			CHECK(memory[byte] == (meant ? 0xdd : byte));
		}
	}
}

static unsigned given_up;

/* What the kernel does with a fault of a thread that has tss_view_fault as its handler. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct tss_fault_record record = {.kind = TSS_FAULT_READ, .ip = (uint64_t)regs[REG_RIP]};
	(void)number, (void)info;
	if (tss_view_fault(&record) == TSS_FAULT_RESUME) {
		regs[REG_RIP] = (greg_t)record.ip;
		return;
	}
	given_up++;
	regs[REG_RIP] += 2; /* over the instruction of `elsewhere` */
}

/* movb (%rax), %al: two bytes */
static void elsewhere(const void *at)
{
	uint64_t address = (uint64_t)at;
	asm volatile("movb (%%rax), %%al" : "+a"(address) : : "memory");
}

static void test_pages_that_are_not_there(void)
{
	const struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	uint8_t own[2 * PAGE];
	uint8_t *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct tss_view view = {.slice = SLICE, .at = at, .size = 3 * PAGE};
	sigaction(SIGSEGV, &fault, NULL);
	memset(at, 0x11, 3 * PAGE);
	memset(own, 0x22, sizeof(own));
	mprotect(at + PAGE, PAGE, PROT_READ);
	mprotect(at + 2 * PAGE, PAGE, PROT_NONE);
	CHECK(tss_view_read(&view, 0, own, 2 * PAGE) == TSS_OK && own[2 * PAGE - 1] == 0x11);
	memset(own, 0x22, sizeof(own));
	CHECK(tss_view_read(&view, 2 * PAGE - 8, own, 9) == TSS_STATUS(TSS_E_GONE, 1));
	CHECK(own[7] == 0x11 && own[8] == 0x22);
	CHECK(tss_view_read(&view, 2 * PAGE, own, 1) == TSS_STATUS(TSS_E_GONE, 1));
	CHECK(tss_view_write(&view, PAGE - 8, own, 9) == TSS_STATUS(TSS_E_GONE, 1));
	CHECK(at[PAGE - 1] == 0x11 && at[PAGE - 8] == 0x11 && at[PAGE] == 0x11);
	CHECK(tss_view_write(&view, 0, own + 8, PAGE) == TSS_OK && at[0] == 0x22 && given_up == 0);
	elsewhere(at + 2 * PAGE);
	CHECK(given_up == 1);
}

int main(void)
{
	RUN(test_exactly_its_pages);
	RUN(test_what_fails_leaves_nothing);
	RUN(test_what_came_is_given_up);
	RUN(test_inside_the_view);
	RUN(test_pages_that_are_not_there);
	return tap_end();
}
