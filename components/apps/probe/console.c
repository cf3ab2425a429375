/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - orders, one a line: WHO VERB NUMBER... (numbers in hexadecimal)
 *
 *   WHO   self, or v0 to v7: the probe behind that connection
 *   VERB  call NUMBER [up to six arguments]   the answer is "= status value"
 *         fault KIND                          the answer is "= 0 0" if nothing happened
 *         sleep MICROSECONDS                  the answer is "= 0 elapsed"
 *         timed MICROSECONDS SLEEP            the same sleep, but the call to it may only take that long
 * "! status elapsed" says that the call to the other probe failed, and after how many microseconds.
 */
#include <interfaces/probe.h>
#include <interfaces/terminal.h>
#include "probe.h"
#include "slots.h"

#define LINE_MAX 200
#define NUMBERS_MAX 7

struct order {
	cap_t who; /* null: self */
	char verb[8];
	uint64_t numbers[NUMBERS_MAX];
};

static void print(const char *text)
{
	(void)terminal_write(SLOT_TERMINAL, text, strlen(text), NULL, TSS_INFINITE);
}

/* One line without its end, echoed. What does not fit is dropped. */
static void read_line(char line[LINE_MAX])
{
	static char input[TERMINAL_READ_TEXT_MAX];
	static size_t have, used;
	size_t size = 0;
	for (;;) {
		while (used < have) {
			char c = input[used++];
			if (c == '\r' || c == '\n') {
				line[size] = 0;
				print("\r\n");
				return;
			}
			if (size < LINE_MAX - 1)
				line[size++] = c;
			print((const char[]){c, 0});
		}
		used = have = 0;
		if (terminal_read(SLOT_TERMINAL, sizeof(input), input, sizeof(input), &have, TSS_INFINITE) != TSS_OK)
			abort();
	}
}

static const char *word(const char *from, char *to, size_t size)
{
	size_t used = 0;
	while (*from == ' ')
		from++;
	for (; *from && *from != ' '; from++)
		if (used < size - 1)
			to[used++] = *from;
	to[used] = 0;
	return from;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;
	for (; *text; text++)
		value = value * 16 + (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return value;
}

static bool parse(const char *line, struct order *order)
{
	static const cap_t probes[] = {SLOT_V0, SLOT_V1, SLOT_V2, SLOT_V3, SLOT_V4, SLOT_V5, SLOT_V6, SLOT_V7};
	char text[20];
	line = word(line, text, sizeof(text));
	if (text[0] == 'v' && text[1] >= '0' && text[1] <= '7')
		order->who = probes[text[1] - '0'];
	else if (strcmp(text, "self") != 0)
		return false;
	line = word(line, order->verb, sizeof(order->verb));
	for (unsigned i = 0; i < NUMBERS_MAX; i++) {
		line = word(line, text, sizeof(text));
		order->numbers[i] = number(text);
	}
	return true;
}

static tss_status_t carry_out(const struct order *order, uint64_t *result, uint64_t *value)
{
	const uint64_t *n = order->numbers;
	bool self = order->who == TSS_CAP_NULL;
	if (strcmp(order->verb, "call") == 0) {
		if (!self)
			return probe_system_call(order->who, n[0], n[1], n[2], n[3], n[4], n[5], n[6], result, value,
						 TSS_INFINITE);
		raw_call(n[0], n + 1, result, value);
	} else if (strcmp(order->verb, "fault") == 0) {
		if (!self)
			return probe_fault(order->who, n[0], TSS_INFINITE);
		fault_do(n[0]);
	} else if (strcmp(order->verb, "sleep") == 0) {
		if (!self)
			return probe_sleep(order->who, n[0], value, TSS_INFINITE);
		*value = sleep_measured(n[0]);
	} else if (strcmp(order->verb, "timed") == 0) {
		return probe_sleep(order->who, n[1], value, n[0]);
	} else {
		return TSS_E_ARGUMENT;
	}
	return TSS_OK;
}

void console_run(void)
{
	char line[LINE_MAX], answer[64];
	for (;;) {
		struct order order = {.who = TSS_CAP_NULL};
		uint64_t result = 0, value = 0, start = 0, end = 0;
		print("probe> ");
		read_line(line);
		if (!parse(line, &order)) {
			print("?\r\n");
			continue;
		}
		(void)tss_self_clock(&start);
		tss_status_t status = carry_out(&order, &result, &value);
		(void)tss_self_clock(&end);
		if (status == TSS_OK)
			snprintf(answer, sizeof(answer), "= %lx %lx\r\n", result, value);
		else
			snprintf(answer, sizeof(answer), "! %lx %lx\r\n", status, end - start);
		print(answer);
	}
}
