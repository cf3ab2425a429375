/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bundle.h - the file the kernel boots: header, section table, sections, each section at a page boundary.
 *
 * Little endian, naturally aligned, no padding that is not named. Whoever reads it checks it first:
 *   the kernel: header, section table (sorted by offset, no overlaps, inside the file), root hash against the
 *               kernel's command line (tessera.root=HEX; without it, against the header only), the hashes of the
 *               sections flagged TSS_SECTION_INIT and of the init table;
 *   init:       the hash of each other section before it builds the unit that uses it.
 * Everything between the end of one section and the start of the next is zero. The last section is the manifest: the text
 * from which the rest was made, with what it extends. Nobody maps it; system_inspect tells its hash (TSS_INSPECT_CONFIG).
 */
#pragma once
#include "abi.h"

#define TSS_BUNDLE_MAGIC "TESSERA\x01" /* 8 bytes */
#define TSS_BUNDLE_SECTIONS_MAX 1024u

struct tss_bundle_header {       /* 64 bytes */
	uint8_t magic[8];
	uint32_t abi_version;
	uint32_t section_count;
	uint64_t size;           /* bytes of the whole file, a multiple of the page size */
	uint64_t reserved;       /* 0 */
	uint8_t root_hash[32];   /* hash (hash.h) of header (this field zero) followed by the section table */
};

enum tss_section_kind { TSS_SECTION_TABLE = 1, TSS_SECTION_SEGMENT = 2, TSS_SECTION_DIRECTORY = 3 };

/* flags */
#define TSS_SECTION_READ TSS_RIGHT_READ
#define TSS_SECTION_WRITE TSS_RIGHT_WRITE
#define TSS_SECTION_EXECUTE TSS_RIGHT_EXECUTE
#define TSS_SECTION_INIT 0x100u /* belongs to init: the kernel loads it */

struct tss_bundle_section {      /* 104 bytes; the table follows the header directly */
	uint32_t kind;
	uint32_t flags;          /* never WRITE and EXECUTE at once */
	uint64_t offset;         /* in the file, page-aligned */
	uint64_t size;           /* bytes in the file, at least 1 except for pure .bss (then 0) */
	uint64_t memory_size;    /* bytes in memory, page multiple, >= size; the rest is zero. SEGMENT and DIRECTORY */
	uint64_t address;        /* SEGMENT: offset from the image base, page-aligned */
	uint8_t name[32];        /* NUL-padded, unique: "init.text", "serial.data", "table", "log.directory" */
	uint8_t hash[32];        /* hash (hash.h) of its `size` bytes */
};
_Static_assert(sizeof(struct tss_bundle_header) == 64 && sizeof(struct tss_bundle_section) == 104, "bundle layout");

/*
 * The init table: header, then the four arrays back to back in this order. References are indexes into them.
 * init works through it once: units, then objects in order, then grants, then starts the threads in order.
 */
#define TSS_TABLE_MAGIC 0x4c425453u /* "STBL" */
struct tss_table_header {        /* 32 bytes */
	uint32_t magic;
	uint32_t instance_count, object_count, grant_count;
	uint64_t init_pages;     /* pages init keeps for itself */
	uint32_t flags;          /* TSS_TABLE_* */
	uint32_t guard_count;
};
#define TSS_TABLE_DUMP 1u /* init prints all capability tables before the first instance runs */

/* Instance 0 is init itself; it describes init's final state and is not built again. */
struct tss_table_instance {      /* 152 bytes */
	uint8_t name[TSS_NAME_SIZE];
	uint8_t component[32];   /* "drivers/serial" */
	uint64_t memory_pages;   /* budget, everything the unit pays for */
	uint64_t entry;          /* absolute address */
	uint64_t image_base;     /* absolute address its segments are relative to */
	uint64_t stack_top;      /* absolute, 16-byte aligned; the page below the stack stays unmapped */
	uint64_t ipc_page;       /* absolute, page-aligned, free */
	uint64_t argument;       /* handed to the entry point in rdi */
	uint32_t slots;          /* capability space */
	uint32_t priority;       /* 1..254 */
	uint32_t slice_us;
	uint32_t flags;          /* TSS_INSTANCE_* */
	uint64_t allowed[TSS_CALL_WORDS]; /* system calls that it may make */
	uint64_t asked[TSS_CALL_WORDS];   /* those that its monitor is asked about */
	uint32_t monitor;        /* object index: connection to the monitor, whose payer the instance is; or TSS_NO_OBJECT */
	uint32_t reserved;       /* 0 */
};
#define TSS_NO_OBJECT 0xffffffffu
#define TSS_INSTANCE_VECTORS 1u /* unit_vectors: its threads have vector and x87 registers */

/*
 * Objects. `payer` is the instance whose budget pays and, except for slices, whose capability is the original.
 *   type        a                       b                 c
 *   THREAD      -                       -                 -        main thread of payer (at most one)
 *   SCHED       CPU, from 0             -                 -        scheduling context of payer's main thread
 *   PORT        depth                   -                 -
 *   REPLY       object index of port    -                 -
 *   CONNECTION  object index of port    badge             credit   the port's object index is smaller
 *   EVENT       -                       -                 -
 *   MEMORY      source TSS_MEMORY_*     section or pages  physical address (DEVICE), enum tss_firmware (FIRMWARE), 1: in a row
 *   IRQ         line                    -                 -
 *   IOPORT      base                    count             enum tss_firmware; base is 0 then; 0: base is the port
 *   UNIT        instance index          -                 -        the unit of that instance; payer is init
 *   SYSTEM      -                       -                 -        payer is init
 */
