/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.c - a plugin for QEMU's TCG that finds the cache lines which more than one CPU writes while a phase lasts.
 *
 *   -plugin liblines.so,out=PATH
 *
 * A phase begins where a unit executes `nopl PHASE_MARK + 1(%rax)` and ends at `nopl PHASE_MARK(%rax)`; they are numbered from
 * 0. Behind each that ends there is a line `phase NUMBER lines WRITTEN stores OF_CPU_0 OF_CPU_1 ...`, then for each cache line that two CPUs or more have
 * written `line ADDRESS` and for each of them `CPU:COUNT:FIRST`: how often, and the address of the instruction that was the
 * first to. Addresses of lines are physical, so they do not depend on who maps them where. What devices have there is no
 * memory and does not count, nor do the bits that the page walker sets, nor stores of instructions that the emulator
 * makes without telling plugins (it tells of atomic ones).
 * QEMU's plugin interface, version 1, is declared here because Debian ships no header for it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
typedef uint32_t meminfo_t;
typedef void (*translated_t)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_t)(unsigned cpu, void *data);
typedef void (*stored_t)(unsigned cpu, meminfo_t info, uint64_t address, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_t callback);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_t callback, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, stored_t callback, int flags, int which,
				      void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(meminfo_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(meminfo_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *hwaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *hwaddr);

#define NO_REGISTERS 0
#define STORES 2
#define EXPORTED __attribute__((visibility("default")))
#define CPUS 8u
#define LINE_SHIFT 6
#define PLACES (1u << 16) /* of the table; a phase writes some thousand lines */
#define PHASE_MARK 0x7e560000u

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static struct line {
	uint64_t number; /* physical address >> LINE_SHIFT, plus 1; 0: a free place */
	uint64_t count[CPUS], first[CPUS];
} lines[PLACES];
static uint64_t stores[CPUS];
static volatile bool counting;
static bool full;
static unsigned phase;
static FILE *out;

/* Claims the place, or finds that it is that line's already. CPUs run side by side; each has counts of its own. */
static bool is_or_becomes(struct line *line, uint64_t number)
{
	uint64_t was = 0;
	return __atomic_compare_exchange_n(&line->number, &was, number, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
	       was == number;
}

static void stored(unsigned cpu, meminfo_t info, uint64_t address, void *instruction)
{
	bool counts = counting && qemu_plugin_mem_is_store(info);
	const struct qemu_plugin_hwaddr *where = counts ? qemu_plugin_get_hwaddr(info, address) : NULL;
	if (!where || qemu_plugin_hwaddr_is_io(where) || cpu >= CPUS)
		return;
	uint64_t number = (qemu_plugin_hwaddr_phys_addr(where) >> LINE_SHIFT) + 1;
	for (unsigned at = number * 0x9e3779b1u % PLACES, tries = 0; tries < PLACES; at = (at + 1) % PLACES, tries++) {
		struct line *line = &lines[at];
		if (!is_or_becomes(line, number))
			continue;
		stores[cpu]++;
		if (line->count[cpu]++ == 0)
			line->first[cpu] = (uintptr_t)instruction;
		return;
	}
	full = true;
}

static void print(const struct line *line)
{
	unsigned writers = 0;
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		writers += line->count[cpu] != 0;
	if (writers < 2)
		return;
	fprintf(out, "line %#lx", (unsigned long)((line->number - 1) << LINE_SHIFT));
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (line->count[cpu])
			fprintf(out, " %u:%lu:%#lx", cpu, (unsigned long)line->count[cpu],
				(unsigned long)line->first[cpu]);
	fprintf(out, "\n");
}

static void marked(unsigned cpu, void *begins)
{
	unsigned written = 0;
	(void)cpu;
	if (begins) {
		memset(lines, 0, sizeof(lines));
		memset(stores, 0, sizeof(stores));
		counting = true;
		return;
	}
	if (!counting)
		return;
	counting = false;
	for (unsigned i = 0; i < PLACES; i++)
		written += lines[i].number != 0;
	fprintf(out, "phase %u lines %u%s stores", phase++, written, full ? " full" : "");
	for (unsigned i = 0; i < CPUS; i++)
		fprintf(out, " %lu", (unsigned long)stores[i]);
	fprintf(out, "\n");
	for (unsigned i = 0; i < PLACES; i++)
		if (lines[i].number)
			print(&lines[i]);
	fflush(out);
}

/* 0f 1f 80 and four bytes. */
static void look_for_mark(struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);
	uint32_t number;
	if (qemu_plugin_insn_size(insn) != 7 || memcmp(code, "\x0f\x1f\x80", 3) != 0)
		return;
	memcpy(&number, code + 3, sizeof(number));
	if ((number & ~1u) == PHASE_MARK)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, NO_REGISTERS, (void *)(uintptr_t)(number & 1));
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		look_for_mark(insn);
		qemu_plugin_register_vcpu_mem_cb(insn, stored, NO_REGISTERS, STORES,
						 (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
