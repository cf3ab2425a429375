/* SPDX-License-Identifier: BSD-2-Clause */
/* test_dma.c - memory in a row and where it lies, messages that interrupt, strings of port accesses. */
#include "ktest.h"

#define IN_A_ROW TSS_MEMORY_IN_A_ROW

static cap_t new_run(uint64_t pages)
{
	uint64_t value = 0;
	CHECK_OK(tss_memory_create(SELF, pages | IN_A_ROW, &value));
	return own((cap_t)value);
}

static uint64_t address_of(cap_t memory, uint64_t page)
{
	uint64_t value = 0;
	CHECK_OK(tss_memory_address(SYSTEM, memory, page, &value));
	return value;
}

static void test_memory_in_a_row(void)
{
	uint64_t slice = 0;
	cap_t memory = new_run(40), two = new_run(2);
	for (uint64_t page = 1; page < 40; page++)
		CHECK(address_of(memory, page), address_of(memory, 0) + page * TSS_PAGE_SIZE);
	CHECK(address_of(two, 1), address_of(two, 0) + TSS_PAGE_SIZE);
	CHECK_TRUE(address_of(two, 0) >= address_of(memory, 39) || address_of(two, 1) < address_of(memory, 0));
	CHECK_OK(tss_memory_slice(memory, 7, 3, &slice));
	CHECK(address_of(own((cap_t)slice), 2), address_of(memory, 9));
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	for (uint64_t page = 0; page < 40; page++)
		CHECK(*(volatile uint64_t *)(SPARE_AT + page * TSS_PAGE_SIZE), 0);
	*(volatile uint64_t *)(SPARE_AT + 9 * TSS_PAGE_SIZE) = 77;
	CHECK_OK(tss_unit_unmap(SELF, memory));
	CHECK_OK(tss_unit_map(SELF, (cap_t)slice, SPARE_AT, TSS_RIGHT_READ));
	CHECK(*(volatile uint64_t *)(SPARE_AT + 2 * TSS_PAGE_SIZE), 77);
}

/* What is given back is frames like any others: they are counted (check_usage), and handed out again one by one. */
static void test_memory_in_a_row_is_paid(void)
{
	uint64_t value = 0;
	struct usage before = usage_now();
	cap_t memory = new_run(300);
	CHECK(usage_now().pages - before.pages, 300);
	CHECK_OK(destroy(memory));
	CHECK(usage_now().pages, before.pages);
	CHECK(tss_memory_create(SELF, IN_A_ROW, &value), E(ARGUMENT, 2));
	CHECK(tss_memory_create(SELF, IN_A_ROW | 8193, &value), E(ARGUMENT, 2));
	CHECK(tss_memory_create(SELF, IN_A_ROW | 1ull << 62, &value), E(ARGUMENT, 2));
	CHECK(tss_memory_create(SELF, IN_A_ROW | 8192, &value), E(MEMORY, 2)); /* more than the budget */
}

static void test_addresses_of_memory(void)
{
	uint64_t value = 0, device = 0;
	cap_t memory = new_memory(3);
	CHECK(address_of(memory, 2) % TSS_PAGE_SIZE, 0);
	CHECK_TRUE(address_of(memory, 2) != address_of(memory, 1));
	CHECK(tss_memory_address(SYSTEM, memory, 3, &value), E(ARGUMENT, 3));
	CHECK(tss_memory_address(SYSTEM, memory, ~0ull, &value), E(ARGUMENT, 3));
	CHECK(tss_memory_address(SYSTEM, derive(memory, TSS_RIGHT_WRITE), 0, &value), E(RIGHTS, 2));
	CHECK(tss_memory_address(memory, memory, 0, &value), E(TYPE, 1));
	CHECK_OK(tss_memory_device(SYSTEM, 0xb8000, 2, &device));
	CHECK(address_of(own((cap_t)device), 1), 0xb9000);
}

static tss_status_t message_irq(uint64_t n, cap_t *cap)
{
	uint64_t value = 0;
	tss_status_t status = tss_irq_create(SYSTEM, TSS_IRQ_MESSAGES + n, &value);
	*cap = status == TSS_OK ? own((cap_t)value) : TSS_CAP_NULL;
	return status;
}

