/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.h - what system_inspect tells. The record arrives in recv[] of the caller's IPC page (word 0 on, nothing
 * in registers). `index` starts at 0; the value returned is the index of the next record, 0 when this was the last.
 * An index without a record returns TSS_E_ARGUMENT (argument 3).
 */
#pragma once
#include "message.h"

enum tss_inspect {
	TSS_INSPECT_UNIT = 1,       /* detail unused */
	TSS_INSPECT_THREAD = 2,     /* detail unused */
	TSS_INSPECT_CAPABILITY = 3, /* detail: id of the unit; index: slot; empty slots are skipped */
	TSS_INSPECT_CONNECTION = 4, /* detail unused */
	TSS_INSPECT_MEMORY = 5,     /* one record */
	TSS_INSPECT_IRQ = 6,        /* bound interrupt lines */
	TSS_INSPECT_CONFIG = 7,     /* kernel_config_t and limits, name = value text */
	TSS_INSPECT_LOG = 8,        /* the kernel's own log: index is a byte offset, text of up to 240 bytes */
	TSS_INSPECT_COUNTERS = 9,   /* one record */
	TSS_INSPECT_MACHINE = 10,   /* one record: what the boot loader handed over, unchecked */
	TSS_INSPECT_AUDIT = 11,     /* one record; the value is 0 if everything adds up; only in kernels with CONFIG_AUDIT. detail 0,
		or a defect that is planted for the time of the walk: for tests of the audit itself */
};

struct tss_calls { /* masks of system calls */
	uint64_t allowed[TSS_CALL_WORDS]; /* those that are not denied */
	uint64_t asked[TSS_CALL_WORDS];   /* those that a monitor is asked about */
};

/* id: kernel objects are numbered from 1 in the order of their creation and never renumbered. */
struct tss_inspect_unit {
	uint64_t id;
	uint8_t name[TSS_NAME_SIZE];
	uint64_t state; /* 0 being built, 1 running, 2 ended (a sealed one may come back), 3 ended for good */
	uint64_t budget_pages, used_pages; /* budget includes what was handed to child units */
	uint64_t threads, slots, slots_used;
	uint64_t parent; /* id, 0 for the first */
	uint64_t sealed, restarts;
	struct tss_calls calls;
	uint64_t monitor;                 /* id of the connection to it, 0: none */
	uint64_t table;                   /* 0: the whole table of calls; units with the same number share one */
};

enum tss_thread_state { TSS_THREAD_NEW, TSS_THREAD_READY, TSS_THREAD_RUNNING, TSS_THREAD_RECEIVING, TSS_THREAD_CALLING,
	TSS_THREAD_WAITING, TSS_THREAD_SLEEPING, TSS_THREAD_ENDED,
	TSS_THREAD_FAULTED /* no handler is left: its unit ends when it would run */ };
struct tss_inspect_budget {
	uint64_t time_us, period_us, deadline_us; /* of a scheduling context; 0: none */
	uint64_t overruns; /* how often it was used up before its period was over, since it was set */
};
struct tss_inspect_thread {
	uint64_t id, unit;
	uint8_t unit_name[TSS_NAME_SIZE];
	uint64_t state, priority, slice_us;
	uint64_t time_us;  /* CPU time its scheduling context was charged */
	uint64_t switches; /* times it was switched to */
	uint64_t ip;
	uint64_t cpu;
	struct tss_inspect_budget budget;
};

/*
 * type-dependent a, b, c:
 *   UNIT        -            THREAD      unit id           SCHED  priority, slice_us
 *   PORT        unit id of the payer, depth                CONNECTION  port id, badge, payer of the port
 *   REPLY       port id      EVENT       -                 MEMORY pages, physical address, address it is mapped at (0: not)
 *   IRQ         line         IOPORT      base, count       SYSTEM -
 */
struct tss_inspect_capability {
	uint64_t slot, generation, type, rights, depth;
	uint64_t id; /* of the object */
	uint64_t a, b, c;
	uint64_t protection; /* MEMORY: TSS_RIGHT_* it is mapped with */
	uint64_t exercised;  /* its handle has been used; always 0 in kernels without CONFIG_TRACK_GRANTS */
};

struct tss_inspect_connection {
	uint64_t id, port, badge;
	uint8_t client[TSS_NAME_SIZE]; /* unit that paid for the connection */
	uint8_t server[TSS_NAME_SIZE]; /* unit that paid for the port */
	uint64_t calls, sends, refused;
	uint64_t mode; /* enum tss_mode: its own, or the floor of its port if that is stricter */
	uint64_t methods, violations;
};

struct tss_inspect_memory {
	uint64_t total_pages, free_pages; /* RAM the kernel manages; free: in nobody's budget use */
	uint64_t kernel_pages;            /* image, tables, per-CPU areas */
	uint64_t bundle_pages;
};

struct tss_inspect_irq {
	uint64_t line, count;
	uint8_t unit[TSS_NAME_SIZE];
};

struct tss_inspect_config {
	char text[128]; /* "name=value", NUL-terminated */
};

struct tss_inspect_log {
	char text[240]; /* NUL-padded */
};

struct tss_inspect_counters {
	uint64_t uptime_us, switches, syscalls_denied, interrupts, fast_calls, slow_calls, faults, timer_interrupts;
	uint64_t tsc_per_ms;
	uint64_t entry_tsc;  /* TSC at the kernel's first instruction */
	uint64_t init_tsc;   /* TSC when init's first instruction was about to run */
	uint64_t cpus;       /* that run */
	uint64_t exclusives; /* sections of the kernel in which one CPU held up all others */
};

/* The framebuffer as in Multiboot2 3.6.12, of address 0 without one; the root pointer as in ACPI 5.2.5.3, zeros without one. */
#define TSS_FRAMEBUFFER_RGB 1
struct tss_framebuffer {
	uint64_t address;
	uint32_t pitch, width, height; /* bytes of a row, pixels */
	uint8_t bits, kind;            /* of a pixel; TSS_FRAMEBUFFER_RGB: the next fields hold */
	uint16_t reserved;
	struct {
		uint8_t position, size; /* of red, green, blue: lowest bit, number of bits */
	} colours[3];
	uint16_t padding;
};
struct tss_inspect_machine {
	struct tss_framebuffer framebuffer;
	uint8_t rsdp[40];
};

/* The first thing that does not add up. */
struct tss_inspect_audit {
	char what[64]; /* NUL-terminated; empty: all adds up */
	uint64_t id;   /* of the object; of a slot: its unit's id << 16 | slot; of a frame: its address */
	uint64_t got, want;
};
