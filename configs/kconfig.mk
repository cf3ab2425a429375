# SPDX-License-Identifier: BSD-2-Clause
# Kconfig by kconfiglib. $(O)/.config is the configuration; without one, the defconfig that the manifest names.
KCONFIG_FILES := Kconfig $(wildcard kernel/Kconfig components/*/Kconfig components/*/*/Kconfig \
	$(EXTRA)components/*/*/Kconfig)
MANIFEST := $(firstword $(wildcard manifests/$(SYSTEM).yaml $(EXTRA)manifests/$(SYSTEM).yaml) manifests/$(SYSTEM).yaml)
# Evaluated only where there is no configuration yet; a manifest may have its `config:` from what it extends.
DEFCONFIG = $(or $(shell sed -n 's/^config: *//p' $(MANIFEST) 2>/dev/null), \
	$(shell $(TESSERA) show $(SYSTEM) config --bare 2>/dev/null),dev_defconfig)
export KCONFIG_CONFIG := $(O)/.config
export KCONFIG_AUTOHEADER_HEADER := /* SPDX-License-Identifier: BSD-2-Clause - made from .config, do not edit */

## menuconfig        edit build/.config (also: guiconfig savedefconfig olddefconfig listnewconfig NAME_defconfig)
.PHONY: menuconfig guiconfig olddefconfig listnewconfig savedefconfig randconfig mergeconfig
olddefconfig listnewconfig: $(O)/.config
	$(Q)$(PYTHON) -m $@

# Editors open on whatever there is: `config mend` leaves a .config that can be read, and says what was wrong with it.
menuconfig guiconfig:
	$(if $(filter guiconfig,$@),$(Q)$(TESSERA) config display)
	$(if $(wildcard $(O)/.config),,$(if $(wildcard configs/$(DEFCONFIG) $(EXTRA)configs/$(DEFCONFIG)), \
		+$(Q)$(MAKE) --no-print-directory $(O)/.config))
	@test -f $(O)/.config || echo "there is no configs/$(DEFCONFIG); starting from the defaults" >&2
	$(Q)$(TESSERA) config mend --build-dir $(O)
	$(Q)$(PYTHON) -m $@

## randconfig        options by chance into build/.config; KCONFIG_SEED=n gives the same again
randconfig:
	$(Q)$(TESSERA) config random --build-dir $(O) $(if $(KCONFIG_SEED),--seed $(KCONFIG_SEED))

## mergeconfig       CONFIG_FRAGMENTS="a.config b.config" into build/.config; other targets do it too when it is given
mergeconfig: $(O)/.config
	$(if $(CONFIG_FRAGMENTS),,$(error CONFIG_FRAGMENTS="FILE..." says what to merge; see configs/README.md))
	$(merge_fragments)
merge_fragments = $(if $(CONFIG_FRAGMENTS),$(Q)$(TESSERA) config merge --build-dir $(O) $(CONFIG_FRAGMENTS))

savedefconfig: $(O)/.config
	$(Q)$(PYTHON) -m savedefconfig --out $(O)/defconfig
	@echo 'written: $(O)/defconfig'

%_defconfig: FORCE
	@test -f configs/$@ -o -f $(EXTRA)configs/$@ || { \
		echo "there is no configs/$@; known: $(notdir $(wildcard configs/*_defconfig $(EXTRA)configs/*_defconfig))" >&2; \
		exit 1; }
	$(Q)mkdir -p $(O)
	$(Q)$(PYTHON) -m defconfig $(firstword $(wildcard configs/$@ $(EXTRA)configs/$@)) >/dev/null
	$(merge_fragments)

$(O)/.config:
	$(call say,CONFIG,$(DEFCONFIG))
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -m defconfig $(firstword $(foreach c,$(DEFCONFIG),$(wildcard configs/$(c) $(EXTRA)configs/$(c)) \
		configs/$(c))) >/dev/null

# Fragments are merged when they, or their list, are newer than the last merge; what they set stays set without them.
ifneq ($(strip $(CONFIG_FRAGMENTS)),)
ifneq ($(file <$(O)/include/fragments),$(strip $(CONFIG_FRAGMENTS)))
$(shell rm -f $(O)/include/fragments)
endif
$(O)/include/fragments: $(CONFIG_FRAGMENTS) | $(O)/.config
	$(call say,CONFIG,$(CONFIG_FRAGMENTS))
	$(merge_fragments)
	$(Q)mkdir -p $(@D)
	$(file >$@,$(strip $(CONFIG_FRAGMENTS)))
$(O)/include/auto.conf: $(O)/include/fragments
endif

# Options that are newer than .config are added to it with their defaults; auto.conf is what make itself reads.
$(O)/include/auto.conf: $(O)/.config $(KCONFIG_FILES) $(O)/include/extra
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -m genconfig --header-path $(@D)/config.h --config-out $(O)/.config
	$(Q)cp $(O)/.config $@
	$(Q)touch $(@D)/config.h
$(O)/include/config.h: $(O)/include/auto.conf ;

# Targets that need no configuration must not make one.
ifneq ($(filter-out help setup clean run test coverage soak lint bench bench-compare bench-hardening bench-keep bench-peers bench-profile format %config,$(or $(MAKECMDGOALS),help)),)
-include $(O)/include/auto.conf
# Another tree of one's own has other options.
$(O)/include/extra: ;
ifneq ($(file <$(O)/include/extra),$(EXTRA)|)
$(shell mkdir -p $(O)/include)
$(file >$(O)/include/extra,$(EXTRA)|)
endif
# What another compiler has made is made again.
ifneq ($(file <$(O)/include/compiler),$(CC))
$(shell mkdir -p $(O)/include)
$(file >$(O)/include/compiler,$(CC))
endif
endif