/* SDM 3A 10.11: 0xfee in the upper bits of the address, a vector above those of exceptions in the lowest of the data. */
static void test_messages(void)
{
	uint64_t first = 0, second = 0, line = 0, value = 0;
	cap_t one, two, event = new_event();
	CHECK_OK(message_irq(0, &one));
	CHECK_OK(message_irq(1, &two));
	CHECK_OK(tss_irq_message(SYSTEM, one, &first));
	CHECK_OK(tss_irq_message(SYSTEM, two, &second));
	CHECK(first >> 52, 0xfee);
	CHECK(first >> 32, second >> 32);
	CHECK((uint32_t)second, (uint32_t)first + 1);
	CHECK_TRUE((uint32_t)first >= 32 + 64 && (uint32_t)second < 0xe0);
	CHECK(tss_irq_ack(one), E(BUSY, 1));
	CHECK_OK(tss_irq_bind(one, event, 1));
	CHECK(tss_irq_bind(one, event, 1), E(BUSY, 1));
	CHECK_OK(tss_irq_ack(one));
	CHECK_OK(tss_irq_bind(one, event, 0));
	CHECK(tss_irq_ack(one), E(BUSY, 1));
	CHECK_OK(tss_irq_bind(one, event, 1));
	CHECK(tss_irq_message(SYSTEM, derive(one, TSS_RIGHT_GRANT), &value), E(RIGHTS, 2));
	CHECK_OK(tss_irq_create(SYSTEM, 7, &line));
	CHECK(tss_irq_message(SYSTEM, own((cap_t)line), &value), E(ARGUMENT, 2));
	CHECK_OK(destroy(one));
	CHECK_OK(message_irq(0, &one));
	CHECK_OK(tss_irq_message(SYSTEM, one, &value));
	CHECK(value, first);
}

static void test_all_messages(void)
{
	cap_t cap;
	for (unsigned i = 0; i < 64; i++)
		CHECK_OK(message_irq(i, &cap));
	CHECK(message_irq(63, &cap), E(OCCUPIED, 2));
	CHECK(message_irq(64, &cap), E(ARGUMENT, 2));
}

/* COM1's interrupt again, as in test_device.c: after unbind it sets nothing, and the line can be bound anew. */
static void test_unbound_lines_are_silent(void)
{
	cap_t event = new_event();
	uint64_t value = 0, bits = 0;
	CHECK_OK(tss_irq_create(SYSTEM, 4, &value));
	cap_t line = own((cap_t)value);
	CHECK_OK(tss_irq_bind(line, event, 1));
	CHECK_OK(tss_irq_bind(line, event, 0));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 4, 1, 0x0b));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 2));
	CHECK(tss_event_wait(event, 2000, &bits), E(TIMEOUT, 0));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 0));
	CHECK_OK(tss_irq_bind(line, event, 2));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 2));
	CHECK_OK(tss_event_wait(event, SECOND, &bits));
	CHECK(bits, 2);
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 0));
}

/* The scratch register of COM1's 16550 keeps what was written last. */
static void test_strings_of_ports(void)
{
	uint64_t value = 0;
	struct tss_ipc_page *page = tss_ipc();
	memcpy(page->send, "abcdefgh", 8);
	memset(page->recv, 0x11, sizeof(page->recv));
	CHECK_OK(tss_ioport_output(SLOT_REGS, 7, 1, 6));
	CHECK_OK(tss_ioport_read(SLOT_REGS, 7, 1, &value));
	CHECK(value, 'f');
	CHECK_OK(tss_ioport_input(SLOT_REGS, 7, 1, 3));
	CHECK(memcmp(page->recv, "fff\x11", 4), 0);
	CHECK_OK(tss_ioport_input(SLOT_REGS, 7, 1, 256));
	CHECK(((const uint8_t *)page->recv)[255], 'f');
	CHECK(tss_ioport_input(SLOT_REGS, 7, 1, 257), E(ARGUMENT, 4));
	CHECK(tss_ioport_input(SLOT_REGS, 0, 4, 65), E(ARGUMENT, 4));
	CHECK(tss_ioport_input(SLOT_REGS, 0, 4, ~0ull), E(ARGUMENT, 4));
	CHECK(tss_ioport_output(SLOT_REGS, 7, 1, 0), E(ARGUMENT, 4));
	CHECK(tss_ioport_input(SLOT_REGS, 7, 2, 1), E(ARGUMENT, 2));
	CHECK(tss_ioport_output(SLOT_REGS, 8, 1, 1), E(ARGUMENT, 2));
	CHECK(tss_ioport_output(SLOT_REGS, 7, 3, 1), E(ARGUMENT, 3));
	CHECK(tss_ioport_input(SLOT_REGS, 7, 0, 1), E(ARGUMENT, 3));
	cap_t port;
	CHECK_OK(tss_ioport_create(SYSTEM, 0x5000, 8, &value));
	port = own((cap_t)value);
	CHECK_OK(tss_ioport_input(port, 2, 2, 2));
	CHECK(memcmp(page->recv,
		     "\xff\xff\xff\xff"
		     "ff",
		     6),
	      0);
	CHECK(tss_ioport_output(derive(port, TSS_RIGHT_READ), 0, 1, 1), E(RIGHTS, 1));
	CHECK(tss_ioport_input(derive(port, TSS_RIGHT_WRITE), 0, 1, 1), E(RIGHTS, 1));
}

const struct test dma_tests[] = {
	TEST(memory_in_a_row), TEST(memory_in_a_row_is_paid),  TEST(addresses_of_memory), TEST(messages),
	TEST(all_messages),    TEST(unbound_lines_are_silent), TEST(strings_of_ports),    {0},
};
