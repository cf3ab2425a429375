# SPDX-License-Identifier: BSD-2-Clause
# The image: plan, bundle and ISO of SYSTEM, made by the generator from what the compiler left in $(O).
IMAGE := $(O)/$(SYSTEM)
IMAGE_INPUTS := $(GENERATOR) $(wildcard images/* components/interfaces/*.yaml) $(COMPONENT_FILES)

iso: $(IMAGE)/$(SYSTEM).iso
$(IMAGE)/$(SYSTEM).iso: $(O)/kernel/kernel.elf $(COMPONENT_ELFS) $(IMAGE_INPUTS) $(MANIFEST)
	$(call say,IMAGE,$@)
	$(Q)$(TESSERA) build --quiet --build-dir $(O) $(SYSTEM)
	$(Q)touch $@

# What the manifest extended when it was last built.
-include $(IMAGE)/inputs.mk

# Only for a system that was asked for by a misspelt name: the generator says it better than make.
manifests/%.yaml:
	@$(TESSERA) check $(SYSTEM)
