/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - boot order, as plain calls. Each step may use what the steps before it have set up. */
#include <asm_offsets.h>
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
OFFSET(struct thread, frame, THREAD_FRAME);
enum {
#define WORD(name) FRAME_##name,
	FRAME_WORDS(WORD)
#undef WORD
};
#define WORD(name) OFFSET(struct arch_frame, name, FRAME_##name * sizeof(uint64_t));
FRAME_WORDS(WORD)

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
