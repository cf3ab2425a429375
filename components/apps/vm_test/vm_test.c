/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_test.c - what an instance does follows from its name. `flow` follows a page from the first touch to the last; `abuse`
 * does what no client should.
 */
#include <abi/inspect.h>
#include <interfaces/log.h>
#include "vm_test.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static unsigned passed, failed;

void check(bool held, int line, const char *what)
{
	if (held)
		passed++;
	else if (++failed != 0)
		printf("line %d: %s\n", line, what);
}

uint64_t total(uint32_t what)
{
	uint64_t count = 0;
	CHECK(mem_totals(SLOT_MEMORY, what, &count, TSS_INFINITE) == TSS_OK);
	return count;
}

uint64_t kernel_faults(void)
{
	uint64_t next;
	const struct tss_inspect_counters *counters = (const struct tss_inspect_counters *)tss_ipc()->recv;
	CHECK(tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, &next) == TSS_OK);
	return counters->faults;
}

volatile uint64_t *map(uint64_t pages, unsigned protection)
{
	void *at = NULL;
	CHECK(vm_map(SLOT_MEMORY, pages * PAGE, protection, &at) == TSS_OK);
	return at;
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} roles[] = {{"flow", run_flow},   {"abuse", run_abuse},   {"hog", run_hog},
		     {"small", run_small}, {"keeper", run_keeper}, {"cacher", run_cacher}};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strncmp(roles[i].name, (const char *)tss_ipc()->unit, TSS_NAME_SIZE) == 0)
			roles[i].run();
	printf("%u checks held, %u failed\n", passed, failed);
	return failed != 0;
}
