/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.c - a plugin for QEMU's TCG that counts how often each guest instruction is executed between two marks.
 *
 *   -plugin libprofile.so,out=PATH,from=HEX,from_code=HEX,from_nth=N,to=HEX,to_code=HEX,to_nth=N
 *
 * A mark is an instruction's virtual address, the bytes of code that stand there (programs share addresses) and which of
 * its executions is meant, 1 the first, from the first mark on for the second. Without a mark counting starts at power-on
 * or goes on to the end. The instruction of the first mark is counted, that of the second is not. All numbers are
 * hexadecimal.
 *
 * The file is one struct header and its rows; whoever maps it sees the counts move. A row's page is a hash of the page
 * of code that it lies on, so that a reader who has the program finds it wherever it was loaded.
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
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation, void *target,
						uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_t callback, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

#define INLINE_ADD_U64 0
#define NO_REGISTERS 0
#define EXPORTED __attribute__((visibility("default")))
#define ROWS_MAX (1u << 21)
#define PAGE 4096u
#define CODE_MAX 256u

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

struct row {
	uint64_t address, page;
	uint64_t before, after; /* what `count` was at the marks; after: 0 until then */
	uint64_t count;
};

static struct header {
	uint64_t rows;
	uint64_t marks; /* how many of the two have been passed */
	struct row row[];
} * shared;

static struct mark {
	uint64_t address, nth;
	uint8_t code[CODE_MAX];
	size_t size;
} marks[2];

/* FNV-1a, 64 bits, over 8 bytes at a time. A page is hashed anew whenever code of it is translated: it may have changed. */
static uint64_t page_hash(const void *code)
{
	const uint8_t *page = (const uint8_t *)((uintptr_t)code & ~(uintptr_t)(PAGE - 1));
	uint64_t hash = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < PAGE; i += 8) {
		uint64_t word;
		memcpy(&word, page + i, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3ull;
	}
	return hash;
}

/* One virtual CPU runs at a time, so rows do not move meanwhile. */
static void passed(unsigned cpu, void *data)
{
	struct mark *mark = data;
	(void)cpu;
	if (shared->marks != (uint64_t)(mark - marks) || --mark->nth != 0)
		return;
	for (uint64_t i = 0; i < shared->rows; i++)
		*(mark == marks ? &shared->row[i].before : &shared->row[i].after) = shared->row[i].count;
	shared->marks++;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t page = 0;
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		const void *code = qemu_plugin_insn_haddr(insn);
		if (shared->rows == ROWS_MAX)
			abort();
		if (i == 0 || address % PAGE < 16)
			page = code ? page_hash(code) : 0;
		struct row *row = &shared->row[shared->rows];
		*row = (struct row){.address = address, .page = page};
		for (struct mark *mark = marks; mark < marks + 2; mark++)
			if (mark->nth && address == mark->address && code && !memcmp(code, mark->code, mark->size))
				qemu_plugin_register_vcpu_insn_exec_cb(insn, passed, NO_REGISTERS, mark);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &row->count, 1);
		shared->rows++;
	}
}

static bool is(const char *argument, const char *name, const char **value)
{
	size_t length = strlen(name);
	*value = argument + length + 1;
	return strncmp(argument, name, length) == 0 && argument[length] == '=';
}

static void read_code(struct mark *mark, const char *hex)
{
	for (; hex[0] && hex[1] && mark->size < CODE_MAX; hex += 2) {
		const char digits[] = {hex[0], hex[1], 0};
		mark->code[mark->size++] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

static void read_mark(struct mark *mark, const char *argument, const char *const names[3])
{
	const char *value;
	if (is(argument, names[0], &value))
		mark->address = strtoull(value, NULL, 16);
	if (is(argument, names[1], &value))
		read_code(mark, value);
	if (is(argument, names[2], &value))
		mark->nth = strtoull(value, NULL, 16);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	static const char *const names[2][3] = {{"from", "from_code", "from_nth"}, {"to", "to_code", "to_nth"}};
	const char *value;
	int file = -1;
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (is(argv[i], "out", &value))
			file = open(value, O_RDWR | O_CREAT, 0666);
		for (unsigned mark = 0; mark < 2; mark++)
			read_mark(&marks[mark], argv[i], names[mark]);
	}
	size_t size = sizeof(*shared) + ROWS_MAX * sizeof(struct row);
	if (file < 0 || ftruncate(file, (off_t)size) != 0)
		return -1;
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (shared == MAP_FAILED)
		return -1;
	shared->marks = marks[0].nth == 0;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
