/* SPDX-License-Identifier: BSD-2-Clause */
/* uart.c - bytes to a 16550 without its driver, for components that nothing may stand in the way of. */
#include <tessera/stdio.h>
#include <tessera/tessera.h>

#define DATA 0 /* registers */
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x20u

void tss_uart_write(unsigned regs, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t status = TRANSMITTER_EMPTY;
		while (tss_ioport_read(regs, LINE_STATUS, 1, &status) == TSS_OK && !(status & TRANSMITTER_EMPTY))
			(void)tss_self_yield();
		(void)tss_ioport_write(regs, DATA, 1, (uint8_t)text[i]);
	}
}
