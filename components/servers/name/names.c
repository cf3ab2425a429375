/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - the table of names: who owns which, how many, and which are dead. */
#include <tessera/string.h>
#include "names.h"

static bool letter(char c)
{
	return c >= 'a' && c <= 'z';
}

bool names_valid(const char *text, size_t size)
{
	if (size == 0 || size > NAME_SIZE || !letter(text[0]))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!letter(text[i]) && !(text[i] >= '0' && text[i] <= '9') && text[i] != '_' && text[i] != '-' &&
		    text[i] != '.')
			return false;
	return true;
}

static void clear(struct names *names, struct name *name)
{
	names->drop(name->thing);
	*name = (struct name){0};
}

/* Is there a living entry in this place? A dead one makes room. */
static bool holds(struct names *names, struct name *name)
{
	if (name->text[0] != '\0' && !names->alive(name->thing))
		clear(names, name);
	return name->text[0] != '\0';
}

static struct name *find(struct names *names, const char *text, size_t size)
{
	for (size_t i = 0; i < NAMES_MAX && names_valid(text, size); i++) {
		struct name *name = &names->names[i];
		if (strnlen(name->text, NAME_SIZE) == size && memcmp(name->text, text, size) == 0)
			return holds(names, name) ? name : NULL;
	}
	return NULL;
}

const struct name *names_find(struct names *names, const char *text, size_t size)
{
	return find(names, text, size);
}

/* A free place for one more of the owner's, NULL if there is none or the owner has had its share. */
static struct name *room(struct names *names, uint64_t owner)
{
	struct name *place = NULL;
	unsigned owned = 0;
	for (size_t i = 0; i < NAMES_MAX; i++) {
		if (!holds(names, &names->names[i]))
			place = &names->names[i];
		else
			owned += names->names[i].owner == owner;
	}
	return owned < NAMES_SHARE ? place : NULL;
}

enum names_result names_add(struct names *names, const char *text, size_t size, uint64_t owner, uint64_t thing)
{
	if (!names_valid(text, size))
		return NAMES_BAD;
	struct name *name = find(names, text, size);
	if (name != NULL && name->owner != owner)
		return NAMES_TAKEN;
	if (name == NULL)
		name = room(names, owner);
	if (name == NULL)
		return NAMES_FULL;
	if (name->text[0] != '\0')
		clear(names, name);
	memcpy(name->text, text, size);
	name->owner = owner;
	name->thing = thing;
	return NAMES_OK;
}

enum names_result names_remove(struct names *names, const char *text, size_t size, uint64_t owner)
{
	if (!names_valid(text, size))
		return NAMES_BAD;
	struct name *name = find(names, text, size);
	if (name == NULL)
		return NAMES_ABSENT;
	if (name->owner != owner)
		return NAMES_TAKEN;
	clear(names, name);
	return NAMES_OK;
}

size_t names_next(struct names *names, uint64_t at)
{
	size_t place = at < NAMES_MAX ? (size_t)at : NAMES_MAX;
	while (place < NAMES_MAX && !holds(names, &names->names[place]))
		place++;
	return place;
}
