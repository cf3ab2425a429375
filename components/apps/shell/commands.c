/* SPDX-License-Identifier: BSD-2-Clause */
/* commands.c - the table of commands, and those that talk to other units. */
#include <interfaces/clock.h>
#include <interfaces/echo.h>
#include <interfaces/log.h>
#include <interfaces/name.h>
#include <interfaces/power.h>
#include <tessera/date.h>
#include "shell.h"
#include "slots.h"

#define PINGS 4u
#define PING_TIMEOUT_US 1000000u
#define SLOT_ARRIVAL 12u /* an empty slot for what comes with a reply */

static void help(const char *argument);

/* A need that the manifest does not connect leaves its slot empty. */
const char *reason(tss_status_t status)
{
	if (TSS_IS_INTERFACE_ERROR(status))
		return "did not work";
	return TSS_CODE(status) == TSS_E_CAPABILITY ? "not connected" : tss_error_name(status);
}

/* A server that was restarted meanwhile is asked again: the request changes nothing there. */
static tss_status_t echo_number(uint64_t n, uint64_t *back)
{
	tss_status_t status = echo_registers(SLOT_ECHO, n, 0, 0, 0, back, NULL, NULL, NULL, PING_TIMEOUT_US);
	if (TSS_CODE(status) == TSS_E_PEER_RESTARTED)
		status = echo_registers(SLOT_ECHO, n, 0, 0, 0, back, NULL, NULL, NULL, PING_TIMEOUT_US);
	return status;
}

static void ping(const char *argument)
{
	unsigned replies = 0;
	tss_status_t status = TSS_OK;
	(void)argument;
	for (uint64_t n = 0; n < PINGS && status == TSS_OK; n++) {
		uint64_t back = 0;
		status = echo_number(n, &back);
		replies += status == TSS_OK && back == n;
	}
	if (status == TSS_OK)
		printf("ping: %u replies\n", replies);
	else
		complain("ping: %u replies, then %s\n", replies, reason(status));
}

static void show_log(const char *argument)
{
	char text[LOG_READ_TEXT_MAX];
	uint64_t cursor = 0, next = 0;
	size_t size = 0;
	(void)argument;
	for (;; cursor = next) {
		tss_status_t status = log_read(SLOT_LOG, cursor, &next, text, sizeof(text), &size, TSS_INFINITE);
		if (status != TSS_OK)
			complain("log: %s\n", reason(status));
		if (status != TSS_OK || size == 0)
			return;
		tss_output(text, size);
	}
}

static void show_date(const char *argument)
{
	int64_t seconds = 0;
	(void)argument;
	tss_status_t status = clock_now(SLOT_CLOCK, &seconds, TSS_INFINITE);
	struct tss_date d = tss_date_of(seconds);
	if (status == CLOCK_ERROR_UNSET)
		printf("date: the clock is not set\n");
	else if (status != TSS_OK)
		printf("date: %s\n", reason(status));
	else
		printf("%04d-%02d-%02d %02d:%02d:%02d UTC\n", d.year, d.month, d.day, d.hour, d.minute, d.second);
}

static void colours(const char *argument)
{
	bool on = strcmp(argument, "on") == 0;
	if (on || strcmp(argument, "off") == 0)
		shell_colours = on;
	else
		printf("colours are %s; usage: colours on|off\n", shell_colours ? "on" : "off");
}

static void show_names(const char *argument)
{
	char text[NAME_LIST_TEXT_MAX];
	uint64_t next = 0;
	size_t size = 0;
	(void)argument;
	do {
		tss_status_t status = name_list(SLOT_NAMES, next, &next, text, sizeof(text), &size, TSS_INFINITE);
		if (status != TSS_OK)
			complain("names: %s\n", reason(status));
		if (status != TSS_OK || size == 0)
			return;
		const char *blank = memchr(text, ' ', size);
		int length = blank != NULL ? (int)(blank - text) : (int)size;
		printf("%-32.*s %.*s\n", length, text, (int)size - length - 1, text + length + 1);
	} while (next != 0);
}

