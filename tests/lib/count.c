/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * count.c - a plugin for QEMU's TCG that counts guest instructions into a file others can map while QEMU runs.
 *
 *   -plugin libcount.so,out=PATH,entry=HEX
 *
 * The file has two 64-bit words: instructions executed so far, and how many it were when the code at address `entry`
 * was reached for the first time (0: not yet). A block of code that an exception cuts short counts as a whole.
 * QEMU's plugin interface, version 1, is declared here because Debian ships no header for it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
typedef void (*translated_t)(uint64_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_t callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation, void *target, uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

#define INLINE_ADD_U64 0
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static struct {
	uint64_t total, at_entry;
} * shared;
static uint64_t entry;

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (shared->at_entry == 0 && qemu_plugin_tb_vaddr(tb) == entry)
		shared->at_entry = shared->total;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &shared->total, qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int file = -1;
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			file = open(argv[i] + 4, O_RDWR);
		if (strncmp(argv[i], "entry=", 6) == 0)
			entry = strtoull(argv[i] + 6, NULL, 16);
	}
	if (file < 0)
		return -1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (shared == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
