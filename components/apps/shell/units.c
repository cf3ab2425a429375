/* SPDX-License-Identifier: BSD-2-Clause */
/* units.c - units and their lives: the kernel's word on states, the supervisor's on policies, and orders to it. */
#include <abi/inspect.h>
#include <interfaces/supervision.h>
#include "shell.h"
#include "slots.h"

#define ASK_US 2000000u

/* The policy of the instance called `name`, by asking for all; without a supervisor nothing is known. */
static const char *policy_of(const uint8_t name[TSS_NAME_SIZE])
{
	static const char *const policies[] = {"never", "always", "on_failure"};
	struct supervision_row rows[SUPERVISION_LIST_ROWS_MAX];
	size_t count = 0;
	for (uint32_t first = 0;
	     supervision_list(SLOT_SUPERVISION, first, rows, SUPERVISION_LIST_ROWS_MAX, &count, ASK_US) == TSS_OK &&
	     count > 0;
	     first += (uint32_t)count)
		for (size_t i = 0; i < count; i++)
			if (strncmp(rows[i].label, (const char *)name, TSS_NAME_SIZE) == 0)
				return policies[rows[i].policy];
	return "-";
}

void show_units(const char *argument)
{
	static const char *const states[] = {"building", "running", "ended", "dead"};
	struct tss_inspect_unit u;
	struct cursor cursor = {0, false};
	(void)argument;
	printf("%4s %-15s %-8s %7s %6s %6s %6s %8s %s\n", "id", "unit", "state", "threads", "pages", "budget", "slots",
	       "restarts", "policy");
	while (inspect_next(&cursor, TSS_INSPECT_UNIT, 0, &u, sizeof(u)))
		printf("%4lu %-15.16s %-8s %7lu %6lu %6lu %6lu %8lu %s\n", u.id, (const char *)u.name,
		       u.state < 4 ? states[u.state] : "?", u.threads, u.used_pages, u.budget_pages, u.slots_used,
		       u.restarts, policy_of(u.name));
}

static const char *answer(tss_status_t status)
{
	static const struct {
		tss_status_t status;
		const char *text;
	} texts[] = {
		{TSS_OK, "done"},
		{SUPERVISION_ERROR_UNKNOWN, "no such instance among the supervised"},
		{SUPERVISION_ERROR_REFUSED, "refused: the manifest does not allow it"},
		{SUPERVISION_ERROR_DEAD, "it stays dead"},
		{SUPERVISION_ERROR_FAILED, "it did not work"},
		{SUPERVISION_ERROR_LOOSER, "refused: a mode is only ever raised"},
		{SUPERVISION_ERROR_SHARED, "refused: client and server share memory"},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return reason(status);
}

void kill_unit(const char *argument)
{
	if (*argument == '\0' || strlen(argument) > SUPERVISION_KILL_LABEL_MAX)
		printf("usage: kill UNIT\n");
	else
		printf("kill %s: %s\n", argument,
		       answer(supervision_kill(SLOT_SUPERVISION, argument, strlen(argument), ASK_US)));
}

void restart_unit(const char *argument)
{
	if (*argument == '\0' || strlen(argument) > SUPERVISION_RESTART_LABEL_MAX)
		printf("usage: restart UNIT\n");
	else
		printf("restart %s: %s\n", argument,
		       answer(supervision_restart(SLOT_SUPERVISION, argument, strlen(argument), ASK_US)));
}

static void show_modes(void)
{
	struct tss_inspect_connection c;
	struct cursor cursor = {0, false};
	while (inspect_next(&cursor, TSS_INSPECT_CONNECTION, 0, &c, sizeof(c)))
		printf("%-15.16s -> %-15.16s badge %2lu %-8s methods %#lx violations %lu\n", (const char *)c.client,
		       (const char *)c.server, c.badge, mode_name(c.mode), c.methods, c.violations);
}

const char *mode_name(uint64_t mode)
{
	static const char *const names[] = {"FAST", "HARDENED", "PARANOID"};
	return mode <= TSS_MODE_PARANOID ? names[mode] : "?";
}

void mode(const char *argument)
{
	char words[3][LINE_MAX + 1] = {{0}};
	for (unsigned i = 0; i < 3; i++) {
		const char *blank = strchr(argument, ' ');
		size_t size = blank != NULL ? (size_t)(blank - argument) : strlen(argument);
		memcpy(words[i], argument, size);
		argument += size;
		while (*argument == ' ')
			argument++;
	}
	uint32_t wanted = 0;
	while (wanted <= TSS_MODE_PARANOID && strcmp(words[2], mode_name(wanted)) != 0)
		wanted++;
	if (words[0][0] == '\0')
		show_modes();
	else if (wanted > TSS_MODE_PARANOID || *argument != '\0' || strlen(words[0]) > SUPERVISION_MODE_CLIENT_MAX ||
		 strlen(words[1]) > SUPERVISION_MODE_LABEL_MAX)
		printf("usage: mode [CLIENT CONNECTION FAST|HARDENED|PARANOID]\n");
	else
		printf("mode %s %s: %s\n", words[0], words[1],
		       answer(supervision_mode(SLOT_SUPERVISION, (enum supervision_mode)wanted, words[0],
					       strlen(words[0]), words[1], strlen(words[1]), ASK_US)));
}