struct tss_table_object {        /* 32 bytes */
	uint32_t type;           /* enum tss_type */
	uint32_t payer;          /* instance index */
	uint64_t a, b, c;
};
enum tss_memory_source {
	TSS_MEMORY_MAPPED = 1, /* b: section; its pages are used where they lie in the bundle (never writable) */
	TSS_MEMORY_COPIED = 2, /* b: section; fresh frames, section copied, rest zero */
	TSS_MEMORY_ZERO = 3,   /* b: pages; fresh zero frames: stack, heap, shared memory; c 1: in a row, for devices */
	TSS_MEMORY_DEVICE = 4, /* b: pages, c: physical address */
	TSS_MEMORY_FIRMWARE = 5, /* b: pages at most, c: what of the firmware's; absent from the machine: not made */
};

/* Devices whose place only the running machine's firmware knows. init finds them; a slot whose device is absent stays empty. */
enum tss_firmware {
	TSS_FIRMWARE_FACTS = 1,        /* memory: fresh frames with what components' <tessera/firmware.h> describes */
	TSS_FIRMWARE_FRAMEBUFFER = 2,  /* memory: pixels */
	TSS_FIRMWARE_DSDT = 3,         /* memory: the pages in which that table of ACPI lies */
	TSS_FIRMWARE_PM1A = 4, TSS_FIRMWARE_PM1B = 5, /* ports of ACPI: control registers of power management */
	TSS_FIRMWARE_SMI = 6, TSS_FIRMWARE_RESET = 7, /* command port, reset register */
	TSS_FIRMWARE_COUNT = 8,
};

/* One capability in one final capability space. Sorted by (instance, slot), no two alike. */
struct tss_table_grant {         /* 32 bytes */
	uint32_t instance;
	uint32_t slot;
	uint32_t object;
	uint32_t rights;
	uint64_t address;        /* MEMORY: where it is mapped; CONNECTION: where the region begins that it pages; 0: not, none */
	uint32_t protection;     /* MEMORY: TSS_RIGHT_READ/WRITE/EXECUTE it is mapped with; CONNECTION: pages of the region */
	uint32_t original;       /* 1: this is the object's original capability; exactly one grant an object has it */
};
/*
 * What a connection declares, and its mode; or the floor of a port, which declares nothing. Sorted by object, no two
 * alike. A connection without one is FAST and says nothing.
 */
struct tss_table_guard {         /* 32 bytes */
	uint32_t object;
	uint32_t mode;           /* enum tss_mode */
	uint64_t methods;        /* bit n: type n may be sent */
	uint32_t interval_us;    /* while PARANOID: one message more each, 0: no limit */
	uint32_t burst;
	uint32_t shares;         /* 1: memory may be handed over */
	uint32_t reserved;       /* 0 */
};
_Static_assert(sizeof(struct tss_table_instance) == 152 && sizeof(struct tss_table_guard) == 32, "table layout");

/* A directory: tells a server who is behind each badge of its connections. Count from section size. */
struct tss_directory_entry {     /* 64 bytes */
	uint64_t badge;          /* never 0; 0 ends the list */
	uint32_t importance;     /* 0..255 of the client; 255: it is never ended for want of memory */
	uint32_t paged;          /* pages of the client's region at TSS_LAYOUT_PAGED that this connection pages */
	uint8_t client[TSS_NAME_SIZE];
	uint8_t connection[32];  /* the client's name for it */
};

/*
 * After the end of the directory of who provides the interface pci: which devices its connections are, ended likewise.
 * which: bits 60-63 say by what, 48-55 how many that fit come before it. 1: bits 32-47 vendor, 16-31 device, 0-15 device too;
 * 2: bits 0-23 class, subclass, programming interface, of which bits 24-27 say how many count; 3: bits 8-15 bus, 3-7
 * device, 0-2 function.
 */
struct tss_directory_device {    /* 32 bytes */
	uint64_t badge, which;
	uint32_t dma_pages, vectors; /* what it may have at most */
	uint64_t reserved;       /* 0 */
};

/* Where things lie unless the plan says otherwise; a plan may move any of them. */
#define TSS_LAYOUT_IMAGE 0x0000000000400000ull
#define TSS_LAYOUT_HEAP 0x0000000100000000ull
#define TSS_LAYOUT_DIRECTORY 0x0000000200000000ull
#define TSS_LAYOUT_PAGED 0x0000000400000000ull
#define TSS_LAYOUT_STACK_TOP 0x00007ffff0000000ull
#define TSS_LAYOUT_IPC_PAGE 0x00007ffff8000000ull
#define TSS_LAYOUT_BUNDLE 0x0000001000000000ull /* init only: the whole bundle, read-only */

/*
 * What init finds in its own capability space when it starts: UNIT (CONTROL | GRANT), THREAD, SCHED, TEXT, RODATA,
 * DATA, STACK as every unit has them, SYSTEM with all rights, and BUNDLE: READ | EXECUTE | GRANT, mapped read-only
 * at TSS_LAYOUT_BUNDLE. Its argument is the size of the bundle in bytes. Its capability space has
 * TSS_INIT_SLOTS slots. Its image has at most one segment of each protection, linked at TSS_LAYOUT_IMAGE.
 */
#define TSS_INIT_SLOTS 1024u
#define TSS_INIT_STACK_PAGES 8u
#define TSS_INIT_PRIORITY 255u
