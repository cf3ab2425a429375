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
 * The init table: header, then four arrays back to back, of instances, objects, grants and guards; all but the first
 * instance is init's business alone (components/lib/include/tessera/table.h).
 */
#define TSS_TABLE_MAGIC 0x4c425453u /* "STBL" */
struct tss_table_header {        /* 32 bytes */
	uint32_t magic;
	uint32_t instance_count, object_count, grant_count;
	uint64_t init_pages;     /* pages init keeps for itself */
	uint32_t flags;          /* TSS_TABLE_* */
	uint32_t guard_count;
};

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

_Static_assert(sizeof(struct tss_table_instance) == 152, "table layout");

#define TSS_LAYOUT_BUNDLE 0x0000001000000000ull /* init only: the whole bundle, read-only */

/*
 * What init finds in its own capability space when it starts: UNIT (CONTROL | GRANT), THREAD, SCHED, TEXT, RODATA,
 * DATA, STACK as every unit has them, SYSTEM with all rights, and BUNDLE: READ | EXECUTE | GRANT, mapped read-only
 * at TSS_LAYOUT_BUNDLE. Its argument is the size of the bundle in bytes. Its capability space has as
 * many slots as its row in the init table says. Its image has at most one segment of each protection, linked at TSS_LAYOUT_IMAGE.
 */
#define TSS_INIT_STACK_PAGES 8u
#define TSS_INIT_PRIORITY 255u
