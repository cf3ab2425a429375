// sources: kernel/obj/irq.c tests/unit/kernel/ends.c
// flags: -Ikernel/arch/x86_64/include -DCPUS_MAX=1 -Wno-unused-parameter
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_irq.c - interrupts against a model of device, line and driver in random order: a driver that looks at its
 * device after each signal and then acknowledges never sleeps while its device wants something. An edge on a masked
 * line is lost, as the I/O APIC has it; a level stays.
 */
#include "check.h"
#include <irq.h>
#include <string.h>
#include <syscall.h>

#define LINE 4
#define STEPS 200000

struct link object_lists[TSS_TYPE_COUNT];
static struct irq irq;
static struct event event;
static struct capability irq_cap;
static struct thread driver;
static bool edge, masked = true, device_wants, signalled, looking;
static unsigned delivered;

bool arch_irq_is_edge(unsigned line)
{
	return line == LINE && edge;
}
bool arch_irq_valid(uint64_t line)
{
	return line == LINE;
}
uint64_t arch_irq_message(unsigned line, const struct cpu *cpu)
{
	(void)cpu;
	return line;
}
uint32_t arch_port_read(uint16_t port, unsigned width)
{
	return port + width;
}
void arch_port_write(uint16_t port, unsigned width, uint32_t value)
{
	(void)port, (void)width, (void)value;
}
bool arch_port_reserved(uint64_t base, uint64_t count)
{
	return base + count == 0;
}
void log_console_release(uint64_t base, uint64_t count)
{
	(void)base, (void)count;
}
static void interrupt(void)
{
	if (!edge)
		masked = true;
	delivered++;
	trap_irq(LINE);
}
void arch_irq_open(unsigned line, bool open)
{
	CHECK(line == LINE || !open);
	if (line == LINE)
		masked = !open;
	if (open && !edge && device_wants)
		interrupt();
}
void event_signal(struct event *to, uint64_t bits)
{
	CHECK(to == &event && bits == 1);
	signalled = true;
}
void *object_alloc(struct unit *payer, uint8_t type)
{
	CHECK(!payer && type == TSS_TYPE_IRQ);
	return &irq;
}
status_t syscall_place(struct thread *self, void *object, struct capability *parent, uint16_t rights)
{
	CHECK(parent == NULL && rights == TSS_RIGHT_ALL);
	irq_cap.object = object;
	return TSS_OK;
}
status_t syscall_capability(struct thread *self, uint64_t handle, unsigned number, uint8_t type, uint16_t rights,
			    struct capability **out)
{
	static struct capability cap = {.object = &event.object};
	CHECK(number == 2 && type == TSS_TYPE_EVENT && rights == TSS_RIGHT_SIGNAL);
	*out = &cap;
	return TSS_OK;
}

/* The device wants service: an edge if it did not before. */
static void device_raises(void)
{
	bool rises = !device_wants;
	device_wants = true;
	if (masked ? false : rises || !edge)
		interrupt();
}

static void driver_steps(void)
{
	if (looking) { /* between its last look and its acknowledgement anything may have happened */
		looking = false;
		CHECK(sys_irq_ack(&driver, &irq_cap) == TSS_OK);
	} else if (signalled) {
		signalled = false;
		device_wants = false;
		looking = true;
	}
}

static void run(bool is_edge)
{
	edge = is_edge;
	masked = true;
	device_wants = signalled = looking = false;
	memset(&irq, 0, sizeof(irq));
	driver.frame.rsi = LINE;
	CHECK(sys_irq_create(&driver, NULL) == TSS_OK);
	CHECK(sys_irq_create(&driver, NULL) == ERR(OCCUPIED, 2));
	driver.frame.rdx = 1;
	CHECK(sys_irq_bind(&driver, &irq_cap) == TSS_OK && !masked);
	delivered = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		if (random() % 2)
			device_raises();
		else
			driver_steps();
		CHECK(!device_wants || signalled || looking); /* wanted, and nobody is going to look: deaf */
		if (looking && device_wants)
			CHECK(irq.again || !edge);
	}
	CHECK(delivered > STEPS / 10 && delivered == irq.count);
	irq_destroy(&irq);
	CHECK(masked);
}

int main(void)
{
	srandom(3);
	run(true);
	run(false);
	puts("ok irq");
	return 0;
}
