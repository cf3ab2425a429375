/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name.c - serves the table of names. Every capability that arrives with a registration lies in one of the slots
 * behind the planned ones, one more than there are names, so that the next one always finds an empty slot.
 *
 * Nothing here blocks: whether an entry lives is asked with a call of timeout 0, which the kernel refuses before it
 * delivers anything, with PEER_DEAD if there is nobody any more.
 */
#include <tessera/table.h>
#include <interfaces/name.h>
#include <tessera/tessera.h>
#include "names.h"
#include "slots.h"

#define WAITERS_MAX (REPLIES_NAME - 4) /* the others keep room for those who do not wait */
#define BADGES_MAX 256u
#define NEEDED (TSS_RIGHT_CALL | TSS_RIGHT_GRANT)

struct waiter {
	char text[NAME_SIZE];
	size_t size;
	uint64_t badge;
	cap_t reply; /* TSS_CAP_NULL: a free place */
};

struct state {
	struct names names;
	struct waiter waiters[WAITERS_MAX];
};

static bool is_connection(uint64_t thing)
{
	uint64_t state;
	if (tss_capability_inspect((cap_t)thing, &state) != TSS_OK || (state & 0xff) != TSS_TYPE_CONNECTION)
		return false;
	return (state >> 8 & NEEDED) == NEEDED;
}

static bool alive(uint64_t thing)
{
	uint64_t none[4] = {0};
	tss_tag_t tag = TSS_TAG(0, 0, 0);
	return is_connection(thing) && TSS_CODE(tss_connection_call((cap_t)thing, &tag, none, 0)) != TSS_E_PEER_DEAD;
}

static void drop(uint64_t thing)
{
	(void)tss_capability_delete((cap_t)thing);
}

/* Says where the next capability may arrive: a slot in which none lies. */
static void open_slot(const struct names *names)
{
	bool used[NAMES_MAX + 1] = {false};
	for (size_t i = 0; i < NAMES_MAX; i++)
		if (names->names[i].text[0] != '\0')
			used[(names->names[i].thing & 0xffff) - SLOTS_END] = true;
	for (uint32_t i = 0; i <= NAMES_MAX; i++)
		if (!used[i])
			tss_ipc()->recv_slots[0] = SLOTS_END + i;
}

static tss_status_t error_of(enum names_result result)
{
	static const tss_status_t errors[] = {[NAMES_OK] = TSS_OK,
					      [NAMES_BAD] = NAME_ERROR_BAD_NAME,
					      [NAMES_ABSENT] = NAME_ERROR_NOT_FOUND,
					      [NAMES_TAKEN] = NAME_ERROR_TAKEN,
					      [NAMES_FULL] = NAME_ERROR_FULL};
	return errors[result];
}

/* A waiter without a slot for what it asked for hears that instead. */
static void give(struct waiter *waiter, cap_t thing)
{
	tss_status_t status = name_await_reply(waiter->reply, TSS_OK, thing);
	if (status != TSS_OK && TSS_CODE(status) != TSS_E_GONE)
		(void)name_await_reply(waiter->reply, TSS_INTERFACE_ERROR(TSS_REPLY_FAILED), TSS_CAP_NULL);
	waiter->reply = TSS_CAP_NULL;
}

static tss_status_t on_enter(void *state, struct tss_request *request, const char *name, size_t size, cap_t thing)
{
	struct state *s = state;
	char text[NAME_SIZE]; /* the page that the name lies in is used below */
	memcpy(text, name, size);
	enum names_result result = NAMES_ABSENT;
	if (alive(thing))
		result = names_add(&s->names, text, size, request->badge, thing);
	if (result != NAMES_OK)
		drop(thing);
	open_slot(&s->names);
	for (size_t i = 0; i < WAITERS_MAX && result == NAMES_OK; i++) {
		struct waiter *waiter = &s->waiters[i];
		if (waiter->reply != TSS_CAP_NULL && waiter->size == size && memcmp(waiter->text, text, size) == 0)
			give(waiter, thing);
	}
	return result == NAMES_ABSENT ? NAME_ERROR_NO_CONNECTION : error_of(result);
}

static tss_status_t on_remove(void *state, struct tss_request *request, const char *name, size_t size)
{
	struct state *s = state;
	char text[NAME_SIZE];
	memcpy(text, name, size);
	enum names_result result = names_remove(&s->names, text, size, request->badge);
	open_slot(&s->names);
	return error_of(result);
}

static tss_status_t on_lookup(void *state, struct tss_request *request, const char *name, size_t size, cap_t *thing)
{
	struct state *s = state;
	char text[NAME_SIZE];
	(void)request;
	memcpy(text, name, size);
	const struct name *found = names_find(&s->names, text, size);
	*thing = found != NULL ? (cap_t)found->thing : TSS_CAP_NULL;
	open_slot(&s->names);
	return found != NULL ? TSS_OK : names_valid(text, size) ? NAME_ERROR_NOT_FOUND : NAME_ERROR_BAD_NAME;
}

/* The client's own place, whose older wait ends, or a free one. */
static struct waiter *waiter_of(struct state *s, uint64_t badge)
{
	struct waiter *place = NULL;
	for (size_t i = 0; i < WAITERS_MAX; i++) {
		struct waiter *waiter = &s->waiters[i];
		if (waiter->reply == TSS_CAP_NULL && place == NULL)
			place = waiter;
		if (waiter->reply == TSS_CAP_NULL || waiter->badge != badge)
			continue;
		(void)name_await_reply(waiter->reply, NAME_ERROR_BUSY, TSS_CAP_NULL);
		return waiter;
	}
	return place;
}

static tss_status_t on_await(void *state, struct tss_request *request, const char *name, size_t size, cap_t *thing)
{
	struct state *s = state;
	char text[NAME_SIZE];
	memcpy(text, name, size);
	tss_status_t status = on_lookup(state, request, text, size, thing);
	if (status != NAME_ERROR_NOT_FOUND)
		return status;
	struct waiter *waiter = waiter_of(s, request->badge);
	if (waiter == NULL)
		return NAME_ERROR_FULL;
	*waiter = (struct waiter){.size = size, .badge = request->badge, .reply = request->reply};
	memcpy(waiter->text, text, size);
	return TSS_DEFER;
}

/* Who is behind a badge, from the directory that the generator made. */
static const char *client_of(uint64_t badge)
{
	const struct tss_directory_entry *entries = (const void *)TSS_LAYOUT_DIRECTORY;
	for (unsigned i = 0; i < BADGES_MAX && entries[i].badge != 0; i++)
		if (entries[i].badge == badge)
			return (const char *)entries[i].client;
	return "?";
}

static tss_status_t on_list(void *state, struct tss_request *request, uint64_t cursor, uint64_t *next, void *text,
			    size_t *size)
{
	struct state *s = state;
	(void)request;
	size_t place = names_next(&s->names, cursor);
	size_t after = place < NAMES_MAX ? names_next(&s->names, place + 1) : NAMES_MAX;
	open_slot(&s->names);
	*next = after < NAMES_MAX ? after : 0;
	if (place < NAMES_MAX) {
		const struct name *name = &s->names.names[place];
		*size = (size_t)snprintf(text, NAME_LIST_TEXT_MAX, "%s %.16s", name->text, client_of(name->owner));
	}
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct name_operations operations = {
		.enter = on_enter, .remove = on_remove, .lookup = on_lookup, .await = on_await, .list = on_list};
	return name_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	static struct state state = {.names = {.alive = alive, .drop = drop}};
	open_slot(&state.names);
	return (int)tss_serve(SLOT_PORT_NAME, &server, &state);
}
