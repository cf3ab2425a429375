/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c - the architecture's part of the boot, in order, as plain calls. */
#include "x86.h"

/* Elf64_Rela; System V ABI AMD64 supplement 4.4. */
struct rela {
	uint64_t offset;
	uint64_t info;
	uint64_t addend;
};
#define RELA_RELATIVE 8u
extern const struct rela image_rela_start[], image_rela_end[];

struct boot_info boot_info;
uint64_t image_slide;

/* The linker leaves the words zero, so this runs even when the slide is 0. Nothing before it may read a pointer. */
static void relocate(uint64_t slide)
{
	for (const struct rela *rela = image_rela_start; rela < image_rela_end; rela++) {
		if ((uint32_t)rela->info == RELA_RELATIVE)
			/* Safety: the linker made the entry; -z text keeps it within the data segment. */
			*(uint64_t *)(rela->offset + slide) = rela->addend + slide;
	}
}

void arch_start(uint64_t information, uint64_t entry_tsc, uint64_t image, uint64_t slide)
{
	relocate(slide);
	image_slide = slide;
	boot_info.entry_tsc = entry_tsc;
	boot_info.image = (paddr_t){image};
	boot_info.image_size = (uint64_t)(image_end - image_start);
	(void)information;
	console_init();
	kernel_main();
}

uint64_t arch_image_offset(uint64_t address)
{
	return address - LINK_BASE - image_slide;
}
