/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - the kernel's configuration, made visible at run time: build options and what the CPU offers. */
#include <abi/bundle.h>
#include <arch.h>
#include <enabled.h>
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
	{"kaslr_bits", IS_ENABLED(CONFIG_KASLR) ? ARCH_PLACE_BITS : 0},
};

/* What the bundle says of itself and of its last section, the manifest; bundle_check has checked it. */
static void hash_text(char *out, size_t size, bool manifest)
{
	const struct tss_bundle_header *bundle = phys_to_virt(boot_info.bundle);
	const struct tss_bundle_section *sections = (const void *)(bundle + 1);
	const uint8_t *hash = manifest ? sections[bundle->section_count - 1].hash : bundle->root_hash;
	size_t at = format_print(out, size, manifest ? "manifest=" : "bundle=");
	for (size_t i = 0; i < sizeof(bundle->root_hash); i++)
		at += format_print(out + at, size - at, "%x%x", hash[i] >> 4, hash[i] & 15u);
}

uint64_t config_text(uint64_t index, char *out, size_t size)
{
	static const char *const words[] = {"0", "1", "lacking"};
	const char *name;
	kernel_config_t state;
	if (index == 0)
		format_print(out, size, "profile=%s", CONFIG_PROFILE_NAME);
	else if (index <= COUNT_OF(settings))
		format_print(out, size, "%s=%lu", settings[index - 1].name, settings[index - 1].value);
	else if (index <= COUNT_OF(settings) + 2)
		hash_text(out, size, index == COUNT_OF(settings) + 2);
	else if ((name = arch_feature(index - COUNT_OF(settings) - 3, &state)))
		format_print(out, size, "%s=%s", name, words[state]);
	else
		return CONFIG_TEXT_NONE;
	return index < COUNT_OF(settings) + 2 || arch_feature(index - COUNT_OF(settings) - 2, &state) ? index + 1 : 0;
}
