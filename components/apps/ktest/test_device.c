/* SPDX-License-Identifier: BSD-2-Clause */
/* test_device.c - I/O ports, interrupt lines, device memory: nobody gets twice what is there once, or what the kernel has. */
#include "ktest.h"

static tss_status_t ioport(uint64_t base, uint64_t count)
{
	uint64_t value = 0;
	tss_status_t status = tss_ioport_create(SYSTEM, base, count, &value);
	if (status == TSS_OK)
		own((cap_t)value);
	return status;
}

static void test_kernels_own_ports(void)
{
	static const uint16_t own_ports[] = {0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x61, 0xa0, 0xa1};
	for (unsigned i = 0; i < sizeof(own_ports) / sizeof(own_ports[0]); i++)
		CHECK(ioport(own_ports[i], 1), E(OCCUPIED, 2));
	CHECK(ioport(0, 0x10000), E(OCCUPIED, 2));
	CHECK(ioport(0x1f, 2), E(OCCUPIED, 2));
	CHECK(ioport(0x3f, 2), E(OCCUPIED, 2));
	CHECK(ioport(0xa1, 2), E(OCCUPIED, 2));
	static const uint16_t others[] = {0x1f, 0x22, 0x3f, 0x44, 0x60, 0x62, 0x64, 0x9f, 0xa2, 0xf4, 0xcf8};
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK_OK(ioport(others[i], 1));
}

static void test_port_ranges(void)
{
	CHECK(ioport(0x10000, 1), E(ARGUMENT, 2));
	CHECK(ioport(1ull << 63, 1), E(ARGUMENT, 2));
	CHECK(ioport(~0ull, 1), E(ARGUMENT, 2));
	CHECK(ioport(0x5000, 0), E(ARGUMENT, 3));
	CHECK(ioport(0xffff, 2), E(ARGUMENT, 3));
	CHECK(ioport(0x5000, 0xb001), E(ARGUMENT, 3));
	CHECK(ioport(0x5000, ~0ull), E(ARGUMENT, 3));
	CHECK(ioport(0x3f8, 1), E(OCCUPIED, 2));
	CHECK(ioport(0x3f0, 9), E(OCCUPIED, 2));
	CHECK_OK(ioport(0x5000, 0x10));
	CHECK(ioport(0x500f, 1), E(OCCUPIED, 2));
	CHECK_OK(ioport(0x5010, 1));
	CHECK_OK(ioport(0xffff, 1));
}

static void test_port_access(void)
{
	uint64_t range = 0, value = 0;
	CHECK_OK(tss_ioport_create(SYSTEM, 0x5000, 6, &range));
	cap_t port = own((cap_t)range);
	CHECK_OK(tss_ioport_read(port, 0, 1, &value));
	CHECK(value, 0xff);
	CHECK_OK(tss_ioport_read(port, 4, 2, &value));
	CHECK(value, 0xffff);
	CHECK_OK(tss_ioport_read(port, 2, 4, &value));
	CHECK(tss_ioport_read(port, 3, 4, &value), E(ARGUMENT, 2));
	CHECK(tss_ioport_read(port, 6, 1, &value), E(ARGUMENT, 2));
	CHECK(tss_ioport_read(port, ~0ull, 1, &value), E(ARGUMENT, 2));
	CHECK(tss_ioport_read(port, 1ull << 63, 1, &value), E(ARGUMENT, 2));
	static const uint64_t widths[] = {0, 3, 5, 8, 1ull << 32 | 1, ~0ull};
	for (unsigned i = 0; i < 6; i++) {
		CHECK(tss_ioport_read(port, 0, widths[i], &value), E(ARGUMENT, 3));
		CHECK(tss_ioport_write(port, 0, widths[i], 0), E(ARGUMENT, 3));
	}
	CHECK(tss_ioport_write(port, 6, 1, 0), E(ARGUMENT, 2));
	CHECK_OK(tss_ioport_write(port, 5, 1, ~0ull));
	CHECK(tss_ioport_write(derive(port, TSS_RIGHT_READ), 0, 1, 0), E(RIGHTS, 1));
	CHECK(tss_ioport_read(derive(port, TSS_RIGHT_WRITE), 0, 1, &value), E(RIGHTS, 1));
}

static tss_status_t irq(uint64_t line, cap_t *cap)
{
	uint64_t value = 0;
	tss_status_t status = tss_irq_create(SYSTEM, line, &value);
	*cap = status == TSS_OK ? own((cap_t)value) : TSS_CAP_NULL;
	return status;
}

