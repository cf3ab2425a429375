/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - the kernel's configuration, made visible at run time: build options and what the CPU offers. */
#include <arch.h>
#include <config_text.h>
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
	if (index-- == 0) {
		format_print(out, size, "profile=%s", CONFIG_PROFILE_NAME);
		return 1;
	}
	if (index < COUNT_OF(settings)) {
		format_print(out, size, "%s=%lu", settings[index].name, settings[index].value);
		return index + 2;
	}
	uint64_t feature = index - COUNT_OF(settings);
	if (feature > 255 || !arch_feature((unsigned)feature, &name, &active))
		return CONFIG_TEXT_NONE;
	format_print(out, size, "%s=%u", name, active);
	return arch_feature((unsigned)feature + 1, &name, &active) ? index + 2 : 0;
}
