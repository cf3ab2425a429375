/* SPDX-License-Identifier: BSD-2-Clause */
/* shell.h - what the shell's files share. Output is printf, which goes to the terminal. */
#pragma once
#include <tessera/tessera.h>

#define LINE_MAX 120

extern uint64_t shell_started; /* time-stamp counter just before the first prompt */

/* shell.c: a complaint ends in a new line and is red where there are colours; the terminal decides that at the start. */
extern bool shell_colours;
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* edit.c: one line of input, edited on the terminal; false if it was given up with ctrl-c. */
bool edit_line(const char *prompt, char line[LINE_MAX + 1]);

/* commands.c: carries out one line. */
void command_run(char *line);

/* commands.c: a status for people. */
const char *reason(tss_status_t status);

/* units.c: the commands about units, for which the supervisor is asked. */
void show_units(const char *argument);
void kill_unit(const char *argument);
void restart_unit(const char *argument);
void mode(const char *argument);
const char *mode_name(uint64_t mode); /* enum tss_mode */

/* devices.c: the commands that ask drivers. */
void show_pci(const char *argument);
void show_random(const char *argument);

/* show.c, caps.c: the commands that read the kernel's tables; `argument` is what follows the command's name, or "". */
void show_threads(const char *argument);
void show_memory(const char *argument);
void show_irqs(const char *argument);
void show_connections(const char *argument);
void show_config(const char *argument);
void show_uptime(const char *argument);
void show_audit(const char *argument);
void trace(const char *argument);
void sched(const char *argument);
void show_capabilities(const char *argument);

/* Reads record `*index` of kind `what` and steps on; false when there is none (any more). Starts with *index 0. */
struct cursor {
	uint64_t index;
	bool done;
};
bool inspect_next(struct cursor *cursor, unsigned what, uint64_t detail, void *record, size_t size);
