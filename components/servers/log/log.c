/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - lines for people: put together per client, given the client's name, kept in a ring, shown on the terminal.
 *
 * A client's bytes wait in its own line until the newline comes or the line is full, so lines of two clients never mix
 * and nobody can hold up anybody. The name comes from the directory, which the generator made: a client cannot choose
 * it. Control characters are shown as '?', so that no client plays with the terminal.
 */
#include <tessera/table.h>
#include <interfaces/log.h>
#include <interfaces/terminal.h>
#include <tessera/tessera.h>
#include "slots.h"

#define CLIENTS_MAX 255u /* badges are 1 to this; a system has at most 255 instances, one of which is this */
#define LINE_MAX 200u
#define KEPT_SIZE 16384u

struct line {
	uint32_t size;
	char text[LINE_MAX];
};

struct log {
	struct line lines[CLIENTS_MAX + 1]; /* by badge; 0 for whoever the directory does not know */
	uint64_t end; /* bytes ever kept */
	char kept[KEPT_SIZE];
};

static const char *name_of(uint64_t badge)
{
	const struct tss_directory_entry *entries = (const void *)TSS_LAYOUT_DIRECTORY;
	for (unsigned i = 0; entries[i].badge != 0; i++)
		if (entries[i].badge == badge)
			return (const char *)entries[i].client;
	return "?";
}

static void keep(struct log *log, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		log->kept[log->end++ % KEPT_SIZE] = text[i];
}

static void show(struct log *log, uint64_t badge, struct line *line)
{
	char text[TERMINAL_WRITE_TEXT_MAX];
	int size = snprintf(text, sizeof(text), "[%.16s] %.*s\n", name_of(badge), (int)line->size, line->text);
	line->size = 0;
	keep(log, text, (size_t)size);
	(void)terminal_write(SLOT_TERMINAL, text, (size_t)size, NULL, TSS_INFINITE);
}

static tss_status_t on_write(void *state, struct tss_request *request, const void *text, size_t size)
{
	struct log *log = state;
	struct line *line = &log->lines[request->badge <= CLIENTS_MAX ? request->badge : 0];
	uint8_t copy[LOG_WRITE_TEXT_MAX]; /* showing a line is a call, which takes the place where text lies */
	memcpy(copy, text, size);
	for (size_t i = 0; i < size; i++) {
		if (copy[i] == '\r')
			continue;
		if (copy[i] == '\n' || line->size == LINE_MAX)
			show(log, request->badge, line);
		if (copy[i] != '\n')
			line->text[line->size++] = copy[i] < ' ' || copy[i] == 0x7f ? '?' : (char)copy[i];
	}
	return TSS_OK;
}

static tss_status_t on_read(void *state, struct tss_request *request, uint64_t cursor, uint64_t *next, void *text,
			    size_t *size)
{
	const struct log *log = state;
	(void)request;
	uint64_t oldest = log->end > KEPT_SIZE ? log->end - KEPT_SIZE : 0;
	if (cursor < oldest)
		cursor = oldest;
	if (cursor > log->end)
		cursor = log->end;
	for (*size = 0; *size < LOG_READ_TEXT_MAX && cursor < log->end; cursor++)
		((char *)text)[(*size)++] = log->kept[cursor % KEPT_SIZE];
	*next = cursor;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct log_operations operations = {.write = on_write, .read = on_read};
	return log_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	static struct log log;
	return (int)tss_serve(SLOT_PORT_LOG, &server, &log);
}
