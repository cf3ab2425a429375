/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic.c - local APIC (Intel SDM 3A 10), I/O APICs (82093AA data sheet 3.0), and the 8259s put to silence.
 *
 * A line is masked when it fires and stays so until its driver has acknowledged it, so a level-triggered line cannot
 * storm. An edge that comes while the line is masked may be lost: drivers look at their device before they wait.
 */
#include <trace.h>
#include "x86.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2 (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)
#define LAPIC_TPR 0x80
#define LAPIC_ID 0x20
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_ICR 0x300
#define LAPIC_ICR_HIGH 0x310
#define ICR_PENDING (1u << 12)
#define X2APIC_BASE 0x800 /* MSR of register 0; each register of 16 bytes has one */
#define X2APIC_ICR (X2APIC_BASE + LAPIC_ICR / 16)
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define SPURIOUS_ENABLE (1u << 8)

#define IOAPIC_SELECT 0
#define IOAPIC_WINDOW 4 /* in 32-bit words */
#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECT(pin) (0x10 + 2 * (pin))
#define REDIRECT_LOW_ACTIVE (1u << 13)
#define REDIRECT_LEVEL (1u << 15)
#define REDIRECT_MASKED (1u << 16)
/* MADT override flags, ACPI table 5.26 */
#define FLAGS_POLARITY(flags) ((flags)&3u)
#define FLAGS_TRIGGER(flags) ((flags) >> 2 & 3u)
#define FLAGS_LOW 3u
#define FLAGS_LEVEL 3u

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0

struct ioapic {
	volatile uint32_t *registers;
	uint32_t first, count; /* global system interrupts */
};

static volatile uint32_t *lapic; /* NULL: x2APIC */
static uint64_t ioapic_lock; /* an I/O APIC's index and window are two accesses */
static uint8_t line_cpu[TSS_IRQ_MESSAGES]; /* APIC id that the line's interrupts go to */
static struct ioapic ioapics[IOAPICS_MAX];

uint32_t lapic_read(unsigned offset)
{
	return lapic ? lapic[offset / 4] : (uint32_t)read_msr(X2APIC_BASE + offset / 16);
}

void lapic_write(unsigned offset, uint32_t value)
{
	if (lapic)
		lapic[offset / 4] = value;
	else
		write_msr(X2APIC_BASE + offset / 16, value);
}

static uint32_t ioapic_read(const struct ioapic *ioapic, unsigned index)
{
	ioapic->registers[IOAPIC_SELECT] = index;
	return ioapic->registers[IOAPIC_WINDOW];
}

static void ioapic_write(const struct ioapic *ioapic, unsigned index, uint32_t value)
{
	ioapic->registers[IOAPIC_SELECT] = index;
	ioapic->registers[IOAPIC_WINDOW] = value;
}

/* 8259A data sheet: ICW1 to ICW4, then every line masked. Even so it can deliver a spurious line 7. */
static void pic_silence(uint16_t port, uint8_t vector, uint8_t cascade)
{
	out8(port, 0x11);
	out8((uint16_t)(port + 1), vector);
	out8((uint16_t)(port + 1), cascade);
	out8((uint16_t)(port + 1), 0x01);
	out8((uint16_t)(port + 1), 0xff);
}

/* Of this CPU. Only off leads back from x2APIC, and only xAPIC leads to it; SDM 3A 10.12.5. */
void lapic_init(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE);
	if (base & APIC_BASE_X2 && !feature_active(FEATURE_X2APIC))
		write_msr(MSR_APIC_BASE, base & ~(uint64_t)(APIC_BASE_X2 | APIC_BASE_ENABLE));
	base = (base & PAGE_MASK & ~(uint64_t)APIC_BASE_X2) | APIC_BASE_ENABLE | acpi_info.lapic.raw;
	if (feature_active(FEATURE_X2APIC))
		base |= APIC_BASE_X2;
	else if (!lapic && !(lapic = mmu_map_registers(acpi_info.lapic, PAGE_SIZE)))
		panic("local APIC at %#lx cannot be reached", acpi_info.lapic.raw);
	if (base & APIC_BASE_X2 && !(read_msr(MSR_APIC_BASE) & APIC_BASE_X2))
		write_msr(MSR_APIC_BASE, base & ~(uint64_t)APIC_BASE_X2);
	write_msr(MSR_APIC_BASE, base);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

uint32_t lapic_id(void)
{
	return lapic ? lapic_read(LAPIC_ID) >> 24 : lapic_read(LAPIC_ID);
}

/* SDM 3A 10.6.1: command and destination are one write, or two of which the second sends. */
void lapic_send(uint32_t apic_id, uint32_t command)
{
	if (!lapic)
		return write_msr(X2APIC_ICR, (uint64_t)apic_id << 32 | command);
	while (lapic_read(LAPIC_ICR) & ICR_PENDING)
		arch_pause();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, command);
}

void arch_kick(const struct cpu *cpu)
{
	TRACE(IPI, cpu->index);
	lapic_send(cpu->apic_id, ICR_ASSERT | VECTOR_KICK);
}

static uint32_t line_gsi(unsigned line)
{
	return line < ISA_LINES ? acpi_info.isa[line].gsi : line < TSS_IRQ_MESSAGES ? line : UINT32_MAX;
}

