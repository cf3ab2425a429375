/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serial.c - the terminal on a 16550: bytes wait in two rings, and whoever cannot be served at once is answered later.
 *
 * Output: a write goes into the ring and is answered; with a full ring it waits in `writers` and is answered when it
 * fitted. The transmitter's interrupt is on only while there is output. Input: the interrupt fills the ring; a read is
 * answered from it, or waits in `readers` for the next byte. Nothing polls: without input and output nothing runs.
 */
#include "serial.h"
#include "uart.h"

#define ROUNDS_MAX 256u /* causes served in one go; then other messages get their turn */

/* Puts text into the ring, \n as \r\n. The caller has seen to the room: twice its size. */
static void output_text(struct serial *s, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' && s->last != '\r')
			ring_put(&s->output, '\r');
		ring_put(&s->output, text[i]);
		s->last = text[i];
	}
}

static void fill_transmitter(struct serial *s)
{
	for (unsigned i = 0; i < UART_FIFO_SIZE && ring_used(&s->output) > 0; i++)
		uart_write(UART_DATA, ring_get(&s->output));
}

static void set_transmitting(struct serial *s, bool on)
{
	if (s->transmitting == on)
		return;
	s->transmitting = on;
	uart_write(UART_INTERRUPTS,
		   (uint8_t)(UART_WANT_RECEIVE | UART_WANT_LINE_STATUS | (on ? UART_WANT_TRANSMIT : 0)));
}

static void start_output(struct serial *s)
{
	if (!s->transmitting && ring_used(&s->output) > 0)
		set_transmitting(s, true); /* an empty transmitter interrupts at once */
}

/* The transmitter is empty: the next bytes, then those writers whose text fits now. */
static void on_transmit(struct serial *s)
{
	fill_transmitter(s);
	while (s->writers.count > 0 && ring_free(&s->output) >= 2 * s->writers.list[0].size) {
		struct waiter *w = &s->writers.list[0];
		output_text(s, w->text, w->size);
		(void)terminal_write_reply(w->reply, TSS_OK, w->size);
		waiters_remove_first(&s->writers);
	}
	if (ring_used(&s->output) == 0)
		set_transmitting(s, false);
}

static void on_line_status(struct serial *s, uint8_t status)
{
	if (status & UART_STATUS_OVERRUN)
		s->lost_hardware++;
}

static void on_receive(struct serial *s)
{
	for (unsigned i = 0; i < UART_FIFO_SIZE; i++) {
		uint8_t status = uart_read(UART_LINE_STATUS);
		on_line_status(s, status);
		if (!(status & UART_STATUS_DATA))
			return;
		uint8_t byte = uart_read(UART_DATA);
		if (ring_free(&s->input) > 0)
			ring_put(&s->input, byte);
		else
			s->lost_ring++;
	}
}

/* Input for those who wait for it. What a reader that gave up would have got is the next one's. */
static void answer_readers(struct serial *s)
{
	while (s->readers.count > 0 && ring_used(&s->input) > 0) {
		struct waiter *w = &s->readers.list[0];
		uint32_t size = ring_used(&s->input) < w->size ? ring_used(&s->input) : w->size;
		for (uint32_t i = 0; i < size; i++)
			w->text[i] = s->input.bytes[(s->input.head + i) % RING_SIZE];
		if (terminal_read_reply(w->reply, TSS_OK, w->text, size) == TSS_OK)
			s->input.head += size;
		waiters_remove_first(&s->readers);
	}
}

/* The line is edge-triggered: every cause must be gone before it is acknowledged, or there is no next edge. */
static void on_interrupt(void *state, uint64_t bits)
{
	struct serial *s = state;
	unsigned rounds = 0;
	uint8_t cause = 0;
	(void)bits;
	for (; rounds < ROUNDS_MAX && !((cause = uart_read(UART_IDENTIFY)) & UART_NONE_PENDING); rounds++) {
		switch (cause & UART_CAUSE) {
		case CAUSE_TRANSMIT:
			on_transmit(s);
			break;
		case CAUSE_RECEIVE:
		case CAUSE_TIMEOUT:
			on_receive(s);
			break;
		case CAUSE_LINE_STATUS:
			on_line_status(s, uart_read(UART_LINE_STATUS));
			break;
		default:
			(void)uart_read(UART_MODEM_STATUS);
		}
	}
	answer_readers(s);
	if (rounds == ROUNDS_MAX)
		(void)tss_event_signal(SLOT_EVENT_INTERRUPT, 1);
	else
		(void)tss_irq_ack(SLOT_LINE);
}

static tss_status_t on_write(void *state, struct tss_request *request, const void *text, size_t size, uint32_t *written)
{
	struct serial *s = state;
	if (s->writers.count == 0 && ring_free(&s->output) >= 2 * size) {
		output_text(s, text, size);
		start_output(s);
		*written = (uint32_t)size;
		return TSS_OK;
	}
	struct waiter *w = waiters_add(&s->writers, request->badge, request->reply);
	if (w == NULL)
		return TERMINAL_ERROR_BUSY;
	w->size = (uint32_t)size;
	memcpy(w->text, text, size);
	return TSS_DEFER;
}

static tss_status_t on_read(void *state, struct tss_request *request, uint32_t max, void *text, size_t *size)
{
	struct serial *s = state;
	if (max == 0)
		return TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT);
	if (max > TERMINAL_READ_TEXT_MAX)
		max = TERMINAL_READ_TEXT_MAX;
	if (s->readers.count > 0 || ring_used(&s->input) == 0) {
		struct waiter *w = waiters_add(&s->readers, request->badge, request->reply);
		if (w == NULL)
			return TERMINAL_ERROR_BUSY;
		w->size = max;
		return TSS_DEFER;
	}
	for (*size = 0; *size < max && ring_used(&s->input) > 0; (*size)++)
		((uint8_t *)text)[*size] = ring_get(&s->input);
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct terminal_operations operations = {.write = on_write, .read = on_read};
	return terminal_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .event = on_interrupt};
	static struct serial serial;
	if (tss_event_bind(SLOT_EVENT_INTERRUPT, SLOT_PORT_TERMINAL) != TSS_OK ||
	    tss_irq_bind(SLOT_LINE, SLOT_EVENT_INTERRUPT, 1) != TSS_OK)
		return 1;
	uart_start();
	return (int)tss_serve(SLOT_PORT_TERMINAL, &server, &serial);
}