static void test_interrupt_lines(void)
{
	static const uint64_t bad[] = {0, 2, 128, 255, 1ull << 32 | 4, 1ull << 63, ~0ull};
	cap_t line, other, event = new_event();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(irq(bad[i], &line), E(ARGUMENT, 2));
	CHECK_OK(irq(7, &line));
	CHECK(irq(7, &other), E(OCCUPIED, 2));
	CHECK(tss_irq_ack(line), E(BUSY, 1));
	CHECK_OK(tss_irq_bind(line, event, 0));
	CHECK(tss_irq_bind(line, line, 1), E(TYPE, 2));
	CHECK(tss_irq_bind(line, derive(event, TSS_RIGHT_WAIT), 1), E(RIGHTS, 2));
	CHECK_OK(tss_irq_bind(line, event, 1));
	CHECK(tss_irq_bind(line, event, 1), E(BUSY, 1));
	CHECK_OK(tss_irq_ack(line));
	CHECK_OK(destroy(event));
	CHECK(tss_irq_ack(line), E(BUSY, 1));
	CHECK_OK(tss_irq_bind(line, new_event(), ~0ull));
	CHECK_OK(destroy(line));
	CHECK_OK(irq(7, &line));
}

/* The serial port's own interrupt: transmitter empty, as soon as it is asked for. */
static void test_interrupt_arrives(void)
{
	cap_t line, event = new_event(), port = new_port(0);
	struct tss_request request;
	uint64_t ignored;
	CHECK_OK(irq(4, &line));
	CHECK_OK(tss_event_bind(event, port));
	CHECK_OK(tss_irq_bind(line, event, 0x30));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 4, 1, 0x0b));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 2));
	CHECK_OK(receive(port, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_EVENT, 8, 0));
	CHECK(request.words[0], 0x30);
	CHECK(receive(port, &request, 2000), E(TIMEOUT, 0));
	CHECK_OK(tss_ioport_read(SLOT_REGS, 2, 1, &ignored));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 0));
	CHECK_OK(tss_irq_ack(line));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 2));
	CHECK_OK(destroy(event)); /* with the interrupt under way */
	CHECK_OK(destroy(line));
	CHECK_OK(tss_ioport_write(SLOT_REGS, 1, 1, 0));
}

static tss_status_t device(uint64_t address, uint64_t pages)
{
	uint64_t value = 0;
	tss_status_t status = tss_memory_device(SYSTEM, address, pages, &value);
	if (status == TSS_OK)
		own((cap_t)value);
	return status;
}

static void test_ram_is_no_device(void)
{
	/* RAM, then the registers of LAPIC and I/O APIC, which are the kernel's. */
	static const uint64_t ram[] = {0,         0x1000,    0x9000,     0x100000,  0x200000,
				       0x1000000, 0x7000000, 0xfee00000, 0xfec00000};
	for (unsigned i = 0; i < sizeof(ram) / sizeof(ram[0]); i++)
		CHECK(device(ram[i], 1), E(ARGUMENT, 2));
	CHECK(device(0xa0000, 0x1000), E(ARGUMENT, 2));
	CHECK_OK(device(0xb8000, 1));
	CHECK(device(0xb8000, 1), E(OCCUPIED, 2));
	CHECK(device(0xb0000, 0x10), E(OCCUPIED, 2));
	CHECK_OK(device(0xb9000, 1));
	CHECK(device(0xb8001, 1), E(ARGUMENT, 2));
	CHECK(device(1ull << 46, 1), E(ARGUMENT, 2));
	CHECK(device(1ull << 63, 1), E(ARGUMENT, 2));
	CHECK(device(~0ull << 12, 1), E(ARGUMENT, 2));
	CHECK(device(0xbb000, 0), E(ARGUMENT, 3));
	CHECK(device(0xd0000000, 8193), E(ARGUMENT, 3));
	CHECK(device(0xd0000000, ~0ull), E(ARGUMENT, 3));
}

static void test_device_memory_is_mapped(void)
{
	uint64_t value = 0, slice = 0, what = 0;
	CHECK_OK(tss_memory_device(SYSTEM, 0xb8000, 2, &value));
	cap_t memory = own((cap_t)value);
	CHECK_OK(tss_capability_inspect(memory, &what));
	CHECK(what >> 8 & TSS_RIGHT_EXECUTE, 0);
	CHECK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE), E(RIGHTS, 2));
	CHECK_OK(tss_memory_slice(memory, 1, 1, &slice));
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	CHECK_OK(tss_unit_map(SELF, (cap_t)slice, SPARE_AT + 4 * TSS_PAGE_SIZE, TSS_RIGHT_READ));
	*(volatile uint16_t *)(SPARE_AT + TSS_PAGE_SIZE) = 0x0741;
	CHECK(*(volatile uint16_t *)(SPARE_AT + 4 * TSS_PAGE_SIZE), 0x0741);
	CHECK(device(0xb9000, 1), E(OCCUPIED, 2));
	CHECK_OK(destroy(memory));
	CHECK_OK(device(0xb9000, 1));
}

const struct test device_tests[] = {
	TEST(kernels_own_ports),
	TEST(port_ranges),
	TEST(port_access),
	TEST(interrupt_lines),
	TEST(interrupt_arrives),
	TEST(ram_is_no_device),
	TEST(device_memory_is_mapped),
	{0},
};
