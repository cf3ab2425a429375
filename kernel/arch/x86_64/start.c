/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c - the architecture's part of the boot, in order, as plain calls; and what is too small for a file. */
#include "x86.h"

/* Elf64_Rela; System V ABI AMD64 supplement 4.4. */
struct rela {
	uint64_t offset, info, addend;
};
#define RELA_RELATIVE 8u
extern HERE const struct rela image_rela_start[], image_rela_end[];

struct boot_info boot_info;

/* The linker leaves the words zero, so this runs even when the slide is 0. Nothing before it may read a pointer. */
static void relocate(void)
{
	uint64_t slide = (uint64_t)image_start - LINK_BASE - LINK_OFFSET;
	for (const struct rela *rela = image_rela_start; (uint64_t)rela < (uint64_t)image_rela_end; rela++)
		if ((uint32_t)rela->info == RELA_RELATIVE)
			/* Safety: the linker made the entry; -z text keeps it within the data segment. */
			*(uint64_t *)(rela->offset + slide) = rela->addend + slide;
}

/* Per-CPU data first: whatever goes wrong from here on may ask cpu_this(). */
void cpu_init(struct cpu *cpu)
{
	cpu->entry_stack = gdt_init(cpu->index);
	cpu->self = cpu;
	cpu->lock = 1;
	cpu->owns_all = cpu->index == 0;
	cpu->held = 1ull << (RANK_CPU + cpu->index);
	cpu->kernel_stack = cpu_stack_top(cpu->index);
	write_msr(MSR_GS_BASE, (uint64_t)cpu);
}

void arch_start(uint64_t information, uint64_t entry_tsc)
{
	relocate();
	boot_info.entry_tsc = entry_tsc;
	boot_info.image_size = image_distance(image_end);
	console_init();
	cpu_init(&cpus[0]);
	idt_init();
	multiboot2_read(information);
	features_init();
	mmu_init();
	kernel_main();
}

void arch_init_devices(void)
{
	acpi_init();
	apic_init();
	clock_init();
}

uint64_t arch_image_offset(uint64_t address)
{
	return address - (uint64_t)image_start + LINK_OFFSET;
}

void arch_halt(int code)
{
	out32(0xf4, (uint32_t)code);
	arch_stop();
}

void arch_stop(void)
{
	for (;;)
		/* Safety: with interrupts off only an NMI ends hlt. */
		__asm__ volatile("cli; hlt");
}

uint32_t arch_port_read(uint16_t port, unsigned width)
{
	return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
}

void arch_port_write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		out8(port, (uint8_t)value);
	else if (width == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
}