/* The connection found is an echo server's or answers that it is none: whichever, somebody is behind the name. */
static void find(const char *argument)
{
	cap_t thing = TSS_CAP_NULL;
	size_t size = strlen(argument) < NAME_LOOKUP_NAME_MAX ? strlen(argument) : NAME_LOOKUP_NAME_MAX;
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	tss_status_t status = name_lookup(SLOT_NAMES, argument, size, &thing, TSS_INFINITE);
	if (status == NAME_ERROR_NOT_FOUND || status == NAME_ERROR_BAD_NAME)
		return complain("find: no such name\n");
	if (status != TSS_OK)
		return complain("find: %s\n", reason(status));
	status = echo_registers(thing, 0, 0, 0, 0, NULL, NULL, NULL, NULL, PING_TIMEOUT_US);
	(void)tss_capability_delete(thing);
	if (status == TSS_OK)
		printf("%s answers\n", argument);
	else
		complain("%s does not answer: %s\n", argument, reason(status));
}

static void poweroff(const char *argument)
{
	(void)argument;
	complain("poweroff: %s\n", reason(power_turn_off(SLOT_POWER, TSS_INFINITE)));
}

static void reboot(const char *argument)
{
	(void)argument;
	complain("reboot: %s\n", reason(power_reset(SLOT_POWER, TSS_INFINITE)));
}

/* Puts the text out, \\e as escape and \\n as a new line: colours and cursor movements by hand. */
static void print(const char *argument)
{
	char text[LINE_MAX + 1];
	size_t size = 0;
	for (; *argument != '\0'; argument++) {
		bool special = argument[0] == '\\' && (argument[1] == 'e' || argument[1] == 'n');
		if (special)
			argument++;
		text[size++] = !special ? *argument : *argument == 'e' ? 0x1b : '\n';
	}
	text[size++] = '\n';
	tss_output(text, size);
}

static const struct command {
	const char *name, *argument, *text; /* NULL: another's text has it */
	void (*run)(const char *argument);
} commands[] = {
	{"help", "", "this list", help},
	{"ps", "", "units, their state, restarts and memory", show_units},
	{"kill", "UNIT", "end a unit; it comes back as its restart policy says", kill_unit},
	{"restart", "UNIT", "restart a unit and those that depend on it", restart_unit},
	{"mode", "[CLIENT CONNECTION MODE]", "modes of connections; raise one", mode},
	{"threads", "", "threads, their state, priority and time", show_threads},
	{"caps", "UNIT|all", "capabilities: slot type rights generation depth id details", show_capabilities},
	{"mem", "", "memory of the machine and of each unit", show_memory},
	{"irqs", "", "interrupt lines and how often they came", show_irqs},
	{"connections", "", "who can talk to whom, and how often they did", show_connections},
	{"ping", "", "call the echo server", ping},
	{"names", "", "names and who owns them; find NAME calls one", show_names},
	{"find", "NAME", NULL, find},
	{"config", "", "how the kernel is configured", show_config},
	{"uptime", "", "time since boot and the kernel's counters", show_uptime},
	{"trace", "on|off|dump", "have the kernel record events; put them out", trace},
	{"audit", "", "count every object, slot and frame again", show_audit},
	{"date", "", "wall time", show_date},
	{"log", "", "the lines the log has kept", show_log},
	{"colours", "on|off", "prompt and errors in colours", colours},
	{"print", "TEXT", "put TEXT out; \\e is escape, \\n a new line", print},
	{"lspci", "", "devices on PCI, and whose they are; random: bytes of one", show_pci},
	{"random", "", NULL, show_random},
	{"sched", "POLICY", "fixed, feedback or proportional: how the CPU is shared", sched},
	{"poweroff", "", "turn the machine off; reboot starts it again", poweroff},
	{"reboot", "", NULL, reboot},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(const char *argument)
{
	(void)argument;
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].text != NULL)
			printf("%-11s %-8s %s\n", commands[i].name, commands[i].argument, commands[i].text);
}

/* Cuts `text` at its first blank; returns what follows without blanks around it. */
static char *split(char *text)
{
	char *rest = text;
	while (*rest != '\0' && *rest != ' ')
		rest++;
	while (*rest == ' ')
		*rest++ = '\0';
	for (size_t n = strlen(rest); n > 0 && rest[n - 1] == ' '; n--)
		rest[n - 1] = '\0';
	return rest;
}

void command_run(char *line)
{
	while (*line == ' ')
		line++;
	char *argument = split(line);
	if (*line == '\0')
		return;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(line, commands[i].name) != 0)
			continue;
		if (*argument != '\0' && *commands[i].argument == '\0')
			complain("%s takes no argument\n", line);
		else
			commands[i].run(argument);
		return;
	}
	complain("unknown command: %s (try help)\n", line);
}
