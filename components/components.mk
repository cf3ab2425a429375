# SPDX-License-Identifier: BSD-2-Clause
# Components: every folder with a component.yaml whose Kconfig symbol is on. One ELF each, made with libtessera and
# with nothing of the kernel but kernel/include/abi.
# Those of TESSERA_EXTRA are beside them: `inner` is a path without that folder, `home` a component's folder.
inner = $(if $(EXTRA),$(patsubst $(EXTRA)%,%,$(1)),$(1))
COMPONENT_FILES := $(sort $(wildcard components/init/component.yaml components/*/*/component.yaml)) \
	$(if $(EXTRA),$(sort $(wildcard $(EXTRA)components/*/*/component.yaml)))
COMPONENT_FOLDERS := $(patsubst components/%/component.yaml,%,$(call inner,$(COMPONENT_FILES)))
home = $(patsubst %/component.yaml,%,$(firstword $(wildcard components/$(1)/component.yaml \
	$(EXTRA)components/$(1)/component.yaml)))
upper = $(shell printf '%s' '$(subst /,_,$(1))' | tr a-z- A-Z_)
COMPONENTS := $(foreach c,$(COMPONENT_FOLDERS),$(if $(filter init,$(c))$(CONFIG_$(call upper,$(c))),$(c)))
COMPONENT_ELFS := $(foreach c,$(COMPONENTS),$(O)/components/$(c)/$(notdir $(c)).elf)
COMPONENT_SCRIPT := images/component.ld
component_sources = $(sort $(wildcard $(call home,$(1))/*.[cS] $(call home,$(1))/src/*.[cS]))
component_objects = $(patsubst %,$(O)/%.o,$(call inner,$(call component_sources,$(1))))

LIBRARY := $(O)/components/lib/libtessera.a
LIBRARY_SOURCES := $(sort $(shell find components/lib -name '*.[cS]' 2>/dev/null))
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%=$(O)/%.o)

COMPONENT_FLAGS := $(C_FLAGS) $(STACK_PROTECTOR) -ffunction-sections -fdata-sections \
	-I$(O)/contract -I$(O)/contract/abi -Icomponents/lib/include -I$(O)/gen/include -I$(O)/gen \
	-include $(O)/include/config.h

# `fpu: true`: with the vector registers that every x86-64 CPU has. The library does without them.
FPU_COMPONENTS := $(patsubst components/%/component.yaml,%,$(call inner,$(shell grep -lx 'fpu: true' \
	$(COMPONENT_FILES))))
component_of = $(patsubst %/,%,$(patsubst %/src/,%/,$(patsubst components/%,%,$(dir $(call inner,$(1))))))
component_flags = $(filter-out $(if $(filter $(FPU_COMPONENTS),$(call component_of,$(1))),-mgeneral-regs-only), \
	$(COMPONENT_FLAGS))

# The generator's output from interfaces, component.yaml files and the ABI's tables; unchanged files keep their time.
GENERATOR := $(filter-out %.pyc,$(wildcard generator/tessera generator/*.py generator/*/*))
STUBS := $(O)/gen/stamp
STUB_INPUTS := $(GENERATOR) $(wildcard components/interfaces/*.yaml $(EXTRA)components/interfaces/*.yaml \
	kernel/include/abi/*) $(COMPONENT_FILES) $(O)/include/extra

## components        libtessera and all components that the configuration switches on
components: $(COMPONENT_ELFS)

stubs: $(STUBS)
$(STUBS): $(STUB_INPUTS)
	$(call say,STUBS,$(O)/gen)
	$(Q)mkdir -p $(@D) $(O)/contract
	$(Q)ln -sfn "$(abspath kernel/include/abi)" $(O)/contract/abi
	$(Q)$(TESSERA) stubs --out $(O)/gen
	$(Q)touch $@
$(O)/gen/%.h: $(STUBS) ;

# A source sees the slots.h of the component whose folder it lies in.
slots = -I$(O)/gen/slots/$(call component_of,$(1))
COMPILED_WITH := $(O)/include/config.h $(O)/include/compiler
define compile_component
$(call say,CC,$<)
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(call component_flags,$<) $(call slots,$<) -MMD -MP -c $< -o $@
endef
define assemble_component
$(call say,AS,$<)
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(COMPONENT_FLAGS) $(call slots,$<) -D__ASSEMBLER__ -MMD -MP -c $< -o $@
endef
$(O)/components/%.c.o: components/%.c $(COMPILED_WITH) | $(STUBS)
	$(compile_component)
$(O)/components/%.S.o: components/%.S $(COMPILED_WITH) | $(STUBS)
	$(assemble_component)
ifneq ($(EXTRA),)
COMPONENT_FLAGS += "-ffile-prefix-map=$(TESSERA_EXTRA)=."
$(O)/components/%.c.o: $(EXTRA)components/%.c $(COMPILED_WITH) | $(STUBS)
	$(compile_component)
$(O)/components/%.S.o: $(EXTRA)components/%.S $(COMPILED_WITH) | $(STUBS)
	$(assemble_component)
endif

$(LIBRARY): $(LIBRARY_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# The console's font: made of the one that GRUB's package has.
FONT_SOURCE := /usr/share/grub/unicode.pf2
$(O)/gen/font.bin: $(FONT_SOURCE) generator/font.py
	$(call say,FONT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -m generator.font $< $@
	$(Q)touch $@
$(O)/components/drivers/console/font.S.o: $(O)/gen/font.bin

# Programs for Linux, each from one source beside a component that runs it: what manifests call build/linux/NAME.
LINUX_SOURCES := $(if $(CONFIG_APPS_LINUX_HELLO),$(wildcard components/apps/linux_hello/program/*.c))
LINUX_PROGRAMS := $(patsubst %.c,$(O)/linux/%,$(notdir $(LINUX_SOURCES)))
$(O)/linux/%: components/apps/linux_hello/program/%.c
	$(call say,MUSL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)musl-gcc -static -no-pie -O2 -Wall -Wextra -Werror -Wl,-Ttext-segment=0x10000000 -Wl,--build-id=none \
		-Wl,-z,noexecstack $< -o $@

define component_rule
$(call component_objects,$(1)): $(call home,$(1))/component.yaml
$(O)/components/$(1)/$(notdir $(1)).elf: $(call component_objects,$(1)) $(LIBRARY) $(COMPONENT_SCRIPT)
	$$(call say,LD,$$@)
	$$(Q)$$(LD) $$(LINK_FLAGS) --gc-sections -T $$(COMPONENT_SCRIPT) $$(filter %.o,$$^) $$(LIBRARY) -o $$@
endef
$(foreach c,$(COMPONENTS),$(eval $(call component_rule,$(c))))

-include $(LIBRARY_OBJECTS:.o=.d) $(foreach c,$(COMPONENTS),$(patsubst %.o,%.d,$(call component_objects,$(c))))