static const struct ioapic *ioapic_of(uint32_t gsi)
{
	for (unsigned i = 0; i < acpi_info.ioapic_count; i++) {
		if (gsi >= ioapics[i].first && gsi - ioapics[i].first < ioapics[i].count)
			return &ioapics[i];
	}
	return NULL;
}

/* Low half of a redirection entry, unmasked. ISA lines are edges, active high; the rest PCI: levels, active low. */
static uint32_t redirection(unsigned line)
{
	unsigned flags = line < ISA_LINES ? acpi_info.isa[line].flags : FLAGS_LOW | FLAGS_LEVEL << 2;
	uint32_t entry = VECTOR_LINES + line;
	if (FLAGS_POLARITY(flags) == FLAGS_LOW)
		entry |= REDIRECT_LOW_ACTIVE;
	if (FLAGS_TRIGGER(flags) == FLAGS_LEVEL)
		entry |= REDIRECT_LEVEL;
	return entry;
}

/* A message has no I/O APIC, and so nothing that could be masked. */
void arch_irq_open(unsigned line, bool open)
{
	uint32_t gsi = line_gsi(line);
	const struct ioapic *ioapic = ioapic_of(gsi);
	if (!ioapic)
		return;
	unsigned entry = IOAPIC_REDIRECT(gsi - ioapic->first);
	uint8_t target = (uint8_t)cpu_this()->apic_id;
	lock_take(&ioapic_lock, RANK_LEAF);
	if (open && line_cpu[line] != target) {
		line_cpu[line] = target;
		ioapic_write(ioapic, entry + 1, (uint32_t)target << 24);
	}
	ioapic_write(ioapic, entry, redirection(line) | (open ? 0 : REDIRECT_MASKED));
	lock_give(&ioapic_lock, RANK_LEAF);
}

static void ioapic_init(unsigned index)
{
	struct ioapic *ioapic = &ioapics[index];
	ioapic->registers = mmu_map_registers(acpi_info.ioapics[index].base, PAGE_SIZE);
	if (!ioapic->registers)
		return;
	ioapic->first = acpi_info.ioapics[index].first;
	ioapic->count = (ioapic_read(ioapic, IOAPIC_VERSION) >> 16 & 0xff) + 1;
	for (unsigned pin = 0; pin < ioapic->count; pin++) {
		ioapic_write(ioapic, IOAPIC_REDIRECT(pin), REDIRECT_MASKED);
		ioapic_write(ioapic, IOAPIC_REDIRECT(pin) + 1, cpu_this()->apic_id << 24);
	}
}

void apic_init(void)
{
	pic_silence(PIC_MASTER, VECTOR_PIC, 1 << 2);
	pic_silence(PIC_SLAVE, VECTOR_PIC + 8, 2);
	lapic_init();
	cpu_this()->apic_id = lapic_id();
	__builtin_memset(line_cpu, (int)cpu_this()->apic_id, sizeof(line_cpu));
	for (unsigned i = 0; i < acpi_info.ioapic_count; i++)
		ioapic_init(i);
}

/* The interrupt controllers, and the timer that the clock is calibrated with (clock.c): whoever has these has the CPU. */
bool arch_port_reserved(uint64_t base, uint64_t count)
{
	static const struct {
		uint16_t base, count;
	} reserved[] = {{PIC_MASTER, 2}, {0x40, 4}, {0x61, 1}, {PIC_SLAVE, 2}};
	for (unsigned i = 0; i < COUNT_OF(reserved); i++) {
		if (base < reserved[i].base + reserved[i].count && reserved[i].base < base + count)
			return true;
	}
	return false;
}

bool arch_irq_valid(uint64_t line)
{
	if (line == 0 || line == 2 || !ioapic_of(line_gsi((unsigned)line)))
		return false;
	/* A pin that an ISA line goes to has one name only, that line's. */
	for (unsigned isa = 0; isa < ISA_LINES && line >= ISA_LINES; isa++) {
		if (acpi_info.isa[isa].gsi == line)
			return false;
	}
	return true;
}

bool arch_irq_is_edge(unsigned line)
{
	return !(redirection(line) & REDIRECT_LEVEL);
}

/* SDM 3A 10.11: fixed delivery of an edge to one CPU. */
uint64_t arch_irq_message(unsigned line, const struct cpu *cpu)
{
	return (0xfee00000ull | (cpu->apic_id & 0xff) << 12) << 32 | (VECTOR_LINES + line);
}

/* Called by entry.S, interrupts off. Spurious interrupts must not be acknowledged; SDM 3A 10.9. */
void arch_interrupt(struct arch_frame *frame, uint64_t vector)
{
	if (vector == VECTOR_TIMER) {
		lapic_write(LAPIC_EOI, 0);
		clock_interrupt();
	} else if (vector == VECTOR_KICK) {
		lapic_write(LAPIC_EOI, 0); /* what there is to do, need_resched says */
	} else if (vector - VECTOR_LINES < TSS_IRQ_COUNT) {
		unsigned line = (unsigned)(vector - VECTOR_LINES);
		if (!arch_irq_is_edge(line))
			arch_irq_open(line, false);
		lapic_write(LAPIC_EOI, 0);
		trap_irq(line);
	}
}
