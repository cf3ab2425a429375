/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - boot order, as plain calls. Each step may use what the steps before it have set up. */
#include <asm_offsets.h>
#include <bundle_check.h>
#include <frame.h>
#include <port.h>
#include <syscall.h>

#define OFFSET(type, member, value) _Static_assert(offsetof(type, member) == (value), "asm_offsets.h")
OFFSET(struct cpu, self, CPU_SELF);
OFFSET(struct cpu, current, CPU_CURRENT);
OFFSET(struct cpu, kernel_stack, CPU_STACK);
OFFSET(struct cpu, scratch, CPU_SCRATCH);
OFFSET(struct cpu, sched, CPU_SCHED);
OFFSET(struct cpu, space_root, CPU_SPACE_ROOT);
OFFSET(struct cpu, need_resched, CPU_NEED_RESCHED);
OFFSET(struct cpu, fast_calls, CPU_FAST_CALLS);
OFFSET(struct cpu, exclusive, CPU_NEED_RESCHED + 1);
OFFSET(struct cpu, wanted, CPU_NEED_RESCHED + 2);
OFFSET(struct cpu, traced, CPU_NEED_RESCHED + 3);
OFFSET(struct cpu, call_pending, CPU_CALL_PENDING);
OFFSET(struct cpu, lock, CPU_LOCK);
OFFSET(struct thread, frame, THREAD_FRAME);
OFFSET(struct thread, unit, THREAD_UNIT);
OFFSET(struct thread, ipc, THREAD_IPC);
OFFSET(struct thread, ipc_user, THREAD_IPC_USER);
OFFSET(struct thread, root, THREAD_ROOT);
OFFSET(struct thread, progress, THREAD_PROGRESS);
OFFSET(struct thread, port, THREAD_PORT);
OFFSET(struct thread, reply, THREAD_REPLY);
OFFSET(struct thread, timeout.again, THREAD_AGAIN);
OFFSET(struct thread, timeout.restarted, THREAD_RESTARTED);
OFFSET(struct thread, timeout.armed, THREAD_ARMED);
OFFSET(struct thread, switches, THREAD_SWITCHES);
OFFSET(struct thread, last_port, THREAD_LAST_PORT);
OFFSET(struct thread, last_reply, THREAD_LAST_REPLY);
OFFSET(struct thread, last_connection, THREAD_LAST_CONNECTION);
OFFSET(struct thread, lane, THREAD_LANE);
OFFSET(struct thread, redirect, THREAD_REDIRECT);
OFFSET(struct thread, guard, THREAD_GUARD);
OFFSET(struct unit, caps.pages, UNIT_CAPS);
OFFSET(struct capability, object, CAP_OBJECT);
OFFSET(struct capability, handle, CAP_HANDLE);
OFFSET(struct capability, refused, CAP_REFUSED);
OFFSET(struct connection, fast, CONNECTION_FAST_PORT);
OFFSET(struct connection, badge, CONNECTION_BADGE);
OFFSET(struct connection, port, CONNECTION_PORT);
OFFSET(struct connection, guard, CONNECTION_GUARD);
OFFSET(struct connection, methods, CONNECTION_METHODS);
OFFSET(struct connection, calls, CONNECTION_CALLS);
OFFSET(struct port, fast, PORT_FAST);
OFFSET(struct port, receiver, PORT_RECEIVER);
OFFSET(struct port, busy, PORT_BUSY);
OFFSET(struct reply, port, REPLY_PORT);
OFFSET(struct reply, caller, REPLY_CALLER);
OFFSET(struct reply, server, REPLY_SERVER);
OFFSET(struct reply, sched, REPLY_SCHED);
OFFSET(struct reply, fault_sched, REPLY_FAULT_SCHED);
OFFSET(struct reply, cap, REPLY_CAP);
OFFSET(struct tss_ipc_page, send, IPC_SEND - MESSAGE_REGISTERS);
OFFSET(struct tss_ipc_page, recv, IPC_RECEIVE - MESSAGE_REGISTERS);
OFFSET(struct tss_ipc_page, redirect, IPC_REDIRECT);
OFFSET(struct unit, table, UNIT_TABLE);
OFFSET(struct syscall_table, row, TABLE_ROWS);
_Static_assert(sizeof(struct syscall_row) == 16 && SYSCALLS == TSS_SYSCALL_COUNT, "asm_offsets.h");
_Static_assert(SYSCALL_CALL == TSS_SYS_connection_call && SYSCALL_REPLY_RECEIVE == TSS_SYS_port_reply_receive &&
		       NEEDS_CALL == CAP_NEEDS(TSS_TYPE_CONNECTION, TSS_RIGHT_CALL) &&
		       NEEDS_RECEIVE == CAP_NEEDS(TSS_TYPE_PORT, TSS_RIGHT_RECEIVE) &&
		       NEEDS_REPLY == CAP_NEEDS(TSS_TYPE_REPLY, TSS_RIGHT_SEND) && STATE_READY == TSS_THREAD_READY &&
		       MESSAGE_MAX == TSS_MESSAGE_MAX && MESSAGE_REGISTERS == TSS_MESSAGE_REGISTERS * 8 &&
		       HARDENED == TSS_MODE_HARDENED && sizeof(struct guard) == 8 &&
		       STATE_RECEIVING == TSS_THREAD_RECEIVING && STATE_CALLING == TSS_THREAD_CALLING,
	       "asm_offsets.h");
_Static_assert(FLAGS_INITIAL == ARCH_USER_FLAGS(0), "asm_offsets.h");
_Static_assert(SYSCALL_FIRST == TSS_SYSCALL_FIRST && ABI_VERSION == TSS_ABI_VERSION, "asm_offsets.h");
enum {
#define WORD(name) FRAME_##name,
	FRAME_WORDS(WORD)
#undef WORD
};
#define WORD(name) OFFSET(struct arch_frame, name, FRAME_##name * sizeof(uint64_t));
FRAME_WORDS(WORD)

static void bundle_open(struct bundle *bundle)
{
	static uint8_t root[32];
	const char *section;
	int has_root = bundle_root_option(boot_info.cmdline, root);
	if (has_root < 0)
		panic("tessera.root= on the command line is not 64 hexadecimal digits");
	if (!boot_info.bundle_size)
		panic("the boot loader brought no bundle (module2 in grub.cfg)");
	const char *error = bundle_check(phys_to_virt(boot_info.bundle), boot_info.bundle_size, has_root ? root : NULL,
					 bundle, &section);
	if (error)
		panic("the bundle %s%s%s", error, section ? ": " : "", section ? section : "");
}

void kernel_main(void)
{
	static struct bundle bundle;
	log_printf("Tessera, ABI %u, %u MiB of RAM in %u regions\n", TSS_ABI_VERSION, (unsigned)(frame_init() >> 8),
		   boot_info.ram_count);
	object_init_lists();
	arch_init_devices();
	arch_init_syscalls();
	sched_init(cpu_this());
	arch_start_cpus();
	bundle_open(&bundle);
	init_build(&bundle);
	sched_schedule();
	boot_info.init_tsc = arch_tsc();
	arch_resume();
}
