/* SPDX-License-Identifier: BSD-2-Clause */
/* hello.c - the smallest component: one line, straight to the 16550 whose ports it holds; then it sleeps for good. */
#include <tessera/tessera.h>
#include "slots.h"

#define DATA 0
#define LINE_STATUS 5
#define TRANSMIT_EMPTY 0x20u

static void put(char c)
{
	uint64_t status;
	do {
		if (tss_ioport_read(SLOT_REGS, LINE_STATUS, 1, &status) != TSS_OK)
			abort();
	} while (!(status & TRANSMIT_EMPTY));
	(void)tss_ioport_write(SLOT_REGS, DATA, 1, (uint8_t)c);
}

int main(void)
{
	for (const char *p = "hello, world\r\n"; *p; p++)
		put(*p);
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
