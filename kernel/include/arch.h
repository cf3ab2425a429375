/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch.h - everything a CPU architecture must provide, and what it may call.
 *
 * The kernel runs with interrupts off and one stack a CPU. Entry stubs save the user's state into the current
 * thread's `struct arch_frame`, call one C function, and then resume whatever thread is current *then*; with no
 * current thread the CPU idles with interrupts on. Only this folder has inline assembly, MSRs, page-table bits.
 */
#pragma once
#include <abi/inspect.h>
#include <types.h>

struct unit;
struct thread;
struct cpu;

/*
 * Saved user state. `full` says how it was entered: by interrupt or exception (every register is live, leave by
 * iretq) or by syscall (rcx and r11 are free, leave by sysretq). Offsets are known to entry.S (offsets.c).
 */
struct arch_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags, rsp;
	uint64_t full;
	uint64_t vector, error, address; /* of the last exception; address is CR2 */
};

/* An address space: the root table's physical address, and who may have translated by it. The kernel half is shared. */
struct arch_space {
	paddr_t root;
	uint64_t cr3; /* what CR3 holds while a thread of the space runs */
	uint64_t cpus; /* that its threads have been on, a bit each */
	uint64_t home, shift; /* addresses of this top-level entry lie so many bytes further: arch_space_move() */
};

/* What only some threads have beyond the frame; saved when another thread becomes current, never later. */
struct arch_extended {
	uint64_t fs_base;
	void *vectors; /* a frame for vector and x87 registers; NULL: their instructions fault */
};

/* What the boot code found. Lives in the kernel's .bss; valid for ever. */
#define BOOT_REGIONS_MAX 64
struct boot_region {
	paddr_t base;
	uint64_t size; /* bytes; page-aligned */
};
struct boot_info {
	struct boot_region ram[BOOT_REGIONS_MAX];      /* free RAM: sorted, no overlap with kernel image, bundle, boot tables, the first MiB */
	struct boot_region reserved[BOOT_REGIONS_MAX]; /* RAM, and registers the kernel drives: never mappable as a device */
	unsigned ram_count, reserved_count;
	paddr_t bundle;
	uint64_t bundle_size; /* bytes; 0: none was given */
	paddr_t trampoline; /* a page below 1 MiB where other CPUs can begin; 0: there is none */
	paddr_t image;
	uint64_t image_size;
	char cmdline[512];
	struct tss_inspect_machine machine; /* the loader's word, unchecked */
	uint64_t entry_tsc; /* time stamp at the kernel's first instruction */
	uint64_t init_tsc;  /* when the first unit was about to run */
};
extern struct boot_info boot_info;

/* ---- called by arch ---- */
void kernel_main(void) NORETURN; /* on the boot CPU's kernel stack: paging, GDT, IDT, TSS, GS done; boot_info filled */
void trap_timer(void);                     /* the timer fired; the arch has acknowledged it */
void trap_irq(unsigned line);              /* device interrupt, acknowledged; a level-triggered line has been masked */
void trap_user(struct thread *thread);     /* entry.S: interrupt or exception in a unit; state in the frame */
void trap_idle(uint64_t vector);           /* entry.S: interrupt while idle */

/* ---- provided by arch ---- */
/* Second step of boot, called by kernel_main when frames can be allocated: ACPI (MADT, HPET), APICs, clock, timer. */
void arch_init_devices(void);
void arch_init_syscalls(void);
void arch_syscall_shortcuts(bool wanted); /* this CPU: are there shorter ways in than the dispatcher for some calls? */
void arch_start_cpus(void);  /* they idle then, and are counted in cpu_count */
void arch_stop_others(void); /* for good, whatever they are doing */
void arch_stop(void) NORETURN;
void arch_resume(void) NORETURN; /* to the current thread, or idle */
void arch_syscall_restart(void) NORETURN; /* the current thread's system call from its beginning, if it is still there */
void arch_interrupt(struct arch_frame *frame, uint64_t vector); /* vectors from 32 up; frame NULL: the CPU idled */

/* Early console: COM1, polled. Used until the serial driver owns the port, and again by a panic. */
void arch_console_write(const char *text, size_t size);
void arch_halt(int code) NORETURN; /* stop the machine: isa-debug-exit (port 0xf4) if it answers, else hlt for ever */
void arch_backtrace(void (*emit)(uint64_t address)); /* return addresses of the kernel's stack, innermost first, bounded */
uint64_t arch_image_offset(uint64_t address);        /* kernel address -> offset from the image's link base */

void arch_kick(const struct cpu *cpu); /* interrupt another CPU, so that it passes through the kernel */

