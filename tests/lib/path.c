/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.c - a plugin for QEMU's TCG that keeps, for each row of the bench, the way of its last sample.
 *
 *   -plugin libpath.so,out=PATH,report=HEX:HEX,report=HEX:HEX
 *
 * A sample is what runs between two `rdtsc` of units. Whenever the function `report` (its address, and its code, since
 * several units lie at the same address) is reached a row has been measured: the instructions of the last sample before go into the file, one a line, as "ROW ADDRESS BYTES TEXT" (row
 * from 0, in order of arrival; bytes in hex). QEMU's plugin interface, version 1, is declared here because Debian
 * ships no header for it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_t)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_t)(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_t callback);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_t callback, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const uint8_t *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *insn);

#define EXPORTED __attribute__((visibility("default")))
#define WAY_MAX 100000u
#define KERNEL_BIT (1ull << 63)
#define BYTES_MAX 15
#define CODE_MAX 64

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

struct step {
	uint64_t address;
	unsigned size;
	uint8_t bytes[BYTES_MAX];
	char *text;
};

struct way {
	const struct step *steps[WAY_MAX];
	unsigned count;
};

static struct way now, last;
static struct report {
	uint64_t address;
	unsigned size;
	uint8_t code[CODE_MAX];
} reports[2];
static unsigned row;
static FILE *out;

static void executed(unsigned cpu, void *data)
{
	(void)cpu;
	if (now.count < WAY_MAX)
		now.steps[now.count++] = data;
}

static void clock_read(unsigned cpu, void *data)
{
	(void)cpu, (void)data;
	memcpy(last.steps, now.steps, now.count * sizeof(now.steps[0]));
	last.count = now.count;
	now.count = 0;
}

static void reported(unsigned cpu, void *data)
{
	(void)cpu, (void)data;
	for (unsigned i = 0; i < last.count; i++) {
		const struct step *step = last.steps[i];
		fprintf(out, "%u %lx ", row, step->address);
		for (unsigned j = 0; j < step->size; j++)
			fprintf(out, "%02x", step->bytes[j]);
		fprintf(out, " %s\n", step->text);
	}
	row++;
	fflush(out);
}

/* As the plan has it: the image of a unit may lie higher by a multiple of 1 GiB (TSS_LAYOUT_MOVED). */
static uint64_t planned(const struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	return address & KERNEL_BIT ? address : address % (1ull << 30);
}

static void watch(struct qemu_plugin_insn *insn)
{
	struct step *step = calloc(1, sizeof(*step));
	step->address = planned(insn);
	step->size = (unsigned)qemu_plugin_insn_size(insn);
	memcpy(step->bytes, qemu_plugin_insn_data(insn), step->size < BYTES_MAX ? step->size : BYTES_MAX);
	step->text = qemu_plugin_insn_disas(insn);
	if (!(step->address & KERNEL_BIT) && step->bytes[0] == 0x0f && step->bytes[1] == 0x31)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, clock_read, 0, NULL);
	else
		qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, 0, step);
}

/* Does the block begin with as much of the function as it can? */
static bool begins(const struct qemu_plugin_tb *tb, const struct report *report)
{
	unsigned at = 0;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned size = (unsigned)qemu_plugin_insn_size(insn);
		if (i == 0 && planned(insn) != report->address)
			return false;
		if (at + size > report->size)
			break;
		if (memcmp(qemu_plugin_insn_data(insn), report->code + at, size) != 0)
			return false;
		at += size;
	}
	return at != 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (unsigned i = 0; i < 2; i++)
		if (begins(tb, &reports[i]))
			qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), reported, 0, NULL);
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		watch(qemu_plugin_tb_get_insn(tb, i));
}

static void read_report(struct report *report, char *text)
{
	report->address = strtoull(text, &text, 16);
	for (text++; text[0] && text[1] && report->size < CODE_MAX; text += 2) {
		const char byte[] = {text[0], text[1], 0};
		report->code[report->size++] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	unsigned count = 0;
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
		if (strncmp(argv[i], "report=", 7) == 0 && count < 2)
			read_report(&reports[count++], argv[i] + 7);
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
