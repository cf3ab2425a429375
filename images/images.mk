# SPDX-License-Identifier: BSD-2-Clause
# The image: plan, bundle and ISO of SYSTEM, made by the generator from what the compiler left in $(O).
IMAGE := $(O)/$(SYSTEM)
# HARDENED products: GRUB checks signatures. The key is made at the first build; keep $(O)/keys to build the same again.
SIGN := $(if $(CONFIG_PROFILE_HARDENED),--sign $(O)/keys)
IMAGE_INPUTS := $(GENERATOR) $(wildcard images/* images/*/* components/interfaces/*.yaml) $(COMPONENT_FILES)

iso: $(IMAGE)/$(SYSTEM).iso
$(IMAGE)/$(SYSTEM).iso: $(O)/kernel/kernel.elf $(COMPONENT_ELFS) $(LINUX_PROGRAMS) $(IMAGE_INPUTS) $(MANIFEST)
	$(call say,IMAGE,$@)
	$(Q)$(TESSERA) build --quiet --build-dir $(O) $(if $(SIGN),--no-image) $(SYSTEM)
	$(if $(SIGN),$(Q)$(TESSERA) image --build-dir $(O) $(SIGN) $(SYSTEM))
	$(Q)touch $@

## disk qcow2        build/SYSTEM/SYSTEM.img, a raw disk that boots and has a partition for data; the same as .qcow2
disk: $(IMAGE)/$(SYSTEM).img
qcow2: $(IMAGE)/$(SYSTEM).qcow2
$(IMAGE)/$(SYSTEM).img $(IMAGE)/$(SYSTEM).qcow2: $(IMAGE)/$(SYSTEM).iso
	$(call say,IMAGE,$@)
	$(Q)$(TESSERA) image --build-dir $(O) $(SIGN) --format $(if $(filter %.img,$@),disk,qcow2) $(SYSTEM)
	$(Q)touch $@

# What the manifest extended when it was last built.
-include $(IMAGE)/inputs.mk

# Only for a system that was asked for by a misspelt name: the generator says it better than make.
manifests/%.yaml:
	@$(TESSERA) check $(SYSTEM)

## sbom              build/SYSTEM/SYSTEM.spdx.json, the bill of materials (SPDX 2.3)
sbom: $(IMAGE)/$(SYSTEM).spdx.json
$(IMAGE)/$(SYSTEM).spdx.json: $(IMAGE)/$(SYSTEM).iso
	$(call say,SBOM,$@)
	$(Q)$(TESSERA) sbom --build-dir $(O) $(SYSTEM)
	$(Q)touch $@

## direct            build/direct/direct.elf, with which QEMU boots SYSTEM by -kernel, without GRUB (images/README.md)
DIRECT := $(O)/direct/direct.elf
direct: $(DIRECT) $(IMAGE)/$(SYSTEM).iso
$(DIRECT): $(wildcard images/direct/*)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu2x -O2 -Wall -Wextra -Werror -Wno-int-to-pointer-cast -Wno-pointer-to-int-cast -m32 -ffreestanding \
		-fno-pie -fno-stack-protector -fcf-protection=none -mgeneral-regs-only -fno-asynchronous-unwind-tables \
		-c images/direct/direct.c -o $(@D)/direct.o
	$(Q)$(CC) -m32 -c images/direct/entry.S -o $(@D)/entry.o
	$(Q)$(LD) -m elf_i386 --build-id=none --no-warn-rwx-segments -z noexecstack -T images/direct/direct.ld $(@D)/entry.o $(@D)/direct.o -o $@
