/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - boot order, as plain calls. Each step may use what the steps before it have set up. */
#include <asm_offsets.h>
#include <boot.h>
#include <bundle_check.h>
#include <frame.h>
#include <thread.h>

#define OFFSET(type, member, value) _Static_assert(offsetof(type, member) == (value), "asm_offsets.h")
OFFSET(struct cpu, self, CPU_SELF);
OFFSET(struct cpu, current, CPU_CURRENT);
OFFSET(struct cpu, kernel_stack, CPU_STACK);
OFFSET(struct cpu, scratch, CPU_SCRATCH);
OFFSET(struct cpu, sched, CPU_SCHED);
OFFSET(struct cpu, need_resched, CPU_NEED_RESCHED);
OFFSET(struct thread, frame.rbx, FRAME_RBX);
OFFSET(struct thread, frame.rdi, FRAME_RDI);
OFFSET(struct thread, frame.rbp, FRAME_RBP);
OFFSET(struct thread, frame.r8, FRAME_R8);
OFFSET(struct thread, frame.r15, FRAME_R15);
OFFSET(struct thread, frame.rip, FRAME_RIP);
OFFSET(struct thread, frame.rsp, FRAME_RSP);
OFFSET(struct thread, frame.full, FRAME_FULL);
OFFSET(struct thread, frame.vector, FRAME_VECTOR);
OFFSET(struct thread, frame.address, FRAME_ADDRESS);
OFFSET(struct thread, frame, THREAD_FRAME);
OFFSET(struct thread, object, 0);

struct cpu cpus[CPUS_MAX];

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
	timer_init();
	sched_init();
	bundle_open(&bundle);
	init_build(&bundle);
	sched_schedule();
	cpu_this()->init_tsc = arch_tsc();
	arch_resume();
}
