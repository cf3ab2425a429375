/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - boot order, as plain calls. Each step may use what the steps before it have set up. */
#include <bundle_check.h>
#include <frame.h>
#include <port.h>
#include <syscall.h>

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
