/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - the init table and the directories in the bundle, whose header, sections and instances abi/bundle.h describes.
 *
 * References are indexes into the arrays. init works through them once: units, then objects in order, then grants, then
 * it starts the threads in order.
 */
#pragma once
#include <abi/bundle.h>

/* Flags of the table, and of an instance; a monitor's index if there is none. */
#define TSS_TABLE_DUMP 1u /* init prints all capability tables before the first instance runs */
#define TSS_NO_OBJECT 0xffffffffu
#define TSS_INSTANCE_VECTORS 1u /* unit_vectors: its threads have vector and x87 registers */
#define TSS_INSTANCE_MOVES 2u /* what the plan puts below TSS_LAYOUT_MOVED lies elsewhere, at each start */

/*
 * Where things lie unless the plan says otherwise; a plan may move any of them. With TSS_INSTANCE_MOVES, image and stack
 * (what is below TSS_LAYOUT_MOVED) lie higher by a multiple of it, drawn from [TSS_PLACE_FIRST, TSS_PLACE_END).
 */
#define TSS_LAYOUT_IMAGE 0x0000000000400000ull
#define TSS_LAYOUT_MOVED 0x0000000040000000ull
#define TSS_PLACE_FIRST 512u
#define TSS_PLACE_END (255u * 512u)
#define TSS_LAYOUT_HEAP 0x0000000100000000ull
#define TSS_LAYOUT_DIRECTORY 0x0000000200000000ull
#define TSS_LAYOUT_IMAGES 0x0000000210000000ull /* init, supervisor: what it looks at before restarts (section.h) */
#define TSS_LAYOUT_PAGED 0x0000000400000000ull
#define TSS_LAYOUT_STACK_TOP 0x000000003ff00000ull
#define TSS_LAYOUT_IPC_PAGE 0x00007ffff8000000ull

/*
 * Objects. `payer` is the instance whose budget pays and, except for slices, whose capability is the original.
 *   type        a                       b                 c
 *   THREAD      -                       -                 -        main thread of payer (at most one)
 *   SCHED       CPU, from 0             budget_us         deadline_us  of payer's main thread; b: | period_us << 32
 *   PORT        depth                   -                 -
 *   REPLY       object index of port    -                 -
 *   CONNECTION  object index of port    badge             credit   the port's object index is smaller
 *   EVENT       -                       -                 -
 *   MEMORY      source TSS_MEMORY_*     section or pages  physical address (DEVICE), enum tss_firmware (FIRMWARE), 1: in a row,
 *                                                         sections (SECTIONS)
 *   IRQ         line                    -                 -
 *   IOPORT      base                    count             enum tss_firmware; base is 0 then; 0: base is the port
 *   UNIT        instance index          -                 -        the unit of that instance; payer is init
 *   SYSTEM      -                       -                 -        payer is init
 */
struct tss_table_object { /* 32 bytes */
	uint32_t type; /* enum tss_type */
	uint32_t payer; /* instance index */
	uint64_t a, b, c;
};
enum tss_memory_source {
	TSS_MEMORY_MAPPED = 1, /* b: section; its pages are used where they lie in the bundle (never writable) */
	TSS_MEMORY_COPIED = 2, /* b: section; fresh frames, section copied, rest zero */
	TSS_MEMORY_ZERO = 3, /* b: pages; fresh zero frames: stack, heap, shared memory; c 1: in a row, for devices */
	TSS_MEMORY_DEVICE = 4, /* b: pages, c: physical address */
	TSS_MEMORY_FIRMWARE = 5, /* b: pages at most, c: what of the firmware's; absent from the machine: not made */
	TSS_MEMORY_SECTIONS =
		6, /* b: first section, c: how many; their pages in the bundle, good or damaged, to be read */
};

/* Devices whose place only the running machine's firmware knows. init finds them; a slot whose device is absent stays empty. */
enum tss_firmware {
	TSS_FIRMWARE_FACTS = 1, /* memory: fresh frames with what components' <tessera/firmware.h> describes */
	TSS_FIRMWARE_FRAMEBUFFER = 2, /* memory: pixels */
	TSS_FIRMWARE_DSDT = 3, /* memory: the pages in which that table of ACPI lies */
	TSS_FIRMWARE_PM1A = 4,
	TSS_FIRMWARE_PM1B = 5, /* ports of ACPI: control registers of power management */
	TSS_FIRMWARE_SMI = 6,
	TSS_FIRMWARE_RESET = 7, /* command port, reset register */
	TSS_FIRMWARE_COUNT = 8,
};

/* One capability in one final capability space. Sorted by (instance, slot), no two alike. */
struct tss_table_grant { /* 32 bytes */
	uint32_t instance;
	uint32_t slot;
	uint32_t object;
	uint32_t rights;
	uint64_t
		address; /* MEMORY: where it is mapped; CONNECTION: where the region begins that it pages; 0: not, none */
	uint32_t
		protection; /* MEMORY: TSS_RIGHT_READ/WRITE/EXECUTE it is mapped with; CONNECTION: pages of the region */
	uint32_t original; /* 1: this is the object's original capability; exactly one grant an object has it */
};
/*
 * What a connection declares, and its mode; or the floor of a port, which declares nothing. Sorted by object, no two
 * alike. A connection without one is FAST and says nothing.
 */
struct tss_table_guard { /* 32 bytes */
	uint32_t object;
	uint32_t mode; /* enum tss_mode */
	uint64_t methods; /* bit n: type n may be sent */
	uint32_t interval_us; /* while PARANOID: one message more each, 0: no limit */
	uint32_t burst;
	uint32_t shares; /* 1: memory may be handed over */
	uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct tss_table_grant) == 32 && sizeof(struct tss_table_guard) == 32, "table layout");

/* A directory: tells a server who is behind each badge of its connections. Count from section size. */
struct tss_directory_entry { /* 64 bytes */
	uint64_t badge; /* never 0; 0 ends the list */
	uint32_t importance; /* 0..255 of the client; 255: it is never ended for want of memory */
	uint32_t paged; /* pages of the client's region at TSS_LAYOUT_PAGED that this connection pages */
	uint8_t client[TSS_NAME_SIZE];
	uint8_t connection[32]; /* the client's name for it */
};

/*
 * After the end of the directory of who provides the interface pci: which devices its connections are, ended likewise.
 * which: bits 60-63 say by what, 48-55 how many that fit come before it. 1: bits 32-47 vendor, 16-31 device, 0-15 device too;
 * 2: bits 0-23 class, subclass, programming interface, of which bits 24-27 say how many count; 3: bits 8-15 bus, 3-7
 * device, 0-2 function.
 */
struct tss_directory_device { /* 32 bytes */
	uint64_t badge, which;
	uint32_t dma_pages, vectors; /* what it may have at most */
	uint64_t reserved; /* 0 */
};
