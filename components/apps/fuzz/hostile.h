/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile.h - what a call's arguments should look like, a letter each; calls that are not here get anything. */
#pragma once
#include <tessera/tessera.h>

#define DIRECT_MAP 0xffff800000000000ull
#define KERNEL_AT 0xffffffff80000000ull

struct registers {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9, rbx;
};

/*
 * u unit, h thread, s sched, p port, c connection, r reply, e event, m memory, q irq, i I/O ports, y system, * any
 * handle; n N small numbers; f flag; k type; a page address; x rights; d protection; t short time; g tag; l slot; E entry point;
 * S stack; b port and reply; ? anything
 */
#define ROW(call, kinds) [TSS_SYS_##call - TSS_SYSCALL_FIRST] = (kinds)
#define HOSTILE_ROWS                                                                                                   \
	ROW(self_sleep, "t"), ROW(capability_derive, "*x"), ROW(capability_delete, "*"), ROW(capability_inspect, "*"), \
		ROW(capability_revoke, "*"), ROW(unit_create, "uNN??"), ROW(unit_install, "ul*xf"),                    \
		ROW(unit_map, "umad"), ROW(unit_unmap, "um"), ROW(unit_supervise, "uc"), ROW(unit_restrict, "u??"),    \
		ROW(unit_kill, "uf"), ROW(thread_create, "uESan"), ROW(thread_start, "hs"), ROW(sched_create, "yuNt"), \
		ROW(port_create, "un"), ROW(port_receive, "pt"), ROW(port_reply_receive, "bgt"),                       \
		ROW(reply_create, "pu"), ROW(reply_send, "rg"), ROW(connection_create, "punn"),                        \
		ROW(connection_call, "cgt"), ROW(connection_send, "cg"), ROW(event_create, "u"),                       \
		ROW(event_signal, "e?"), ROW(event_wait, "et"), ROW(event_bind, "ep"), ROW(memory_create, "un"),       \
		ROW(memory_slice, "mnn"), ROW(memory_device, "yan"), ROW(irq_create, "yn"), ROW(irq_bind, "qe?"),      \
		ROW(irq_ack, "q"), ROW(ioport_create, "y?n"), ROW(ioport_read, "inn"), ROW(ioport_write, "innn"),      \
		ROW(system_inspect, "ynnn"), ROW(memory_template, "mmnN"), ROW(unit_seal, "u"),                        \
		ROW(unit_restart, "un"), ROW(self_fault_handler, "ES"), ROW(self_fault_return, "n"),                   \
		ROW(self_fs_base, "a"), ROW(unit_fault_port, "uc"), ROW(unit_vectors, "u"),                            \
		ROW(capability_move, "*l"), ROW(capability_check, "*kx"), ROW(self_redirect, "ES"),                    \
		ROW(unit_interpose, "uc??"), ROW(sched_place, "ysn"), ROW(system_trace, "ymn"),                        \
		ROW(port_mailbox, "pm"), ROW(capability_set_mode, "*f"), ROW(connection_declare, "c?ttf"),             \
		ROW(system_audit, "yen"), ROW(unit_pager, "ucan"), ROW(unit_reserve, "ue?nn"), ROW(memory_seal, "m"),  \
		ROW(sched_configure, "ysN?n"), ROW(sched_watch, "se?"), ROW(memory_address, "ymn"),                    \
		ROW(irq_message, "yq"), ROW(ioport_input, "innN"), ROW(ioport_output, "innN")

/* The call in r, all its registers; what came back is there too. */
static inline void hostile_call(struct registers *r)
{
	/* cppcheck-suppress constStatement */
	register uint64_t r10 asm("r10") = r->r10;
	/* cppcheck-suppress constStatement */
	register uint64_t r8 asm("r8") = r->r8;
	/* cppcheck-suppress constStatement */
	register uint64_t r9 asm("r9") = r->r9;
	/* Safety: every register a system call may change is an output. */
	asm volatile("syscall"
		     : "+a"(r->rax), "+D"(r->rdi), "+S"(r->rsi), "+d"(r->rdx), "+b"(r->rbx), "+r"(r10), "+r"(r8),
		       "+r"(r9)
		     :
		     : "rcx", "r11", "memory");
	r->r10 = r10;
	r->r8 = r8;
	r->r9 = r9;
}
