/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say.c - init's lines for people. What is said before the log can hear it waits in a buffer; what does not fit there
 * or into the log's queue is lost, because init never waits for anybody.
 */
#include <interfaces/log.h>
#include "init.h"

#define WAITING 2048

static cap_t log_connection;
static char waiting[WAITING];
static size_t waiting_size;

static void send_line(const char *line, size_t size)
{
	(void)log_write_send(log_connection, line, size);
}

void say(const char *format, ...)
{
	char line[LOG_WRITE_TEXT_MAX + 1];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	size_t size = strnlen(line, length < 0 ? 0 : sizeof(line) - 1);
	if (log_connection != TSS_CAP_NULL) {
		send_line(line, size);
	} else if (size <= WAITING - waiting_size) {
		memcpy(waiting + waiting_size, line, size);
		waiting_size += size;
	}
}

void say_to(cap_t log)
{
	log_connection = log;
	for (size_t at = 0; at < waiting_size && log != TSS_CAP_NULL;) {
		const char *end = memchr(waiting + at, '\n', waiting_size - at);
		size_t size = end != NULL ? (size_t)(end + 1 - (waiting + at)) : waiting_size - at;
		send_line(waiting + at, size);
		at += size;
	}
}
