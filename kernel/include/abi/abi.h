/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * abi.h - the contract between kernel and components: version, handles, enums made from the tables.
 *
 * Everything under kernel/include/abi is freestanding C that both sides include and neither extends. The tables
 * (*.def) are read by the C preprocessor here and by the generator through that same preprocessor.
 */
#pragma once
#include <stdint.h>

/* Goes up whenever a row, a number, a layout or a meaning changes. The bundle names the version it was built for. */
#define TSS_ABI_VERSION 1u

/*
 * cap_t: a handle. Bits 0-15 slot, bits 16-31 generation of the slot. A slot's generation starts at 0 and goes up
 * each time the slot is emptied, so a capability that the generator placed has the slot number as its handle, and
 * a stale handle does not name the next tenant. Generations have 16 bits: after exactly 65,536 uses of its slot a handle
 * that was kept all the while names what is there then. It is a capability of the same unit all the same: who keeps a
 * stale handle that long can confuse his own capabilities, never gain one. 0 (slot 0) is never valid. Where a system call
 * takes a handle in a register of 64 bits the upper 32 must be 0; only in argument 1 of calls that take one type they
 * are not looked at (reply_receive has a second handle there).
 */
typedef uint32_t cap_t;
#define TSS_CAP_NULL 0u
#define TSS_SLOTS_MAX 4096u /* slots in one capability space at most */

/*
 * Slots with a fixed meaning in every unit; those that a unit has no use for stay empty. The rest is in slots.h,
 * which the generator makes for each component. The kernel's own search for a free slot starts at the top of the
 * space and goes down, so it stays out of the planned slots' way.
 */
enum {
	TSS_SLOT_UNIT = 1,       /* the unit itself, CONTROL; only if component.yaml says `self: true` */
	TSS_SLOT_THREAD = 2,     /* the main thread, no rights */
	TSS_SLOT_SCHED = 3,      /* its scheduling context, no rights */
	TSS_SLOT_TEXT = 4,       /* MEMORY: the image's read-execute segment */
	TSS_SLOT_RODATA = 5,     /* MEMORY: its read-only segment */
	TSS_SLOT_DATA = 6,       /* MEMORY: its read-write segment, .bss included */
	TSS_SLOT_STACK = 7,      /* MEMORY */
	TSS_SLOT_HEAP = 8,       /* MEMORY, mapped at TSS_LAYOUT_HEAP */
	TSS_SLOT_DIRECTORY = 9,  /* MEMORY: who is behind each badge */
	TSS_SLOT_SYSTEM = 10,    /* SYSTEM, with the rights component.yaml lists */
	TSS_SLOT_BUNDLE = 11,    /* init only */
	TSS_SLOT_FIRST = 16,     /* first slot that slots.h hands out */
};

typedef uint64_t tss_status_t; /* code | argument << 8 */
#define TSS_STATUS(code, argument) ((tss_status_t)(code) | (tss_status_t)(argument) << 8)
#define TSS_CODE(status) ((unsigned)((status)&0xffu))
#define TSS_ARGUMENT(status) ((unsigned)((status) >> 8 & 0xffu))

enum tss_error {
#define ERROR(code, name, text) TSS_E_##name = (code),
#include "errors.def"
#undef ERROR
};
#define TSS_OK TSS_E_OK

enum tss_right {
#define RIGHT(bit, name, letter, text) TSS_RIGHT_##name = 1 << (bit),
#include "rights.def"
#undef RIGHT
	TSS_RIGHT_NONE = 0,
	TSS_RIGHT_ALL = 0xffff,
};

enum tss_type {
#define OBJECT(number, name, lower, rights, text) TSS_TYPE_##name = (number),
#include "objects.def"
#undef OBJECT
	TSS_TYPE_COUNT
};

enum tss_syscall {
#define SYSCALL(number, object, type, verb, right, argc, form, text) TSS_SYS_##object##_##verb = (number),
#include "syscalls.def"
#undef SYSCALL
	TSS_SYSCALL_END, /* rows have consecutive numbers, in order */
	TSS_SYSCALL_FIRST = 0x1000,
	TSS_SYSCALL_COUNT = TSS_SYSCALL_END - TSS_SYSCALL_FIRST,
};

enum tss_fault {
#define FAULT(number, name, text) TSS_FAULT_##name = (number),
#include "faults.def"
#undef FAULT
};

/* Words of a mask of system calls: bit n % 64 of word n / 64 is call 0x1000 + n. */
#define TSS_CALL_WORDS 2u

/* What a monitor says of a call that it is asked about: type of the reply to a TSS_MSG_SYSCALL. */
enum tss_call_answer { TSS_CALL_ALLOW = 0, TSS_CALL_FAULT = 1, TSS_CALL_RESULT = 2, TSS_CALL_TELL = 3 };

/* What a handler says of a fault: argument of fault_return, type of the reply to a TSS_MSG_FAULT call. */
enum tss_fault_action { TSS_FAULT_RESUME = 0, TSS_FAULT_GIVE_UP = 1 };

/* Timeouts are microseconds, relative. 0: do not block. */
#define TSS_INFINITE (~0ull)
#define TSS_TIMEOUT_MAX (1ull << 44) /* finite timeouts are at most this (about 203 days); more is TSS_E_ARGUMENT */

/* Security modes of a connection, the strictest last. */
enum tss_mode { TSS_MODE_FAST = 0, TSS_MODE_HARDENED = 1, TSS_MODE_PARANOID = 2 };
#define TSS_METHODS_ANY (~0ull)

/* unit_install flags */
#define TSS_INSTALL_COPY 0u /* derive from source */
#define TSS_INSTALL_MOVE 1u /* source's slot becomes empty; the capability keeps its place in the derivation list */

/* Bytes of a page; every address and size of the memory calls is in these. */
#define TSS_PAGE_SIZE 4096ull

/* memory_create: beside the number of pages. Its frames are in a row, for devices; none are if too few are that were never used. */
#define TSS_MEMORY_IN_A_ROW (1ull << 63)

/* irq_create: numbers of lines are below, those from here up to TSS_IRQ_COUNT are what devices write to interrupt (MSI). */
#define TSS_IRQ_MESSAGES 64u
#define TSS_IRQ_COUNT 128u

/* User addresses: [TSS_USER_BASE, TSS_USER_END). */
#define TSS_USER_BASE 0x10000ull
#define TSS_USER_END 0x0000800000000000ull

/* Scheduling: 255 is the most urgent priority. */
#define TSS_PRIORITY_MAX 255u
#define TSS_SLICE_MIN_US 100u
#define TSS_SLICE_MAX_US 10000000u
#define TSS_PERIOD_MAX_US 10000000u /* of a budget, which is at least TSS_SLICE_MIN_US and at most the period */
#define TSS_NAME_SIZE 16 /* unit names: NUL-padded, not necessarily terminated */
