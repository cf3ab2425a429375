/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cover.c - a plugin for QEMU's TCG that counts how often each instruction of the kernel is executed, into a file.
 *
 *   -plugin libcover.so,out=PATH,high=HEX,low=HEX,entry=HEX,size=HEX
 *
 * The file holds `size` 64-bit counters, one for each byte of the kernel's code from its first; that of an instruction is
 * at its first byte. The code is seen at the virtual address `high` and, while paging is off, at `low`, which counts only
 * from the kernel's first instruction (`entry`) on: before, loaders run there.
 * QEMU's plugin interface, version 1, is declared here because Debian ships no header for it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_t)(uint64_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_t callback);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation, void *target,
						uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define INLINE_ADD_U64 0
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static uint64_t *counters;
static uint64_t high, low, entry, size;
static int entered;

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		uint64_t offset = address - high;
		entered |= address == entry;
		if (offset >= size && entered)
			offset = address - low;
		if (offset < size)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counters[offset], 1);
	}
}

static uint64_t number(const char *argument, const char *name)
{
	size_t length = strlen(name);
	return strncmp(argument, name, length) == 0 ? strtoull(argument + length, NULL, 16) : 0;
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int file = -1;
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			file = open(argv[i] + 4, O_RDWR | O_CREAT, 0666);
		high |= number(argv[i], "high=");
		low |= number(argv[i], "low=");
		entry |= number(argv[i], "entry=");
		size |= number(argv[i], "size=");
	}
	if (file < 0 || ftruncate(file, (off_t)(size * sizeof(*counters))) != 0)
		return -1;
	counters = mmap(NULL, size * sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (counters == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
