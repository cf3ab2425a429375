/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux.c - the first and only program of the Linux guest that tests/bench/peers.py boots: does there what a row of ours
 * does here, and says what it cost: "peer NAME MIN MEDIAN MAX" in ticks of the time-stamp counter, for one operation.
 *
 * Each row runs in a process of its own, which is killed with all it has started, so rows clear nothing away. A row that
 * cannot be measured prints "peer-failed NAME WHY" instead.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define SAMPLES 15
#define PAGE 4096
#define MESSAGE_MAX 256

struct row {
	const char *name;
	void (*prepare)(size_t bytes); /* may be NULL */
	void (*operate)(long count); /* what is timed */
	size_t bytes;
	long count; /* operations in a sample */
};

static const char *row_name = "start";

static long must(long result, const char *what)
{
	if (result >= 0)
		return result;
	printf("peer-failed %s %s: %s\n", row_name, what, strerror(errno));
	exit(1);
}

static void null_call(long count)
{
	while (count-- > 0) {
		long result = SYS_getpid;
		/* Safety: the system call clobbers what is listed and nothing else. */
		__asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
	}
}

/* A message to another process and back, through whatever file descriptors lead there. */
static int to_peer, from_peer;
static size_t message_size;
static char message[MESSAGE_MAX];

static void start_echo(int in, int out, size_t bytes)
{
	message_size = bytes;
	message[0] = 1; /* an eventfd refuses all ones and waits for something other than 0 */
	if (must(fork(), "fork") > 0)
		return;
	for (;;) {
		must(read(in, message, bytes), "echo: read");
		must(write(out, message, bytes), "echo: write");
	}
}

static void prepare_pipe(size_t bytes)
{
	int there[2], back[2];
	must(pipe(there), "pipe");
	must(pipe(back), "pipe");
	to_peer = there[1];
	from_peer = back[0];
	start_echo(there[0], back[1], bytes);
}

static void prepare_eventfd(size_t bytes)
{
	int there = (int)must(eventfd(0, 0), "eventfd"), back = (int)must(eventfd(0, 0), "eventfd");
	to_peer = there;
	from_peer = back;
	start_echo(there, back, bytes);
}

static void prepare_socket(size_t bytes)
{
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	to_peer = from_peer = ends[0];
	start_echo(ends[1], ends[1], bytes);
}

static void round_trips(long count)
{
	while (count-- > 0) {
		must(write(to_peer, message, message_size), "write");
		must(read(from_peer, message, message_size), "read");
	}
}

/* Two threads that hand a word to and fro. */
static _Atomic uint32_t turn;

static void turn_give(uint32_t to)
{
	atomic_store(&turn, to);
	must(syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), "futex: wake");
}

static void turn_wait(uint32_t mine)
{
	while (atomic_load(&turn) != mine)
		(void)syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !mine, NULL, NULL, 0);
}

static void *futex_peer(void *unused)
{
	(void)unused;
	for (;;) {
		turn_wait(1);
		turn_give(0);
	}
	return NULL;
}

static void prepare_futex(size_t bytes)
{
	pthread_t thread;
	(void)bytes;
	errno = pthread_create(&thread, NULL, futex_peer, NULL);
	must(-errno, "pthread_create");
}

static void futex_round_trips(long count)
{
	while (count-- > 0) {
		turn_give(1);
		turn_wait(0);
	}
}

/* Two processes of one fixed priority: each call is a switch, so half of the operations are made by the other. */
static void prepare_yield(size_t bytes)
{
	struct sched_param priority = {.sched_priority = 1};
	(void)bytes;
	must(sched_setscheduler(0, SCHED_FIFO, &priority), "sched_setscheduler");
	if (must(fork(), "fork") == 0)
		for (;;)
			(void)sched_yield();
}

static void yields(long count)
{
	for (; count > 0; count -= 2)
		(void)sched_yield();
}

static char *page;

/* Steps over `movb $0, (%rdi)`, which has 3 bytes. */
static void step_over(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
}

static char *map(long pages, int protection)
{
	char *at = mmap(NULL, (size_t)pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(at == MAP_FAILED ? -1 : 0, "mmap");
	must(madvise(at, (size_t)pages * PAGE, MADV_NOHUGEPAGE), "madvise");
	return at;
}

static void prepare_fault(size_t bytes)
{
	struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
	(void)bytes;
	page = map(1, PROT_NONE);
	must(sigaction(SIGSEGV, &action, NULL), "sigaction");
}

static void faults(long count)
{
	while (count-- > 0)
		/* Safety: the page is forbidden and the handler steps over the store. */
		__asm__ volatile("movb $0, (%%rdi)" : : "D"(page) : "memory");
}

/* The mapping itself is a thousandth of it; what a sample has mapped stays, as unmapping would cost as much again. */
static void first_touches(long count)
{
	char *at = map(count, PROT_READ | PROT_WRITE);
	for (long i = 0; i < count; i++)
		*(volatile char *)(at + i * PAGE) = 1;
}

static int ascending(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

static void measure(const struct row *row)
{
	static uint64_t samples[SAMPLES];
	row_name = row->name;
	if (row->prepare)
		row->prepare(row->bytes);
	row->operate(row->count); /* the first time only warms up */
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t start = __builtin_ia32_rdtsc();
		row->operate(row->count);
		samples[i] = (__builtin_ia32_rdtsc() - start) / (uint64_t)row->count;
	}
	qsort(samples, SAMPLES, sizeof(samples[0]), ascending);
	printf("peer %s %lu %lu %lu\n", row->name, samples[0], samples[SAMPLES / 2], samples[SAMPLES - 1]);
	exit(0);
}

static const struct row rows[] = {
	{"null_call", NULL, null_call, 0, 5000},
	{"pipe_1", prepare_pipe, round_trips, 1, 150},
	{"eventfd_8", prepare_eventfd, round_trips, 8, 150},
	{"socket_64", prepare_socket, round_trips, 64, 100},
	{"socket_256", prepare_socket, round_trips, 256, 100},
	{"futex", prepare_futex, futex_round_trips, 0, 150},
	{"yield", prepare_yield, yields, 0, 1000},
	{"signal_fault", prepare_fault, faults, 0, 200},
	{"first_touch", NULL, first_touches, 0, 1024},
};

int main(void)
{
	uint64_t started = __builtin_ia32_rdtsc();
	cpu_set_t one;
	setvbuf(stdout, NULL, _IOLBF, 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	printf("peer boot_to_init %lu %lu %lu\n", started, started, started);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t child = (pid_t)must(fork(), "fork");
		if (child == 0)
			measure(&rows[i]);
		(void)waitpid(child, NULL, 0);
		(void)kill(-1, SIGKILL);
		while (wait(NULL) > 0 || errno == EINTR)
			;
	}
	printf("peers done\n");
	for (;;)
		(void)reboot(RB_AUTOBOOT);
}