/* Address spaces. Protection: TSS_RIGHT_READ/WRITE/EXECUTE; WRITE|EXECUTE is the caller's bug (panic). */
MUST_CHECK status_t arch_space_create(struct arch_space *space, struct unit *payer);
/* Frees tables but for the root, not what they map; no CPU has the space any more. A slice; false: there are more. */
bool arch_space_shrink(struct arch_space *space, struct unit *payer, unsigned *left);
void arch_space_destroy(struct arch_space *space, struct unit *payer); /* shrunk; frees the root */
/* Each page that is mapped (level 0) and each table (1 to 4), a table after all below it. */
typedef void each_frame(struct unit *payer, paddr_t frame, unsigned level);
MUST_CHECK status_t arch_space_map(struct arch_space *space, struct unit *payer, uaddr_t at, paddr_t frame, unsigned protection, bool device);
#define LARGE_PAGES 512ull
#define LARGE_SIZE (LARGE_PAGES * PAGE_SIZE)
/* LARGE_PAGES pages by one entry. False: not aligned to that, or pages are or were mapped there: map them one by one. */
bool arch_space_map_large(struct arch_space *space, struct unit *payer, uaddr_t at, paddr_t frame, unsigned protection, bool device);
uint32_t arch_space_unmap(struct arch_space *space, uaddr_t at); /* pages that the mapping had, or 1; then flush */
void arch_space_flush(struct arch_space *space); /* what was unmapped is, on all CPUs, when this returns */
/*
 * From now on the 512 GiB around `at`, whoever names them to the functions here, lie where their one GiB that has pages
 * is at `place` GiB; at once, since only page-table entries move. They stay if they are the lowest 512 GiB, or have
 * pages in several, or others are there. No thread of the space runs.
 */
void arch_space_move(struct arch_space *space, uint64_t at, uint64_t place);
uint64_t arch_space_placed(const struct arch_space *space, uint64_t at); /* where a thread finds it */
#define NOT_MAPPED UINT64_MAX
paddr_t arch_space_lookup(const struct arch_space *space, uaddr_t at); /* raw: NOT_MAPPED if nothing is there */
ALWAYS_INLINE void arch_copy_words(void *to, const void *from, uint64_t count);
ALWAYS_INLINE void arch_space_activate(struct cpu *cpu, paddr_t root);
ALWAYS_INLINE void arch_user_bases_set(const struct cpu *cpu, const uint64_t *gs, uint64_t fs);

/* Every register that a unit can reach is in the frame, is GS base, is one of these, or is 0. */
void arch_flush_speculation(void); /* predictors and buffers, where the CPU can: before another unit runs */
void arch_extended_switch(struct cpu *cpu, struct arch_extended *next); /* NULL: none of it */
void arch_extended_reset(struct arch_extended *extended);               /* the state a thread begins with */
ALWAYS_INLINE void arch_selectors_clear(void); /* DS ES FS GS, and the bases of FS and GS with them */

/* Interrupt lines: ISA numbers 0-15 (MADT overrides applied), global system interrupts from 16 up; messages from TSS_IRQ_MESSAGES up. */
bool arch_irq_valid(uint64_t line); /* of those below TSS_IRQ_MESSAGES: there is one, and it is none the kernel keeps: timer, cascade */
uint64_t arch_irq_message(unsigned line, const struct cpu *cpu); /* address << 32 | data: what is written interrupts cpu */
bool arch_irq_is_edge(unsigned line);  /* an edge while the line is masked is lost; of messages nobody knows, nor cares */
void arch_irq_open(unsigned line, bool open); /* false: masked, which a message cannot be; true: and from now on it goes to this CPU */

/* Clock and timer. The clock is the TSC, scaled; it starts near 0 and never goes back. */
uint64_t arch_clock_us(void);
uint64_t arch_clock_at(uint64_t tsc); /* what the clock said when the TSC was that */
ALWAYS_INLINE uint64_t arch_tsc(void);
ALWAYS_INLINE void arch_pause(void); /* in a loop that waits for another CPU */
uint64_t arch_tsc_per_ms(void);
void arch_timer_set(struct cpu *cpu, uint64_t deadline_us); /* this CPU's: one shot at that clock value (at once if past); replaces the last */

/* I/O ports; width 1, 2 or 4. */
bool arch_port_reserved(uint64_t base, uint64_t count); /* is one of them the kernel's own? */
uint32_t arch_port_read(uint16_t port, unsigned width);
void arch_port_write(uint16_t port, unsigned width, uint32_t value);

/* What a profile switches, and what the CPU brings: not wanted, in effect, or wanted but this machine lacks it. */
typedef enum { SWITCH_OFF, SWITCH_ACTIVE, SWITCH_LACKING } kernel_config_t;
const char *arch_feature(uint64_t index, kernel_config_t *state); /* its name; NULL past the end */

#include <arch_inline.h>
