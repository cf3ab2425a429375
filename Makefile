# SPDX-License-Identifier: BSD-2-Clause
# Tessera: `make` alone lists what can be made. Variables: SYSTEM=name O=dir V=1 CC=clang
SYSTEM ?= demo
O ?= build
V ?= 0
ifneq ($(words $(O)) $(words $(SYSTEM)),1 1)
$(error O and SYSTEM are one word each, without spaces: O=$(O) SYSTEM=$(SYSTEM))
endif
override O := $(patsubst %/,%,$(O))
# A tree of your own beside this one: components/, manifests/, configs/, tests/. See manifests/example.
ifneq ($(words $(TESSERA_EXTRA)),$(if $(TESSERA_EXTRA),1,0))
$(error TESSERA_EXTRA is one word, without spaces: $(TESSERA_EXTRA))
endif
override TESSERA_EXTRA := $(abspath $(TESSERA_EXTRA))
EXTRA := $(if $(TESSERA_EXTRA),$(TESSERA_EXTRA)/)

# Everything that building, running and testing needs, in one place. `make setup` installs what is missing.
PACKAGES := gcc binutils make git python3 python3-kconfiglib python3-ruamel.yaml python3-jsonschema python3-jinja2 \
	python3-pyelftools python3-rich graphviz chromium grub-pc-bin grub-efi-amd64-bin grub-common xorriso mtools \
	e2fsprogs gnupg openssl sbsigntool faketime qemu-system-x86 qemu-utils ovmf python3-labgrid bochs bochsbios \
	bochs-term vgabios python3-tk xvfb xauth python3-pytest python3-pytest-xdist python3-pytest-rerunfailures \
	mypy flake8 shellcheck zsh python3-coverage python3-markdown \
	clang clang-format clang-tidy cppcheck libclang-rt-dev spin frama-c-base why3 z3 cvc4 musl-tools

CC := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
LD := ld
AR := ar
NM := nm
PYTHON := /usr/bin/python3
TESSERA := $(PYTHON) generator/tessera
PYTEST := $(PYTHON) -m pytest
# A machine that was too late for a busy host is tried once more, and named; what is wrong is wrong (tests/lib/vm.py, Late).
USUAL := 'not machines and not products'
RERUN := --reruns 1 --only-rerun '^lib\.vm\.Late: ' -raR
export O SYSTEM CC TESSERA_EXTRA
export PYTHONDONTWRITEBYTECODE := 1

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))')

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help setup run test coverage coverage-generator verify stress-replay soak test-machines test-products test-lab image iso disk qcow2 direct sbom \
	bench bench-compare bench-hardening bench-keep bench-peers bench-path bench-profile bench-smp bench-worst \
	mutate mutate-manifests lint format manual \
	clean kernel components stubs FORCE

help:
	@echo 'Usage: make TARGET [SYSTEM=name] [O=dir] [V=1] [CC=clang] [TESSERA_EXTRA=dir]'
	@echo
	@sed -n 's/^## //p' $(MAKEFILE_LIST)
	@echo
	@echo 'SYSTEM picks manifests/NAME.yaml (now: $(SYSTEM)); O is where outputs go (now: $(O)).'

## run               boot the system in QEMU, its console on this terminal (Ctrl-A X ends)
run: setup
	+$(Q)$(MAKE) --no-print-directory image
	$(Q)$(PYTHON) tests/lib/run.py $(O)/$(SYSTEM)/$(SYSTEM).iso

## test              everything: lint, unit, generator and scenario tests
test: setup
	$(Q)$(PYTEST) -n 2 --dist loadgroup $(RERUN) -m $(USUAL) tests
ifneq ($(and $(EXTRA),$(wildcard $(EXTRA)tests)),)
	$(Q)$(PYTEST) --rootdir . -c .pytest.ini $(EXTRA)tests
endif

## test-machines     the image on many more machines than `make test` boots
test-machines: setup
	$(Q)$(PYTEST) -n 2 -m machines tests/scenario

## test-products     every product, and configurations with all pairs of options; writes build/products/table.md
test-products: setup
	$(Q)$(PYTEST) -n 2 -s tests/scenario/test_products.py tests/scenario/test_images.py tests/scenario/test_sbom.py \
		tests/scenario/test_secure_boot.py tests/scenario/test_pairs.py

## test-lab          scenarios that need a console alone, on a machine of labgrid (LG_ENV=tests/lab/qemu.yaml)
LG_ENV ?= tests/lab/qemu.yaml
test-lab: setup
	$(Q)LG_ENV=$(LG_ENV) $(PYTEST) tests/scenario/test_boot.py tests/scenario/test_shell.py tests/scenario/test_names.py \
		tests/scenario/test_log.py tests/scenario/test_faults.py

## image             build/SYSTEM/SYSTEM.iso and build/SYSTEM/plan.json
image: iso

## bench             boot the bench image, print the table, write build/bench.json
bench: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=bench
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=worst
	$(Q)$(PYTHON) tests/bench/run.py --out $(O)

## bench-path        ROW=name: the instructions of a row of the bench, by function (LIST=1: each one)
bench-path: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=bench
	$(Q)$(PYTHON) tests/bench/path.py $(ROW) $(if $(LIST),--list)

