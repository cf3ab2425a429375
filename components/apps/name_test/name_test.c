/* SPDX-License-Identifier: BSD-2-Clause */
/* name_test.c - what a name server must grant and must refuse; SLOT_NAMES and SLOT_OTHER are two owners' connections. */
#include <interfaces/echo.h>
#include <interfaces/log.h>
#include <interfaces/name.h>
#include <tessera/tessera.h>
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#define SLOT_ARRIVAL 12u
#define SHORT_US 20000u

static unsigned passed, failed;

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (condition)                                                                                         \
			passed++;                                                                                      \
		else if (++failed != 0)                                                                                \
			printf("line %d: %s\n", __LINE__, #condition);                                                 \
	} while (0)

static tss_status_t enter(cap_t names, const char *name, cap_t thing)
{
	return name_enter(names, name, strlen(name), thing, TSS_INFINITE);
}

static tss_status_t leave(cap_t names, const char *name)
{
	return name_remove(names, name, strlen(name), TSS_INFINITE);
}

static tss_status_t look(const char *name, cap_t *thing)
{
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	return name_lookup(SLOT_NAMES, name, strlen(name), thing, TSS_INFINITE);
}

/* Is there a connection with the rights call and grant under that name? */
static bool found(const char *name)
{
	cap_t thing = TSS_CAP_NULL;
	uint64_t state = 0;
	if (look(name, &thing) != TSS_OK || tss_capability_inspect(thing, &state) != TSS_OK)
		return false;
	(void)tss_capability_delete(thing);
	return (state & 0xff) == TSS_TYPE_CONNECTION && (state >> 8 & 0xffff) == (TSS_RIGHT_CALL | TSS_RIGHT_GRANT);
}

static void test_names(void)
{
	static const char *const bad[] = {"", "A", "1x", "a b", "a\n", "-", "a/b", "caf\xc3\xa9"};
	cap_t thing;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(enter(SLOT_NAMES, bad[i], SLOT_MINE) == NAME_ERROR_BAD_NAME);
		CHECK(leave(SLOT_NAMES, bad[i]) == NAME_ERROR_BAD_NAME);
		CHECK(look(bad[i], &thing) == NAME_ERROR_BAD_NAME);
	}
	CHECK(name_enter(SLOT_NAMES, "a\0b", 3, SLOT_MINE, TSS_INFINITE) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT));
	CHECK(look("nobody", &thing) == NAME_ERROR_NOT_FOUND);
}

static void test_owners(void)
{
	CHECK(enter(SLOT_NAMES, "one", SLOT_MINE) == TSS_OK && found("one"));
	CHECK(enter(SLOT_OTHER, "one", SLOT_MINE) == NAME_ERROR_TAKEN);
	CHECK(leave(SLOT_OTHER, "one") == NAME_ERROR_TAKEN);
	CHECK(enter(SLOT_NAMES, "one", SLOT_MINE) == TSS_OK && found("one"));
	CHECK(leave(SLOT_NAMES, "one") == TSS_OK && !found("one"));
	CHECK(leave(SLOT_NAMES, "one") == NAME_ERROR_NOT_FOUND);
	CHECK(enter(SLOT_OTHER, "one", SLOT_MINE) == TSS_OK && leave(SLOT_OTHER, "one") == TSS_OK);
}

static void test_things(void)
{
	uint64_t event = 0, derived = 0;
	CHECK(tss_event_create(TSS_SLOT_UNIT, &event) == TSS_OK);
	CHECK(enter(SLOT_NAMES, "event", (cap_t)event) == NAME_ERROR_NO_CONNECTION);
	CHECK(TSS_CODE(enter(SLOT_NAMES, "none", TSS_CAP_NULL)) == TSS_E_CAPABILITY);
	CHECK(TSS_CODE(enter(SLOT_NAMES, "weak", SLOT_WEAK)) == TSS_E_RIGHTS);
	CHECK(tss_capability_derive(SLOT_MINE, TSS_RIGHT_CALL | TSS_RIGHT_GRANT, &derived) == TSS_OK);
	CHECK(enter(SLOT_NAMES, "gone", (cap_t)derived) == TSS_OK && found("gone"));
	CHECK(tss_capability_delete((cap_t)derived) == TSS_OK && !found("gone"));
	CHECK(enter(SLOT_OTHER, "gone", SLOT_MINE) == TSS_OK && leave(SLOT_OTHER, "gone") == TSS_OK);
}

