/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power.c - ends the machine. Each way is tried in turn; where none works, the caller gets an error.
 *
 * Off: SLP_EN with SLP_TYP 0 in PM1a_CNT (ACPI 6.4, 4.8.3.2.1), where QEMU's chipsets have it. Reset: the reset control
 * register of Intel chipsets, then the keyboard controller's pulse command.
 */
#include <interfaces/power.h>
#include <tessera/tessera.h>
#include "slots.h"

#define SLEEP_ENABLE 0x2000u
#define RESET_SYSTEM 0x02u
#define RESET_CPU 0x06u
#define KEYBOARD_PULSE_RESET 0xfeu
#define OBEY_US 100000u

/* The machine may take a moment to obey; only then is the next way tried, or failure admitted. */
static void try_write(cap_t ports, unsigned width, uint32_t value)
{
	if (tss_ioport_write(ports, 0, width, value) == TSS_OK)
		(void)tss_self_sleep(OBEY_US);
}

static tss_status_t on_turn_off(void *state, struct tss_request *request)
{
	(void)state, (void)request;
	try_write(SLOT_ACPI, 2, SLEEP_ENABLE);
	try_write(SLOT_ACPI_OLD, 2, SLEEP_ENABLE);
	try_write(SLOT_TEST_EXIT, 4, 0);
	return POWER_ERROR_FAILED;
}

static tss_status_t on_reset(void *state, struct tss_request *request)
{
	(void)state, (void)request;
	try_write(SLOT_RESET, 1, RESET_SYSTEM);
	try_write(SLOT_RESET, 1, RESET_CPU);
	try_write(SLOT_KEYBOARD, 1, KEYBOARD_PULSE_RESET);
	return POWER_ERROR_FAILED;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct power_operations operations = {.turn_off = on_turn_off, .reset = on_reset};
	return power_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	return (int)tss_serve(SLOT_PORT_POWER, &server, NULL);
}
