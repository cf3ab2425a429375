/* SPDX-License-Identifier: BSD-2-Clause */
/* uart.c - access to the 16550 through the ioport capability, and its setting up. */
#include "slots.h"
#include "uart.h"

uint8_t uart_read(unsigned offset)
{
	uint64_t value = 0;
	(void)tss_ioport_read(SLOT_REGS, offset, 1, &value);
	return (uint8_t)value;
}

void uart_write(unsigned offset, uint8_t value)
{
	(void)tss_ioport_write(SLOT_REGS, offset, 1, value);
}

void uart_start(void)
{
	uart_write(UART_INTERRUPTS, 0);
	uart_write(UART_LINE, UART_LINE_DIVISOR | UART_LINE_8N1);
	uart_write(UART_DIVISOR_LOW, 1);
	uart_write(UART_DIVISOR_HIGH, 0);
	uart_write(UART_LINE, UART_LINE_8N1);
	uart_write(UART_FIFO, UART_FIFO_ENABLE);
	uart_write(UART_MODEM, UART_MODEM_READY);
	uart_write(UART_INTERRUPTS, UART_WANT_RECEIVE | UART_WANT_LINE_STATUS);
}
