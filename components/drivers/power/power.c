/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power.c - ends the machine. Each way is tried in turn; where none works, the caller gets an error.
 *
 * Off: ACPI's soft-off state, SLP_TYP from the DSDT and SLP_EN into PM1a_CNT and PM1b_CNT (ACPI 6.5, 4.8.3.2.1), after
 * the firmware has handed power management over. Reset: ACPI's reset register, the reset control register of Intel
 * chipsets, the keyboard controller's pulse command. The ports and tables are devices of the plan that init found in
 * this machine; what it lacks is an empty slot. QEMU's exit device is for tests.
 */
#include <interfaces/log.h>
#include <interfaces/power.h>
#include <tessera/firmware.h>
#include <tessera/tessera.h>
#include "aml.h"
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#define CONTROL_ACPI 0x0001u /* SCI_EN: the operating system, not the firmware, has the power management */
#define CONTROL_SLEEP_TYPE 0x1c00u
#define CONTROL_SLEEP_SHIFT 10
#define CONTROL_SLEEP 0x2000u
#define RESET_SYSTEM 0x02u
#define RESET_CPU 0x06u
#define KEYBOARD_PULSE_RESET 0xfeu
#define OBEY_US 100000u
#define HAND_OVER_STEPS 30u /* 3 s, ACPI 4.8.3.2.1 */

struct power {
	bool can_sleep;
	uint8_t sleep_types[2];
};

static bool have(cap_t slot)
{
	uint64_t ignored;
	return tss_capability_inspect(slot, &ignored) == TSS_OK;
}

static const struct tss_firmware_facts *facts(void)
{
	/* Safety: the plan maps the device `facts`, a page that init filled, at ADDRESS_FACTS. */
	return (const struct tss_firmware_facts *)ADDRESS_FACTS;
}

/* Once, at the start: the table lies in uncached memory and does not change. */
static void read_soft_off(struct power *power)
{
	/* Safety: the plan maps the device `dsdt` at ADDRESS_DSDT, and init its first dsdt_size bytes at least. */
	const uint8_t *table = (const uint8_t *)(ADDRESS_DSDT + facts()->dsdt % TSS_PAGE_SIZE);
	if (!have(SLOT_DSDT) || !have(SLOT_PM1A))
		return;
	power->can_sleep = aml_table_good(table, facts()->dsdt_size) &&
			   aml_soft_off(table, facts()->dsdt_size, power->sleep_types);
	if (!power->can_sleep)
		printf("no soft-off state in ACPI's tables\n");
}

/* The machine may take a moment to obey; only then is the next way tried, or failure admitted. */
static void try_write(cap_t ports, unsigned width, uint32_t value)
{
	if (tss_ioport_write(ports, 0, width, value) == TSS_OK)
		(void)tss_self_sleep(OBEY_US);
}

static bool in_acpi_mode(void)
{
	uint64_t control = 0;
	return tss_ioport_read(SLOT_PM1A, 0, 2, &control) == TSS_OK && (control & CONTROL_ACPI);
}

/* ACPI 4.8.2.1 and 4.8.2.5: the firmware is asked once and sets SCI_EN when it has let go. */
static void enter_acpi_mode(void)
{
	if (facts()->acpi_enable == 0 || in_acpi_mode() ||
	    tss_ioport_write(SLOT_SMI, 0, 1, facts()->acpi_enable) != TSS_OK)
		return;
	for (unsigned i = 0; i < HAND_OVER_STEPS && !in_acpi_mode(); i++)
		(void)tss_self_sleep(OBEY_US);
}

/* All other bits of the register stay as they are. */
static void sleep_now(cap_t control, uint8_t type)
{
	uint64_t value;
	if (tss_ioport_read(control, 0, 2, &value) != TSS_OK)
		return;
	value = (value & ~(CONTROL_SLEEP_TYPE | CONTROL_SLEEP)) | (unsigned)type << CONTROL_SLEEP_SHIFT;
	(void)tss_ioport_write(control, 0, 2, value | CONTROL_SLEEP);
}

static tss_status_t on_turn_off(void *state, struct tss_request *request)
{
	const struct power *power = state;
	(void)request;
	if (power->can_sleep) {
		enter_acpi_mode();
		sleep_now(SLOT_PM1A, power->sleep_types[0]);
		sleep_now(SLOT_PM1B, power->sleep_types[1]);
		(void)tss_self_sleep(OBEY_US);
	}
	try_write(SLOT_TEST_EXIT, 4, 0);
	return POWER_ERROR_FAILED;
}

static tss_status_t on_reset(void *state, struct tss_request *request)
{
	(void)state, (void)request;
	try_write(SLOT_ACPI_RESET, 1, facts()->reset_value);
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
	static struct power power;
	read_soft_off(&power);
	return (int)tss_serve(SLOT_PORT_POWER, &server, &power);
}
