/* SPDX-License-Identifier: BSD-2-Clause */
/* greeter.c - says what its parameters tell it to, as often as they tell it to, and is done. */
#include <interfaces/log.h>
#include <tessera/tessera.h>
#include "slots.h"

#define LINE_SIZE 96

int main(void)
{
	const char *ending = PARAMETERS->ending == PARAMETER_ENDING_LOUD ? "!\n" : ".\n";
	for (uint64_t n = 1; n <= PARAMETERS->times; n++) {
		char line[LINE_SIZE];
		int size =
			snprintf(line, sizeof(line), "%llu: %s%s", (unsigned long long)n, PARAMETERS->greeting, ending);
		(void)log_write_send(SLOT_LOG, line, (size_t)size);
		(void)tss_self_sleep(PARAMETERS->pause);
	}
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
