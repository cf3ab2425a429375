/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c - wait.h by system calls. */
#include <tessera/syscalls.h>
#include <tessera/wait.h>

void tss_wait_yield(void)
{
	(void)tss_self_yield();
}

void tss_wait_sleep(uint64_t us)
{
	(void)tss_self_sleep(us);
}

void tss_wait_event(cap_t event)
{
	uint64_t bits;
	(void)tss_event_wait(event, TSS_INFINITE, &bits);
}

void tss_wait_wake(cap_t event)
{
	(void)tss_event_signal(event, 1);
}
