/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native.c - a Linux program that knows of Tessera and makes a system call of its by hand: self_version, the cheapest and
 * most harmless there is, which no stub of the component around it makes. So it is not in the unit's table.
 */
#include <unistd.h>

#define SELF_VERSION 0x1000

int main(void)
{
	long number = SELF_VERSION;
	if (write(1, "before\n", 7) != 7)
		return 1;
	__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "rdx", "rsi", "rdi", "r8", "r9", "r10", "memory");
	return write(1, "after\n", 6) == 6 ? 0 : 1;
}
