/* SPDX-License-Identifier: BSD-2-Clause */
/* devices.c - the commands that ask drivers: what is on PCI, random bytes. */
#include <interfaces/entropy.h>
#include <tessera/device.h>
#include "shell.h"
#include "slots.h"

#define RANDOM_BYTES 16u
#define RANDOM_TIMEOUT_US 5000000u

void show_pci(const char *argument)
{
	char text[120];
	uint32_t number = 0;
	size_t size = 0;
	(void)argument;
	do {
		tss_status_t status = device_enum(SLOT_PCI, number, &number, text, &size);
		if (status != TSS_OK)
			return complain("lspci: %s\n", reason(status));
		printf("%.*s\n", (int)size, text);
	} while (number != 0);
}

void show_random(const char *argument)
{
	uint8_t bytes[RANDOM_BYTES];
	size_t size = 0;
	(void)argument;
	tss_status_t status = entropy_read(SLOT_ENTROPY, RANDOM_BYTES, bytes, sizeof(bytes), &size, RANDOM_TIMEOUT_US);
	if (status == ENTROPY_ERROR_ABSENT)
		return complain("random: there is no device\n");
	if (status != TSS_OK)
		return complain("random: %s\n", reason(status));
	for (size_t i = 0; i < size; i++)
		printf("%02x%s", bytes[i], i + 1 < size ? " " : "\n");
}
