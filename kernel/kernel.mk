# SPDX-License-Identifier: BSD-2-Clause
# The kernel: all sources under its folders, one position-independent ELF.
KERNEL_FOLDERS := core obj sched mm trace arch/x86_64
# With CONFIG_AUDIT the tests' own walk over everything is linked in (tests/audit).
OFFSETS := kernel/arch/x86_64/offsets.c
KERNEL_SOURCES := $(filter-out $(OFFSETS),$(sort $(shell find $(KERNEL_FOLDERS:%=kernel/%) -name '*.[cS]' 2>/dev/null))) \
	$(if $(CONFIG_AUDIT),$(wildcard tests/audit/*.c))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(O)/%.o)
KERNEL_SCRIPT := kernel/arch/x86_64/kernel.ld

# Common to kernel and components.
C_FLAGS := -std=gnu2x -O2 -g -Wall -Wextra -Werror -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -ffreestanding -fno-common -fno-builtin -fpie -fvisibility=hidden -mgeneral-regs-only -fcf-protection=none \
	-fno-asynchronous-unwind-tables "-fdebug-prefix-map=$(CURDIR)=." "-ffile-prefix-map=$(O)=." \
	"-ffile-prefix-map=$(abspath $(O))=."
LINK_FLAGS := -pie --no-dynamic-linker -z text -z max-page-size=4096 -z noexecstack -z norelro --build-id=none \
	--hash-style=sysv

# Handlers of a table take what some of them have no use for.
KERNEL_FLAGS := $(C_FLAGS) -Wno-unused-parameter -Wframe-larger-than=512 -mno-red-zone -fno-stack-protector \
	$(if $(CONFIG_FRAME_POINTER),-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer,-fomit-frame-pointer) \
	-Ikernel/include -Ikernel/arch/x86_64/include -I$(O)/include -include $(O)/include/config.h

## kernel            build/kernel/kernel.elf alone
kernel: $(O)/kernel/kernel.elf

$(filter %.c.o,$(KERNEL_OBJECTS)): $(O)/%.c.o: %.c $(O)/include/config.h $(O)/include/compiler
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c $< -o $@

# Files on the path of every call: no frame pointer of their own, but rbp stays what the caller had, so a back trace only
# skips them. clang has no such flag. Arguments of cold paths are loaded there, not on the way.
KERNEL_HOT := core/syscall.c obj/ipc.c obj/event.c obj/fault.c obj/thread.c obj/message.c obj/cspace.c obj/capability.c core/trap.c sched/sched.c
$(KERNEL_HOT:%=$(O)/kernel/%.o): KERNEL_FLAGS += $(if $(findstring clang,$(CC)),,-fomit-frame-pointer -ffixed-rbp -fno-ipa-sra)

# Lines that the compiler has filled in and the assembler never sees.
$(O)/include/asm_offsets.h: $(OFFSETS) $(O)/include/config.h $(O)/include/compiler
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -MF $@.d -MT $@ -S $< -o $@.s
	$(Q)sed -n 's/.*"-> \(.*\)".*/\1/p' $@.s >$@.tmp && mv $@.tmp $@

$(O)/kernel/%.S.o: kernel/%.S $(O)/include/config.h $(O)/include/compiler $(O)/include/asm_offsets.h
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -D__ASSEMBLER__ -MMD -MP -c $< -o $@

$(O)/kernel/kernel.elf: $(KERNEL_OBJECTS) $(KERNEL_SCRIPT)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LD) $(LINK_FLAGS) -T $(KERNEL_SCRIPT) $(KERNEL_OBJECTS) -o $@
	$(Q)$(NM) -n --defined-only $@ >$(@D)/kernel.sym

-include $(KERNEL_OBJECTS:.o=.d) $(O)/include/asm_offsets.h.d