## bench-worst       the longest stretch with interrupts off of each way into the kernel, and the state that made it
bench-worst: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=worst
	$(Q)$(PYTHON) tests/bench/worst.py

## bench-smp         how pairs, shared servers, memory and frames scale with the CPUs; CPUS=2
CPUS ?= 2
bench-smp: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=bench_cpus
	$(Q)PYTHONPATH=tests $(PYTHON) tests/bench/cpus.py --cpus $(CPUS)

## bench-hardening   what each switch of the profiles costs; KEEP=1 keeps the figures, for `tessera hardening`
bench-hardening: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=bench
	$(Q)PYTHONPATH=tests $(PYTHON) tests/bench/hardening.py $(if $(KEEP),--keep)

## bench-compare     ratios of two files of figures: OLD=a.json NEW=b.json (kept figures and the last run's)
OLD ?= tests/bench/figures.json
NEW ?= $(O)/bench.json
bench-compare: setup
	$(Q)$(PYTHON) tests/bench/compare.py $(OLD) $(NEW)

## bench-keep        make the last run's figures the kept ones: WHY='what made them change'
bench-keep: setup
	$(Q)$(PYTHON) tests/bench/compare.py $(OLD) $(NEW) --keep '$(subst ','\'',$(WHY))'

## bench-peers       the last run's figures beside Linux's, which apt brings
bench-peers: setup
	$(Q)$(PYTHON) tests/bench/peers.py

## bench-profile     guest instructions by function until the prompt; ARGS='--to init:_start' and others
bench-profile: setup
	+$(Q)$(MAKE) --no-print-directory image
	$(Q)$(PYTHON) tests/bench/profile.py $(ARGS)

## coverage          which lines of the kernel run in scenarios and fuzzing, by file; fails below 80 %
coverage: setup
	+$(Q)$(MAKE) --no-print-directory image SYSTEM=ktest
	$(Q)rm -rf $(O)/coverage
	$(Q)TESSERA_COVERAGE="$(abspath $(O))/coverage" $(PYTEST) -q -n 2 --dist loadgroup $(RERUN) -m $(USUAL) tests/scenario
	$(Q)$(PYTHON) tests/lines/report.py --kernel $(O)/kernel/kernel.elf --records $(O)/coverage

## coverage-generator  which lines of the generator its tests run, by file; fails below 90 %
GENERATOR_LINES := $(abspath $(O))/coverage-generator
COUNTED = TESSERA_TREE="$(CURDIR)" TESSERA_LINES="$(GENERATOR_LINES)"
coverage-generator: setup
	$(Q)rm -rf "$(GENERATOR_LINES)"
	$(Q)mkdir -p "$(GENERATOR_LINES)"
	$(Q)$(COUNTED) COVERAGE_PROCESS_START="$(CURDIR)/tests/lines/generator.ini" PYTHONPATH="$(CURDIR)/tests/lines/startup" \
		$(PYTEST) -q -n 2 tests/generator
	$(Q)$(COUNTED) $(PYTHON) -m coverage combine -q --rcfile=tests/lines/generator.ini
	$(Q)$(COUNTED) $(PYTHON) -m coverage report --rcfile=tests/lines/generator.ini

## manual            the reference manual from the tables of kernel, bench and Kconfig: manual.md, manual.html
manual: setup
	$(Q)$(TESSERA) manual --out $(O)

## verify            the protocol between CPUs in every interleaving, by SPIN; proofs about the kernel's core, by Frama-C
verify: setup $(O)/include/config.h
	$(Q)$(PYTHON) tests/model/run.py
	$(Q)$(PYTHON) tests/proof/run.py

## stress-replay     one run of the stress system in Bochs, the same each time: ARGS='--seed 7 --cpus 2 --seconds 5'
stress-replay: setup
	$(Q)PYTHONPATH=tests $(PYTHON) tests/lib/stress.py $(ARGS)

## soak              10 million hostile calls, as many damaged bundles, ten seeds of stress on all CPUs: two hours
soak: setup
	$(Q)TESSERA_SOAK=1 $(PYTEST) -n 2 tests/scenario/test_fuzz.py tests/scenario/test_cpus.py tests/fuzz \
		tests/scenario/test_periodic.py

## lint              format, static analysis, types, sizes, walls
lint: setup
	$(Q)$(PYTEST) -n 2 -s tests/lint

## mutate            break the code in many ways, one at a time: each must turn a test red
mutate: setup
	$(Q)$(PYTHON) tests/mutate/run.py

## mutate-manifests  every shipped manifest with one token changed, in every way, and 20,000 mixtures: twenty minutes
mutate-manifests: setup
	$(Q)TESSERA_MUTATIONS=all $(PYTEST) -n 2 -s tests/generator/test_mutations.py tests/generator/test_mixtures.py

## format            rewrite C sources in the project's layout
format:
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' ':!kernel/include' | xargs -r clang-format -i

## setup             install what is missing (Debian packages)
setup:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | \
		grep -qx installed || echo $$p; done | paste -sd ' '); \
	if [ -n "$$missing" ]; then \
		echo "setup: installing $$missing"; \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get -qq update && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $$missing >/dev/null; \
	fi

## clean             remove the output folder
clean:
	$(Q)rm -rf $(O)

include configs/kconfig.mk kernel/kernel.mk components/components.mk images/images.mk
