/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/lib/src/draw.c
/* test_guard.c - the word of the stack protector: another one each time, no bit of it fixed but those of its zero byte. */
#include <stdio.h>

#define __stack_chk_guard t_guard
#define __stack_chk_fail t_fail
#include "../../../components/lib/src/guard.c"
#undef __stack_chk_guard
#undef __stack_chk_fail

#define ROUNDS 64

int main(void)
{
	uint64_t set = 0, clear = 0, last = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		tss_guard_stack();
		if (t_guard == last) {
			printf("drawn twice: %#lx\n", (unsigned long)last);
			return 1;
		}
		last = t_guard;
		set |= last;
		clear |= ~last;
	}
	printf("ever set %#lx, ever clear %#lx\n", (unsigned long)set, (unsigned long)clear);
	return set != ~0xffull || clear != ~0ull;
}
