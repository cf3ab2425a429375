/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.h - messages and the IPC page.
 *
 * A message is a type, a length of 0..256 bytes and 0..4 capabilities. Its first 32 bytes travel in registers, the
 * rest through the two threads' IPC pages; the kernel copies exactly `length` bytes and reads the tag once.
 *
 *   register   call, send, reply in    reply_receive in       call out        receive, reply_receive out
 *   rax        number                  number                 status          status
 *   rdi        capability              port | reply << 32     0               badge of the connection
 *   rsi        tag                     tag of the reply       tag             tag
 *   rdx        timeout (call)          timeout                0               reply handle, 0 if none is due
 *   r10        bytes 0-7               the same               bytes 0-7       bytes 0-7
 *   r8         bytes 8-15                                     bytes 8-15      bytes 8-15
 *   r9         bytes 16-23                                    bytes 16-23     bytes 16-23
 *   rbx        bytes 24-31                                    bytes 24-31     bytes 24-31
 *
 * rcx and r11 are lost; rbp rsp r12-r15 are kept. Words past the length are zero or stale words of the same sender,
 * never of a third. Bytes 32.. are at send[4] of the sender's page and arrive at recv[4] of the receiver's.
 * When the status of a call, receive or reply_receive is not TSS_OK the other result registers are 0; a send leaves
 * nothing there but the sender's own words.
 *
 * Capabilities: each needs GRANT and is derived, the sender keeps his. A reply handle in use needs none and moves: who
 * receives it answers the caller, who now lends him his priority; a used, free or moved one is refused (CAPABILITY). A
 * call or a reply with more capabilities than the other side has declared empty slots is refused (NO_SLOT). A send does
 * not wait to know: one that finds no slot at the receiver is dropped, and one that was revoked on the way is gone; the
 * tag counts what was sent, and recv_caps says TSS_CAP_NULL in that place. A caller whose reply handle is dropped, or
 * whose new holder ends, gets PEER_DEAD.
 *
 * reply_receive with reply handle 0 only receives. If its reply fails (GONE, CAPABILITY, NO_SLOT on argument 2...)
 * it returns that error at once without receiving.
 */
#pragma once
#include "abi.h"

#define TSS_MESSAGE_MAX 256u       /* bytes */
#define TSS_MESSAGE_WORDS 32u      /* 64-bit words */
#define TSS_MESSAGE_REGISTERS 4u   /* words in registers */
#define TSS_MESSAGE_CAPS 4u

/* tag: bits 0-31 type, 32-47 length in bytes, 48-55 number of capabilities, 56-63 zero */
typedef uint64_t tss_tag_t;
#define TSS_TAG(type, length, caps) ((tss_tag_t)(uint32_t)(type) | (tss_tag_t)(length) << 32 | (tss_tag_t)(caps) << 48)
#define TSS_TAG_TYPE(tag) ((uint32_t)(tag))
#define TSS_TAG_LENGTH(tag) ((uint32_t)((tag) >> 32 & 0xffffu))
#define TSS_TAG_CAPS(tag) ((uint32_t)((tag) >> 48 & 0xffu))

/*
 * Types from 0xffff0000 up are the kernel's own; a message that a unit sends with one is refused (ARGUMENT). Types
 * below are the interface's: in a request the method number, in a reply the interface's error (0: success).
 */
#define TSS_TYPE_KERNEL 0xffff0000u
#define TSS_MSG_EVENT 0xffff0001u /* bound event: word 0 has the bits, now cleared; badge 0 */
#define TSS_EVENT_CANCEL (1ull << 63) /* set by the kernel in the event bound to a port: a caller whose call was received
	has given up (time-out, death), so that one of the reply handles will return GONE */
#define TSS_MSG_FAULT 0xffff0002u /* struct tss_fault_record; badge of the fault_port or supervise connection */
#define TSS_MSG_ENDED 0xffff0003u /* a unit ended: word 0 exit code, words 1-2 its name */
#define TSS_MSG_SYSCALL 0xffff0004u /* struct tss_fault_record of kind INTERPOSED; badge of the interpose connection */
#define TSS_MSG_PAGE 0xffff0010u  /* a call: a page of a region is missing, see below */

/*
 * Pages. The call, 24 bytes, has the address of the page in word 0, TSS_RIGHT_READ, WRITE or EXECUTE in word 1 (what was
 * tried), and in word 2 whether a page is there, which is mapped for reading then. The reply is TSS_FAULT_RESUME with one
 * memory capability (GRANT), the address where it begins in word 0 and its protection in word 1: the kernel maps it there,
 * whole, in the place of what an earlier reply has mapped at that very address, which must not have been smaller. It has
 * to lie in the region and cover the page. Without a capability the thread tries again; TSS_FAULT_GIVE_UP makes a fault of
 * it like any other. A reply that fails (argument 2) leaves the caller waiting for another one: RIGHTS, ARGUMENT (words);
 * OCCUPIED, something else is mapped there; MEMORY, the caller's unit cannot pay for page tables.
 */

