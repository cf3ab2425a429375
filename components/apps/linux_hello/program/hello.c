/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello.c - a Linux program, made by musl-gcc and knowing nothing of Tessera. Says by write(2), and by stdio, whether
 * what a C program relies on is there: arguments, thread-local storage, the heap, vector registers across a system call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (256 * 1024)
#define CODE 42

static _Thread_local int in_tls = 7;

/* A sum whose parts stay in vector registers while a system call is served. */
static int vectors_kept(void)
{
	double before[4] = {1.5, 2.5, 3.5, 4.5}, after[4];
	long result = 39; /* getpid */
	__asm__ volatile("movupd (%1), %%xmm6\n\tmovupd 16(%1), %%xmm15\n\tsyscall\n\t"
			 "movupd %%xmm6, (%2)\n\tmovupd %%xmm15, 16(%2)"
			 : "+a"(result)
			 : "r"(before), "r"(after)
			 : "rcx", "r11", "xmm6", "xmm15", "memory");
	return memcmp(before, after, sizeof(before)) == 0;
}

int main(int argc, char **argv)
{
	static const char first[] = "hello by write(2)\n";
	if (write(1, first, sizeof(first) - 1) != (ssize_t)sizeof(first) - 1)
		return 1;
	char *block = malloc(BLOCK);
	if (block == NULL)
		return 2;
	memset(block, 'x', BLOCK);
	errno = 0;
	int refused = access("/", F_OK); /* not among the ten */
	printf("%s has %d argument, tls %d, heap %s, pid %d, vectors %s\n", argv[0], argc, in_tls++,
	       block[BLOCK - 1] == 'x' ? "good" : "bad", (int)getpid(), vectors_kept() ? "kept" : "lost");
	printf("access gives %d\n", refused == 0 ? 0 : -errno);
	free(block);
	return in_tls == 8 ? CODE : 3;
}
