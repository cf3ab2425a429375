/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h - lets the kernel's memory code run on the host: RAM is an array, "physical" is what maps onto it. */
#pragma once
#include "check.h"
#include <frame.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unit.h>

#define HOST_FRAMES 512

#define HOST_SET_GS 0x1001 /* arch_prctl(2): cpu_this() reads GS */

struct boot_info boot_info;
struct cpu cpus[CPUS_MAX];
unsigned cpu_count = 1;
static _Alignas(4096) uint8_t host_ram[HOST_FRAMES * PAGE_SIZE];

void panic(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	printf("not ok: panic: ");
	vprintf(format, arguments);
	puts("");
	abort();
}

static inline void host_memory_init(void)
{
	cpus[0].self = &cpus[0];
	CHECK(syscall(SYS_arch_prctl, HOST_SET_GS, &cpus[0]) == 0);
	boot_info.ram[0] = (struct boot_region){virt_to_phys(host_ram), 100 * PAGE_SIZE};
	boot_info.ram[1] = (struct boot_region){virt_to_phys(host_ram + 200 * PAGE_SIZE), 300 * PAGE_SIZE};
	boot_info.ram_count = 2;
	boot_info.reserved[0] = (struct boot_region){virt_to_phys(host_ram), sizeof(host_ram)};
	boot_info.reserved_count = 1;
}

static inline void host_unit_init(struct unit *unit, uint64_t budget)
{
	*unit = (struct unit){.budget = budget};
	slab_init(unit->slabs);
}
