/* SPDX-License-Identifier: BSD-2-Clause */
/* controller.c - the 8042's two ports. Only the start waits for answers, a bounded time; later the interrupt tells. */
#include "controller.h"
#include "slots.h"

#define STATUS_OUTPUT_FULL 0x01u
#define STATUS_INPUT_FULL 0x02u
#define STATUS_AUXILIARY 0x20u
#define STATUS_NOTHING_THERE 0xffu

#define COMMAND_READ_CONFIGURATION 0x20u
#define COMMAND_WRITE_CONFIGURATION 0x60u
#define COMMAND_AUXILIARY_OFF 0xa7u
#define COMMAND_TEST 0xaau
#define COMMAND_KEYBOARD_OFF 0xadu
#define COMMAND_KEYBOARD_ON 0xaeu
#define TEST_PASSED 0x55u

#define CONFIGURATION_INTERRUPT 0x01u
#define CONFIGURATION_AUXILIARY_INTERRUPT 0x02u
#define CONFIGURATION_KEYBOARD_OFF 0x10u
#define CONFIGURATION_AUXILIARY_OFF 0x20u
#define CONFIGURATION_TRANSLATE 0x40u /* the keyboard's set 2 becomes set 1 */

#define KEYBOARD_DEFAULTS 0xf6u
#define KEYBOARD_SCAN 0xf4u

#define STALE_MAX 64u /* bytes that lay there before us */
#define WAIT_STEP_US 1000u
#define WAIT_STEPS 250u

static uint8_t read_port(cap_t port)
{
	uint64_t value = 0;
	(void)tss_ioport_read(port, 0, 1, &value);
	return (uint8_t)value;
}

/* Waits until the status has `bits` as `wanted` says; false if the controller takes too long. */
static bool wait_status(uint8_t bits, uint8_t wanted)
{
	for (unsigned step = 0; step < WAIT_STEPS; step++) {
		if ((read_port(SLOT_CONTROL) & bits) == wanted)
			return true;
		(void)tss_self_sleep(WAIT_STEP_US);
	}
	return false;
}

static bool write_port(cap_t port, uint8_t value)
{
	return wait_status(STATUS_INPUT_FULL, 0) && tss_ioport_write(port, 0, 1, value) == TSS_OK;
}

static bool answer(uint8_t *byte)
{
	if (!wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL))
		return false;
	*byte = read_port(SLOT_DATA);
	return true;
}

bool controller_read(uint8_t *byte)
{
	for (unsigned i = 0; i < STALE_MAX; i++) {
		uint8_t status = read_port(SLOT_CONTROL);
		if (!(status & STATUS_OUTPUT_FULL))
			return false;
		*byte = read_port(SLOT_DATA);
		if (!(status & STATUS_AUXILIARY))
			return true;
	}
	return false;
}

bool keyboard_send(uint8_t byte)
{
	return write_port(SLOT_DATA, byte);
}

/* What the keyboard answers to a command at the start; scancodes of keys that are held may come before it. */
static bool acknowledged(uint8_t command)
{
	uint8_t byte = 0;
	if (!keyboard_send(command))
		return false;
	for (unsigned i = 0; i < STALE_MAX && answer(&byte); i++)
		if (byte == KEYBOARD_ACKNOWLEDGE)
			return true;
	return false;
}

static bool configure(void)
{
	uint8_t configuration = 0;
	if (!write_port(SLOT_CONTROL, COMMAND_READ_CONFIGURATION) || !answer(&configuration))
		return false;
	configuration &= (uint8_t) ~(CONFIGURATION_AUXILIARY_INTERRUPT | CONFIGURATION_KEYBOARD_OFF);
	configuration |= CONFIGURATION_INTERRUPT | CONFIGURATION_AUXILIARY_OFF | CONFIGURATION_TRANSLATE;
	return write_port(SLOT_CONTROL, COMMAND_WRITE_CONFIGURATION) && write_port(SLOT_DATA, configuration);
}

bool controller_start(void)
{
	uint8_t byte = 0;
	if (read_port(SLOT_CONTROL) == STATUS_NOTHING_THERE)
		return false;
	if (!write_port(SLOT_CONTROL, COMMAND_KEYBOARD_OFF) || !write_port(SLOT_CONTROL, COMMAND_AUXILIARY_OFF))
		return false;
	while (controller_read(&byte))
		;
	if (!write_port(SLOT_CONTROL, COMMAND_TEST) || !answer(&byte) || byte != TEST_PASSED || !configure())
		return false;
	if (!write_port(SLOT_CONTROL, COMMAND_KEYBOARD_ON))
		return false;
	return acknowledged(KEYBOARD_DEFAULTS) && acknowledged(KEYBOARD_SCAN);
}
