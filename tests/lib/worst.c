/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worst.c - a plugin for QEMU's TCG that measures stretches with interrupts off: guest instructions from an entry of the
 * kernel until the CPU is in a unit again, or idle. It keeps the longest of each way in, and the scene that made it.
 *
 *   -plugin libworst.so,out=PATH,enter=HEX:NUMBER,name=HEX:NUMBER,...
 *
 * enter: a stretch begins where this code begins, and goes to row NUMBER. name: a stretch that began in the row UNNAMED
 * goes to row NUMBER as soon as this code is reached. Addresses are of the kernel's link; its slide is whole 2 MiB. A
 * scene begins where a unit executes `nopl SCENE_MARK + number(%rax)`. A block of code that is cut short counts as a
 * whole. Each CPU has stretches of its own; a look of one that waits for a lock counts like any other instruction.
 * QEMU's plugin interface, version 1, is declared here because Debian ships no header for it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_t)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_t)(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_t callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_t callback, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_t callback, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

#define NO_REGISTERS 0
#define EXPORTED __attribute__((visibility("default")))
#define CPUS 64u
#define ROWS 512u /* as in worst.py */
#define UNNAMED 0u
#define KERNEL (1ull << 63)
#define IN_IMAGE 0x1fffffull
#define SCENE_MARK 0x7e550000u

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static struct row {
	uint64_t most, scene, count;
} * rows;

static struct mark {
	uint64_t address;
	unsigned row;
	bool enters;
} marks[ROWS];
static unsigned mark_count;

static struct stretch {
	bool open;
	unsigned row;
	uint64_t length;
} stretches[CPUS];
static uint64_t scene;

struct block {
	uint64_t length;
	const struct mark *mark; /* NULL: none begins here */
};

static void end(struct stretch *stretch)
{
	struct row *row = &rows[stretch->row];
	if (!stretch->open)
		return;
	stretch->open = false;
	row->count++;
	if (stretch->length <= row->most)
		return;
	row->most = stretch->length;
	row->scene = scene;
}

static void in_unit(unsigned cpu, void *data)
{
	(void)data;
	end(&stretches[cpu % CPUS]);
}

static void in_kernel(unsigned cpu, void *data)
{
	struct stretch *stretch = &stretches[cpu % CPUS];
	const struct block *block = data;
	if (block->mark && block->mark->enters) {
		end(stretch); /* idle until now */
		*stretch = (struct stretch){true, block->mark->row, 0};
	} else if (block->mark && stretch->row == UNNAMED) {
		stretch->row = block->mark->row;
	}
	stretch->length += block->length;
}

static void next_scene(unsigned cpu, void *data)
{
	(void)cpu;
	scene = (uintptr_t)data;
}

static const struct mark *mark_at(uint64_t address)
{
	for (unsigned i = 0; i < mark_count; i++)
		if ((marks[i].address & IN_IMAGE) == (address & IN_IMAGE))
			return &marks[i];
	return NULL;
}

/* 0f 1f 80 and four bytes. */
static void look_for_scenes(const struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		uint32_t number;
		if (qemu_plugin_insn_size(insn) != 7 || memcmp(code, "\x0f\x1f\x80", 3) != 0)
			continue;
		memcpy(&number, code + 3, sizeof(number));
		if ((number & 0xffff0000u) == SCENE_MARK)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, next_scene, NO_REGISTERS,
							       (void *)(uintptr_t)(number & 0xffff));
	}
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	(void)id;
	if (!(address & KERNEL)) {
		look_for_scenes(tb);
		qemu_plugin_register_vcpu_tb_exec_cb(tb, in_unit, NO_REGISTERS, NULL);
		return;
	}
	struct block *block = malloc(sizeof(*block)); /* as long as QEMU runs */
	*block = (struct block){qemu_plugin_tb_n_insns(tb), mark_at(address)};
	qemu_plugin_register_vcpu_tb_exec_cb(tb, in_kernel, NO_REGISTERS, block);
}

static void read_mark(const char *argument)
{
	bool enters = strncmp(argument, "enter=", 6) == 0;
	char *colon;
	if ((!enters && strncmp(argument, "name=", 5) != 0) || mark_count == ROWS)
		return;
	uint64_t address = strtoull(strchr(argument, '=') + 1, &colon, 16);
	marks[mark_count++] = (struct mark){address, (unsigned)strtoul(colon + 1, NULL, 10) % ROWS, enters};
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int file = -1;
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			file = open(argv[i] + 4, O_RDWR | O_CREAT, 0666);
		read_mark(argv[i]);
	}
	size_t size = ROWS * sizeof(struct row);
	if (file < 0 || ftruncate(file, (off_t)size) != 0)
		return -1;
	rows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (rows == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
