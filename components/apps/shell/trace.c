/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c - the command `trace`, for which servers/trace is asked. */
#include <abi/trace.h>
#include <interfaces/trace.h>
#include "shell.h"
#include "slots.h"

static const struct {
	const char *name;
	uint32_t bit;
} categories[] = {
#define TRACE_CATEGORY(bit, name, lower, text) {#lower, TSS_TRACING_##name},
#include <abi/trace.def>
};
#define CATEGORIES (sizeof(categories) / sizeof(categories[0]))

/* The bit of the category that is named by the first `size` bytes; 0: there is none. */
static uint32_t category(const char *name, size_t size)
{
	for (size_t i = 0; i < CATEGORIES; i++)
		if (strlen(categories[i].name) == size && memcmp(categories[i].name, name, size) == 0)
			return categories[i].bit;
	return 0;
}

/* The categories that are named, with blanks between them. False: there is none of a name. */
static bool parse(const char *text, uint32_t *mask)
{
	*mask = 0;
	for (;;) {
		size_t size = 0;
		while (*text == ' ')
			text++;
		if (*text == '\0')
			return true;
		while (text[size] != '\0' && text[size] != ' ')
			size++;
		uint32_t bit = category(text, size);
		if (bit == 0)
			return false;
		*mask |= bit;
		text += size;
	}
}

static void on(const char *names)
{
	uint32_t mask;
	if (!parse(names, &mask)) {
		complain("trace: categories are");
		for (size_t i = 0; i < CATEGORIES; i++)
			printf(" %s", categories[i].name);
		return (void)printf("\n");
	}
	tss_status_t status = trace_start(SLOT_TRACE, mask, TSS_INFINITE);
	if (status != TSS_OK)
		complain("trace: %s\n", reason(status));
}

static void show(void)
{
	uint32_t mask = 0;
	uint64_t written = 0, lost = 0;
	tss_status_t status = trace_tell(SLOT_TRACE, &mask, &written, &lost, TSS_INFINITE);
	if (status != TSS_OK)
		return complain("trace: %s\n", reason(status));
	printf("trace: %s, %lu events, %lu of them overwritten:", mask ? "on" : "off", written, lost);
	for (size_t i = 0; i < CATEGORIES; i++)
		if (mask & categories[i].bit)
			printf(" %s", categories[i].name);
	printf("\n");
}

void trace(const char *argument)
{
	uint64_t lines;
	tss_status_t status = TSS_OK;
	if (strncmp(argument, "on", 2) == 0 && (argument[2] == ' ' || argument[2] == '\0'))
		return on(argument + 2);
	if (*argument == '\0')
		return show();
	if (strcmp(argument, "off") == 0)
		status = trace_stop(SLOT_TRACE, TSS_INFINITE);
	else if (strcmp(argument, "dump") == 0)
		status = trace_dump(SLOT_TRACE, &lines, TSS_INFINITE);
	else
		return complain("usage: trace [on [CATEGORY...] | off | dump]\n");
	if (status != TSS_OK)
		complain("trace: %s\n", reason(status));
}