/*
 * What is told of a fault: 192 bytes. A thread's own handler finds it in its IPC page; at a fault port it is a call, at
 * a supervisor a message without reply (words 0-3 in registers).
 *
 * RESUME takes ip, sp, flags and regs from the record: a handler in the page, a fault port's reply of 192 bytes; a reply
 * of 0 bytes changes nothing. ip and sp must be user addresses (else ARGUMENT, and the fault still waits), of flags only
 * the arithmetic ones, DF, TF, AC, ID and RF count. The ip of a SYSCALL is its instruction; that of DEBUG is the next one
 * after a breakpoint or a single step. When a thread's own handler gives up, the record goes on as it stands then,
 * thread and unit excepted; a reply that gives up has no payload.
 */
struct tss_fault_record {
	uint64_t kind;       /* enum tss_fault */
	uint64_t address;    /* the address at fault; for SYSCALL the number */
	uint64_t ip;         /* instruction that faulted */
	uint64_t sp;
	uint64_t flags;      /* rflags */
	uint64_t code;       /* exception vector << 32 | CPU error code */
	uint64_t thread;     /* object id of the thread */
	uint8_t unit[TSS_NAME_SIZE];
	uint64_t regs[15];   /* rax rbx rcx rdx rsi rdi rbp r8-r15 */
};

/*
 * A call that a unit's monitor is asked about (unit_interpose) is the same record: address has the number, regs the
 * arguments, code 0. The thread stands still until the reply, with a type of enum tss_call_answer:
 *   ALLOW   of 0 bytes: the kernel carries the call out now, as if it were made now: handles are looked up now, its
 *           time-out begins now, if it blocks it blocks its thread and not the monitor. Of 192 bytes: with the record's
 *           regs instead.
 *   TELL    the same, and a second TSS_MSG_SYSCALL with code 1 and the results in regs, unless the call blocked, handed
 *           over to another thread, or ended its own. Answered by ALLOW, which lets the thread go on (192 bytes: with the
 *           record's regs), RESULT or FAULT.
 *   RESULT  it is not carried out. 16 bytes: word 0 is its status, word 1 its value, other results are 0.
 *   FAULT   the unit ends as by a denied call.
 * Without a monitor nothing is carried out: a call that waits for the answer of one that dies gets PEER_RESTARTED or
 * PEER_DEAD, one that asks a monitor being restarted waits until it is back, and later ones get PEER_DEAD; argument 0.
 */

/*
 * A system call whose number no row of syscalls.def has, as self_redirect's handler finds it: on its own stack, all other
 * registers as they were at the call, but rcx and r11, which every system call loses. It goes back by itself, without a
 * system call (tss_redirect_entry in libtessera): ip is cleared, then all registers are loaded. While ip is not 0 another
 * foreign call of the thread is a fault (SYSCALL).
 */
struct tss_redirect {
	uint64_t ip;     /* of the instruction after the call */
	uint64_t sp;
	uint64_t flags;  /* rflags */
	uint64_t number; /* rax: the number, later the result */
};

/*
 * The IPC page: one a thread, pinned, mapped read-write in its unit, reached as GS:0. The kernel has its own alias
 * of the frame and believes nothing it reads there: handles and slots are checked as system-call arguments are.
 */
struct tss_ipc_page {
	uint64_t self;                           /* 0x000 address of this page in the unit (written once, by the kernel) */
	uint64_t thread;                         /* 0x008 object id of the thread (likewise) */
	uint8_t unit[TSS_NAME_SIZE];             /* 0x010 name of the unit (likewise) */
	cap_t send_caps[TSS_MESSAGE_CAPS];       /* 0x020 handles to hand over, see above */
	cap_t recv_slots[TSS_MESSAGE_CAPS];      /* 0x030 slot numbers, empty slots of the receiver; 0 ends the list */
	cap_t recv_caps[TSS_MESSAGE_CAPS];       /* 0x040 handles that arrived */
	uint64_t reserved[22];                   /* 0x050 */
	uint64_t send[TSS_MESSAGE_WORDS];        /* 0x100 */
	uint64_t recv[TSS_MESSAGE_WORDS];        /* 0x200 */
	struct tss_fault_record fault;           /* 0x300 of this thread's own fault, for its handler */
	struct tss_redirect redirect;            /* 0x3c0 of the foreign system call that this thread's handler serves */
	uint64_t reserved2[4];                   /* 0x3e0 */
	uint8_t local[3072];                     /* 0x400 the program's own: libtessera's thread data; the kernel never looks */
};
_Static_assert(sizeof(struct tss_ipc_page) == 4096, "the IPC page is one page");
