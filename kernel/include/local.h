/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local.h - the system calls that begin with this CPU's lock alone. Each looks whether what it is going to touch is at
 * home here, before it changes anything, and if not starts anew with all locks: kernel_exclusive(). All other rows of
 * syscalls.def have all locks from the start, and need not look.
 */
#pragma once

#define LOCAL_self_version 1
#define LOCAL_self_clock 1
#define LOCAL_self_yield 1
#define LOCAL_self_sleep 1
#define LOCAL_self_fault_handler 1
#define LOCAL_self_fault_return 1
#define LOCAL_self_fs_base 1
#define LOCAL_capability_check 1
#define LOCAL_capability_inspect 1
#define LOCAL_connection_call 1
#define LOCAL_connection_send 1
#define LOCAL_port_receive 1
#define LOCAL_port_reply_receive 1
#define LOCAL_reply_send 1
#define LOCAL_event_signal 1
#define LOCAL_event_wait 1
#define LOCAL_irq_ack 1
#define LOCAL_ioport_read 1
#define LOCAL_ioport_write 1
#define LOCAL_memory_create 1 /* what it needs is cleared first, then it starts anew */
