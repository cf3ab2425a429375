/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyboard.c - waits for the interrupt, decodes, types into the terminal that the manifest names. It serves nobody and
 * waits for nobody: a terminal that does not take the bytes loses them.
 */
#include <interfaces/log.h>
#include <interfaces/terminal.h>
#include "controller.h"
#include "decode.h"
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#ifdef CONFIG_KEYBOARD_LAYOUT_US
#define LAYOUT_AT_START LAYOUT_US
#endif
#ifdef CONFIG_KEYBOARD_LAYOUT_DE
#define LAYOUT_AT_START LAYOUT_DE
#endif
#define BYTES_MAX 64u /* in one go; then other work of this priority gets its turn */

struct keyboard {
	struct decoder decoder;
	enum { LIGHTS_SHOWN, LIGHTS_COMMAND, LIGHTS_VALUE } lights; /* what the keyboard's acknowledgement is for */
	uint8_t shown;
	uint64_t lost; /* bytes that the terminal did not take */
};

/* The keyboard takes the command, acknowledges, takes the value, acknowledges; keys may come in between. */
static void show_lights(struct keyboard *k)
{
	if (k->lights == LIGHTS_SHOWN && k->shown != k->decoder.lights)
		k->lights = keyboard_send(KEYBOARD_SET_LIGHTS) ? LIGHTS_COMMAND : LIGHTS_SHOWN;
}

static void on_acknowledge(struct keyboard *k)
{
	if (k->lights == LIGHTS_COMMAND) {
		k->shown = k->decoder.lights;
		k->lights = keyboard_send(k->shown) ? LIGHTS_VALUE : LIGHTS_SHOWN;
	} else {
		k->lights = LIGHTS_SHOWN;
	}
}

static void on_byte(struct keyboard *k, uint8_t byte)
{
	uint8_t text[KEY_BYTES_MAX];
	if (byte == KEYBOARD_ACKNOWLEDGE) {
		on_acknowledge(k);
	} else if (byte == KEYBOARD_RESEND) {
		k->lights = LIGHTS_SHOWN; /* a keyboard without lights is not asked again */
		k->shown = k->decoder.lights;
	} else {
		size_t size = decode(&k->decoder, byte, text);
		if (size > 0 && terminal_typed_send(SLOT_TYPING, text, size) != TSS_OK)
			k->lost += size;
	}
	show_lights(k);
}

/* The line is edge-triggered: the controller must be empty before it is acknowledged, or there is no next edge. */
static void on_interrupt(struct keyboard *k)
{
	uint8_t byte;
	unsigned count = 0;
	for (; count < BYTES_MAX && controller_read(&byte); count++)
		on_byte(k, byte);
	if (count == BYTES_MAX)
		(void)tss_event_signal(SLOT_EVENT_INTERRUPT, 1);
	else
		(void)tss_irq_ack(SLOT_LINE);
}

int main(void)
{
	static struct keyboard keyboard;
	uint64_t bits;
	keyboard.decoder.layout = &layouts[LAYOUT_AT_START];
	keyboard.decoder.lights = LIGHT_NUM;
	if (!controller_start()) {
		printf("no PS/2 keyboard here\n");
		return 0;
	}
	if (tss_irq_bind(SLOT_LINE, SLOT_EVENT_INTERRUPT, 1) != TSS_OK)
		return 1;
	show_lights(&keyboard);
	on_interrupt(&keyboard); /* what came before the line was open had no edge */
	for (;;) {
		tss_heartbeat();
		if (tss_event_wait(SLOT_EVENT_INTERRUPT, tss_heartbeat_timeout(), &bits) == TSS_OK)
			on_interrupt(&keyboard);
	}
}