static void test_share(void)
{
	char name[] = "s0";
	for (unsigned round = 0; round < 50; round++) {
		for (name[1] = '0'; name[1] < '4'; name[1]++)
			CHECK(enter(SLOT_NAMES, name, SLOT_MINE) == TSS_OK);
		CHECK(enter(SLOT_NAMES, "s4", SLOT_MINE) == NAME_ERROR_FULL);
		CHECK(enter(SLOT_OTHER, "s4", SLOT_MINE) == TSS_OK && leave(SLOT_OTHER, "s4") == TSS_OK);
		for (name[1] = '0'; name[1] < '4'; name[1]++)
			CHECK(found(name) && leave(SLOT_NAMES, name) == TSS_OK);
	}
}

/* Methods that do not exist, lengths that do not fit, capabilities where none belong, no slot for the answer. */
static void test_nonsense(void)
{
	cap_t thing;
	for (uint64_t type = 0; type < 70; type++) {
		for (uint64_t length = 0; length <= 256; length += 8) {
			uint64_t words[4] = {~0ull, length, ~0ull, 7};
			tss_tag_t tag = TSS_TAG(type, length, length % 16 != 0);
			tss_ipc()->send_caps[0] = SLOT_MINE;
			tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
			tss_status_t status = tss_connection_call(SLOT_NAMES, &tag, words, TSS_INFINITE);
			CHECK(status == TSS_OK && (TSS_TAG_TYPE(tag) != 0 || type == 5));
		}
	}
	CHECK(enter(SLOT_NAMES, "one", SLOT_MINE) == TSS_OK);
	tss_ipc()->recv_slots[0] = 0;
	CHECK(name_lookup(SLOT_NAMES, "one", 3, &thing, TSS_INFINITE) != TSS_OK);
	CHECK(found("one") && leave(SLOT_NAMES, "one") == TSS_OK);
}

static void test_list(void)
{
	uint64_t next = 0;
	char text[NAME_LIST_TEXT_MAX];
	size_t size = 0;
	unsigned mine = 0;
	CHECK(enter(SLOT_NAMES, "one", SLOT_MINE) == TSS_OK && enter(SLOT_OTHER, "two", SLOT_MINE) == TSS_OK);
	do {
		CHECK(name_list(SLOT_NAMES, next, &next, text, sizeof(text), &size, TSS_INFINITE) == TSS_OK);
		mine += size == 12 && (memcmp(text, "one nametest", 12) == 0 || memcmp(text, "two nametest", 12) == 0);
	} while (next != 0);
	CHECK(mine == 2);
	CHECK(name_list(SLOT_NAMES, ~0ull, &next, text, sizeof(text), &size, TSS_INFINITE) == TSS_OK);
	CHECK(size == 0 && next == 0);
	CHECK(leave(SLOT_NAMES, "one") == TSS_OK && leave(SLOT_OTHER, "two") == TSS_OK);
}

/* brief ends when it is called: its name is waited for, and gone when nobody is behind it. */
static void test_ended(void)
{
	cap_t thing = TSS_CAP_NULL;
	uint64_t word = 0;
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	CHECK(name_await(SLOT_NAMES, "brief", 5, &thing, TSS_INFINITE) == TSS_OK);
	CHECK(TSS_CODE(echo_registers(thing, 1, 2, 3, 4, &word, NULL, NULL, NULL, TSS_INFINITE)) == TSS_E_PEER_DEAD);
	(void)tss_capability_delete(thing);
	CHECK(look("brief", &thing) == NAME_ERROR_NOT_FOUND);
	CHECK(enter(SLOT_OTHER, "brief", SLOT_MINE) == TSS_OK && found("brief"));
	CHECK(leave(SLOT_OTHER, "brief") == TSS_OK);
	CHECK(TSS_CODE(name_await(SLOT_NAMES, "never", 5, &thing, SHORT_US)) == TSS_E_TIMEOUT);
}

static int be_brief(void)
{
	struct tss_request request;
	if (enter(SLOT_NAMES, "brief", SLOT_MINE) != TSS_OK)
		return 1;
	return tss_port_receive(SLOT_PORT_ECHO, &request, TSS_INFINITE) == TSS_OK ? 0 : 1;
}

int main(void)
{
	uint64_t ignored;
	if (tss_capability_inspect(SLOT_OTHER, &ignored) != TSS_OK)
		return be_brief();
	test_ended();
	test_names();
	test_owners();
	test_things();
	test_share();
	test_nonsense();
	test_list();
	printf("%u checks held, %u failed\n", passed, failed);
	return 0;
}
