/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - COM1, polled, output only. Works before anything else does, and again in a panic after the serial
 * driver has had the port: each write sets the line up anew if the driver left it in another state.
 */
#include "x86.h"

#define COM1 0x3f8
/* 16550 registers, PC16550D data sheet table II */
#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_FIFO 2
#define UART_LINE 3
#define UART_MODEM 4
#define UART_STATUS 5
#define UART_SCRATCH 7
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define STATUS_CAN_SEND 0x20
#define WAIT_LIMIT 100000 /* polls for one byte; at 115200 baud a byte takes about 87 us */

static bool present;

static void uart_set(unsigned offset, uint8_t value)
{
	out8((uint16_t)(COM1 + offset), value);
}

void console_init(void)
{
	uart_set(UART_SCRATCH, 0x5a);
	present = in8(COM1 + UART_SCRATCH) == 0x5a;
	if (!present)
		return;
	uart_set(UART_INTERRUPTS, 0);
	uart_set(UART_LINE, LINE_DIVISOR);
	uart_set(UART_DATA, 1); /* 115200 baud */
	uart_set(UART_INTERRUPTS, 0);
	uart_set(UART_LINE, LINE_8N1);
	uart_set(UART_FIFO, 0x01);
	uart_set(UART_MODEM, 0x03);
}

static void put(char c)
{
	for (unsigned wait = 0; wait < WAIT_LIMIT && !(in8(COM1 + UART_STATUS) & STATUS_CAN_SEND); wait++)
		;
	uart_set(UART_DATA, (uint8_t)c);
}

void arch_console_write(const char *text, size_t size)
{
	if (!present)
		return;
	if (in8(COM1 + UART_LINE) != LINE_8N1)
		uart_set(UART_LINE, LINE_8N1);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
}
