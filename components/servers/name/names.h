/* SPDX-License-Identifier: BSD-2-Clause */
/* names.h - the table of names. Pure: capabilities are numbers here, and who is alive is asked through a function. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX 32u
#define NAMES_SHARE 4u /* of one owner */
#define NAME_SIZE 31u

struct name {
	char text[NAME_SIZE + 1]; /* NUL-padded; empty: a free place */
	uint64_t owner; /* badge */
	uint64_t thing; /* capability handle */
};

struct names {
	struct name names[NAMES_MAX];
	bool (*alive)(uint64_t thing);
	void (*drop)(uint64_t thing); /* the table has no use for it any more */
};

enum names_result { NAMES_OK, NAMES_BAD, NAMES_ABSENT, NAMES_TAKEN, NAMES_FULL };

bool names_valid(const char *text, size_t size);

/* The living entry of that name or NULL; a dead one is removed on the way. */
const struct name *names_find(struct names *names, const char *text, size_t size);

/* Takes `thing` over if it says NAMES_OK; what the owner had under that name is dropped. */
enum names_result names_add(struct names *names, const char *text, size_t size, uint64_t owner, uint64_t thing);
enum names_result names_remove(struct names *names, const char *text, size_t size, uint64_t owner);

/* The first living entry at place `at` or behind; its place, or NAMES_MAX. */
size_t names_next(struct names *names, uint64_t at);
