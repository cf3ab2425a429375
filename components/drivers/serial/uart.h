/* SPDX-License-Identifier: BSD-2-Clause */
/* uart.h - the 16550's registers (National Semiconductor PC16550D data sheet, table II). */
#pragma once
#include <tessera/tessera.h>

enum { UART_DATA, UART_INTERRUPTS, UART_IDENTIFY, UART_LINE, UART_MODEM, UART_LINE_STATUS, UART_MODEM_STATUS };
enum { UART_DIVISOR_LOW = 0, UART_DIVISOR_HIGH = 1, UART_FIFO = 2 };

#define UART_WANT_RECEIVE 0x01u
#define UART_WANT_TRANSMIT 0x02u
#define UART_WANT_LINE_STATUS 0x04u
#define UART_NONE_PENDING 0x01u /* of UART_IDENTIFY; bits 1-3 say what is pending */
#define UART_CAUSE 0x0eu
enum { CAUSE_MODEM = 0x0, CAUSE_TRANSMIT = 0x2, CAUSE_RECEIVE = 0x4, CAUSE_LINE_STATUS = 0x6, CAUSE_TIMEOUT = 0xc };
#define UART_FIFO_ENABLE 0x01u
#define UART_LINE_8N1 0x03u
#define UART_LINE_DIVISOR 0x80u
#define UART_MODEM_READY 0x0bu /* DTR, RTS, and OUT2, which lets the interrupt out */
#define UART_STATUS_DATA 0x01u
#define UART_STATUS_OVERRUN 0x02u
#define UART_STATUS_EMPTY 0x20u
#define UART_FIFO_SIZE 16u

uint8_t uart_read(unsigned offset);
void uart_write(unsigned offset, uint8_t value);
void uart_start(void); /* 115200 8N1, FIFO on, receive interrupts on */
