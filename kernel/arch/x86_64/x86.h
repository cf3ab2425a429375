/* SPDX-License-Identifier: BSD-2-Clause */
/* x86.h - what the files of this folder share: instructions without a C form, and each other's functions. */
#pragma once
#include <arch.h>
#include "asm_constants.h"
#include "layout.h"

/* ---- instructions ---- */
/* Safety of all: they touch the named register or port and nothing else; callers know what that does. */
#define DEFINE_PORT_ACCESS(bits, suffix)                                                                               \
	static inline uint##bits##_t in##bits(uint16_t port)                                                           \
	{                                                                                                              \
		uint##bits##_t value;                                                                                  \
		__asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port));                                    \
		return value;                                                                                          \
	}                                                                                                              \
	static inline void out##bits(uint16_t port, uint##bits##_t value)                                              \
	{                                                                                                              \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port));                                   \
	}
DEFINE_PORT_ACCESS(8, "b")
DEFINE_PORT_ACCESS(16, "w")
DEFINE_PORT_ACCESS(32, "l")
static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}
static inline void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr) : "memory");
}
struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}
/* Subleaf 0 of a leaf; all zero if this CPU does not have it. */
static inline struct cpuid cpuid_if_any(uint32_t leaf)
{
	return leaf <= cpuid(leaf & 0x80000000, 0).eax ? cpuid(leaf, 0) : (struct cpuid){0};
}
#define DEFINE_CONTROL_REGISTER(name)                                                                                  \
	static inline uint64_t read_##name(void)                                                                       \
	{                                                                                                              \
		uint64_t value;                                                                                        \
		__asm__ volatile("movq %%" #name ", %0" : "=r"(value));                                                \
		return value;                                                                                          \
	}                                                                                                              \
	static inline void write_##name(uint64_t value)                                                                \
	{                                                                                                              \
		__asm__ volatile("movq %0, %%" #name : : "r"(value) : "memory");                                       \
	}
DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)

#define MSR_GS_BASE 0xc0000101

struct table_pointer { /* of lgdt and lidt */
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* ---- the image (kernel.ld, boot.S). HERE: reached from where the code is, never through a pointer to relocate ---- */
#define HERE __attribute__((visibility("hidden")))
extern HERE char image_entry_start[], image_entry_end[], image_shared_start[], image_shared_end[];
extern HERE char image_start[], image_text_end[], image_relro_end[], image_end[];
extern HERE char cpu_stacks[];
extern HERE uint64_t boot_tables[]; /* eight pages; boot.S says which */
static inline uint64_t cpu_stack_top(unsigned index)
{
	return (uint64_t)cpu_stacks + index * CPU_STACKS_SIZE + PAGE_SIZE + KERNEL_STACK_SIZE;
}
/* Bytes from the image's start; the symbols are one object to the linker only. */
static inline uint64_t image_distance(const char *symbol)
{
	return (uint64_t)symbol - (uint64_t)image_start;
}

/* ---- regions.c: sorted, merged lists of page ranges ---- */
bool region_add(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end); /* false: list full */
void region_cut(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end);

/* ---- in boot order ---- */
uint64_t arch_place(void); /* place.c: decides where the image runs; returns how far that is from the link address */
extern uint64_t __stack_chk_guard;
void __stack_chk_fail(void) NORETURN;
void arch_start(uint64_t information, uint64_t entry_tsc) NORETURN; /* start.c */
void console_init(void);
uint64_t gdt_init(unsigned cpu); /* returns the stack on which a unit's interrupts begin, and end */
void idt_init(void);
void idt_load(void);
void cpu_init(struct cpu *cpu); /* of the CPU that runs, cpu->index filled in: segments, stacks, GS, lock */
void multiboot2_read(uint64_t information); /* fills boot_info */
void features_init(void); /* control registers; panics if the CPU lacks what the kernel needs */
bool features_apply(void); /* on this CPU, as on the boot CPU; false: it lacks something */
void vectors_init(void); /* called by features_apply */
void mmu_init(void); /* the final kernel tables; takes frames from boot_info.ram */
void acpi_init(void);
void apic_init(void);
void clock_init(void);
void clock_start_timer(void); /* this CPU's */

/* ---- mmu.c ---- */
#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_UNCACHED (3ull << 3) /* PWT, PCD: strong uncacheable whatever PAT's upper half says */
#define PTE_LARGE (1ull << 7)
#define PTE_GLOBAL (1ull << 8)
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define TABLE_ENTRIES 512
void *mmu_table_alloc(struct unit *payer); /* a zeroed one, or NULL; before kernel_main off boot_info.ram */
ALWAYS_INLINE unsigned index_at(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) % TABLE_ENTRIES;
}
/*
 * The entry for `address` at `level` (1: of a page) below the table `root`, or that of a larger page that covers it.
 * Missing tables on the way are made with `table_flags` at payer's cost. NULL: one is missing and the flags are 0, or
 * no frame could be had.
 */
ALWAYS_INLINE uint64_t *mmu_entry(paddr_t root, uint64_t address, unsigned level, uint64_t table_flags,
				  struct unit *payer)
{
	uint64_t *entry = &((uint64_t *)phys_to_virt(root))[index_at(address, 4)];
/* Mapping a page is on the bench: constant shifts. */
#pragma GCC unroll 3
	for (unsigned i = 3; i >= level; i--) {
		if (UNLIKELY((*entry & (PTE_PRESENT | PTE_LARGE)) != PTE_PRESENT)) {
			if (*entry & PTE_LARGE)
				return entry;
			const void *table = table_flags ? mmu_table_alloc(payer) : NULL;
			if (!table)
				return NULL;
			*entry = virt_to_phys(table).raw | table_flags;
		}
		/* Safety: entries of the tables only ever hold frames, which the direct map covers. */
		entry = (uint64_t *)phys_to_virt((paddr_t){*entry & PTE_ADDRESS}) + index_at(address, i);
	}
	return entry;
}
extern struct arch_space
	kernel_space; /* the tables that others have their upper half of; with CONFIG_PTI the kernel's own */
extern struct arch_space entry_space; /* with CONFIG_PTI they have this one's: the way into the kernel */
/* Maps physical memory that is not RAM into the direct map. NULL: beyond the CPU's physical addresses. */
const void *mmu_map_firmware(paddr_t base, uint64_t size);
void mmu_forget_low(void); /* the page at boot_info.trampoline is mapped at its physical address until then */
volatile void *mmu_map_registers(paddr_t base, uint64_t size); /* uncached; the range becomes unmappable for units */

/* ---- features.c ---- */
/*
 * FEATURE(NAME, name, leaf, where, bit, cr4, wanted): where CPUID tells of it, if the CPU must have it (leaf 0: it need
 * not), and the bit of CR4 that turns it on, if one does. Of HPET the clock tells.
 */
#define FEATURES(FEATURE)                                                                                              \
	FEATURE(SMEP, "smep", 7, EBX, 7, 20, IS_ENABLED(CONFIG_SMEP))                                                  \
	FEATURE(SMAP, "smap", 7, EBX, 20, 21, IS_ENABLED(CONFIG_SMAP))                                                 \
	FEATURE(UMIP, "umip", 7, ECX, 2, 11, IS_ENABLED(CONFIG_UMIP))                                                  \
	FEATURE(PTI, "pti", 0, 0, 0, 0, IS_ENABLED(CONFIG_PTI))                                                        \
	FEATURE(KASLR, "kaslr", 0, 0, 0, 0, IS_ENABLED(CONFIG_KASLR))                                                  \
	FEATURE(STACK_PROTECTOR, "stack_protector", 0, 0, 0, 0, IS_ENABLED(CONFIG_STACK_PROTECTOR))                    \
	FEATURE(RETPOLINE, "retpoline", 0, 0, 0, 0, IS_ENABLED(CONFIG_RETPOLINE))                                      \
	FEATURE(GUARD_PAGES, "guard_pages", 0, 0, 0, 0, IS_ENABLED(CONFIG_GUARD_PAGES))                                \
	FEATURE(POISON, "poison", 0, 0, 0, 0, IS_ENABLED(CONFIG_POISON))                                               \
	FEATURE(RDRAND, "rdrand", 1, ECX, 30, 0, true)                                                                 \
	FEATURE(NX, "nx", 0x80000001, EDX, 20, 0, true)                                                                \
	FEATURE(GLOBAL_PAGES, "global_pages", 1, EDX, 13, 7, true)                                                     \
	FEATURE(HUGE_PAGES, "huge_pages", 0x80000001, EDX, 26, 0, true)                                                \
	FEATURE(TSC_DEADLINE, "tsc_deadline", 1, ECX, 24, 0, true)                                                     \
	FEATURE(TSC_INVARIANT, "tsc_invariant", 0x80000007, EDX, 8, 0, true)                                           \
	FEATURE(XSAVE, "xsave", 1, ECX, 26, 18, true)                                                                  \
	FEATURE(FSGSBASE, "fsgsbase", 7, EBX, 0, 16, true)                                                             \
	FEATURE(PCID, "pcid", 1, ECX, 17, 17, IS_ENABLED(CONFIG_PCID) && !IS_ENABLED(CONFIG_PTI))                      \
	FEATURE(X2APIC, "x2apic", 1, ECX, 21, 0, true)                                                                 \
	FEATURE(BRANCH_BARRIER, "branch_barrier", 7, EDX, 26, 0, true)                                                 \
	FEATURE(BUFFER_FLUSH, "buffer_flush", 7, EDX, 10, 0, true)                                                     \
	FEATURE(HPET, "hpet", 0, 0, 0, 0, true)
enum feature {
#define FEATURE(NAME, ...) FEATURE_##NAME,
	FEATURES(FEATURE) FEATURE_COUNT
#undef FEATURE
};
void feature_set(enum feature feature, bool active);
bool feature_active(enum feature feature);

/* ---- acpi.c: what the tables said, or the PC's defaults ---- */
#define RSDP_SIZE 36
#define IOAPICS_MAX 8
#define CPUS_LISTED 64
#define ISA_LINES 16
struct acpi_info {
	paddr_t lapic;
	struct acpi_ioapic {
		paddr_t base;
		uint32_t first; /* global system interrupt of pin 0 */
	} ioapics[IOAPICS_MAX];
	unsigned ioapic_count;
	uint32_t cpus[CPUS_LISTED]; /* APIC ids of the CPUs that can be used */
	unsigned cpu_count;
	struct {
		uint32_t gsi;
		uint16_t flags; /* polarity and trigger as in the MADT; 0: as the bus has it */
	} isa[ISA_LINES];
	paddr_t hpet; /* 0: none */
};
extern struct acpi_info acpi_info;

/* ---- apic.c, clock.c ---- */
#define VECTOR_LINES 32 /* + line */
#define VECTOR_PIC 0xe0 /* where the masked 8259s would deliver their spurious interrupts */
#define VECTOR_TIMER 0xf0
#define VECTOR_KICK 0xf1
#define VECTOR_SPURIOUS 0xff
uint32_t lapic_read(unsigned offset);
void lapic_write(unsigned offset, uint32_t value);
void lapic_init(void);
uint32_t lapic_id(void);
void lapic_send(uint32_t apic_id, uint32_t command); /* interrupt another CPU; Intel SDM 3A figure 10-12 */
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_ASSERT (1u << 14)
#define ICR_OTHERS (3u << 18) /* whatever the destination says */
#define LAPIC_LVT_TIMER 0x320 /* Intel SDM 3A table 10-1 */
#define LAPIC_TIMER_START 0x380
#define LAPIC_TIMER_NOW 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
void clock_interrupt(void);

void arch_exception_kernel(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2, uint64_t rsp) NORETURN;
extern const char arch_vector_stubs[256][16]; /* entry.S */
