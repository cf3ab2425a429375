/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - the kernel's configuration, made visible at run time: build options and what the CPU offers. */
#include <arch.h>
#include <log.h>
#include <timer.h>

struct setting {
	const char *name;
	uint64_t value;
};

static const struct setting settings[] = {
	{"abi", TSS_ABI_VERSION},
	{"log_size", CONFIG_LOG_SIZE},
	{"timer_tick_us", 1u << TIMER_TICK_SHIFT},
};

uint64_t config_text(uint64_t index, char *out, size_t size)
{
	const char *name;
	bool active;
	if (index == 0)
		format_print(out, size, "profile=%s", CONFIG_PROFILE_NAME);
	else if (index <= COUNT_OF(settings))
		format_print(out, size, "%s=%lu", settings[index - 1].name, settings[index - 1].value);
	else if ((name = arch_feature(index - COUNT_OF(settings) - 1, &active)))
		format_print(out, size, "%s=%u", name, active);
	else
		return CONFIG_TEXT_NONE;
	return index < COUNT_OF(settings) || arch_feature(index - COUNT_OF(settings), &active) ? index + 1 : 0;
}
