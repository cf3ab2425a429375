/* SPDX-License-Identifier: BSD-2-Clause */
/* clients.c - those beside them, who must go on: each says what it saw, in one line for each server. */
#include <interfaces/supervision.h>
#include "faulty.h"

#define PATIENCE_US 20000000u
#define WORKS 5u
#define LOOKS 200u
#define LOOK_US 30000u

static const char *word(tss_status_t status)
{
	return TSS_IS_INTERFACE_ERROR(status) ? "REFUSED" : tss_error_name(status);
}

static bool peer_answers(uint64_t number)
{
	uint64_t back = 0;
	return faulty_ask(SLOT_PEER, number, &back, PATIENCE_US) == TSS_OK && back == number + 1;
}

/* Gives each server work that brings out its fault; the peer has to answer in between. */
static void good(void)
{
	static const struct {
		const char *name;
		cap_t connection;
	} servers[] = {
		{"crash", SLOT_CRASH}, {"exit", SLOT_EXIT}, {"quit", SLOT_QUIT}, {"spin", SLOT_SPIN},
		{"wait", SLOT_WAIT},   {"leak", SLOT_LEAK}, {"loop", SLOT_LOOP}, {"chain", SLOT_CHAIN},
	};
	unsigned answers = 0;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		const char *seen[WORKS];
		for (unsigned n = 0; n < WORKS; n++) {
			seen[n] = word(faulty_work(servers[i].connection, n, PATIENCE_US));
			answers += peer_answers(n);
		}
		printf("%s: %s %s %s %s %s\n", servers[i].name, seen[0], seen[1], seen[2], seen[3], seen[4]);
	}
	printf("peer: %u of %zu\n", answers, WORKS * sizeof(servers) / sizeof(servers[0]));
}

/* Lies that the stub has to see through. */
static void doubter(void)
{
	const char *seen[4];
	uint64_t back = 0;
	for (unsigned n = 0; n < 4; n++) {
		back = 42;
		tss_status_t status = faulty_ask(SLOT_WRONG, n, &back, PATIENCE_US);
		seen[n] = back == 42 ? word(status) : "BELIEVED";
	}
	printf("wrong: %s %s %s %s\n", seen[0], seen[1], seen[2], seen[3]);
}

/* Another client of `crash`, which has to hear of each of its ends once. */
static void other(void)
{
	unsigned told = 0, answers = 0;
	uint64_t back = 0;
	for (unsigned n = 0; n < LOOKS; n++) {
		tss_status_t status = faulty_ask(SLOT_CRASH, n, &back, PATIENCE_US);
		told += TSS_CODE(status) == TSS_E_PEER_RESTARTED;
		answers += status == TSS_OK && back == n + 1;
		(void)tss_self_sleep(LOOK_US);
	}
	printf("told %u times, answered %u times\n", told, answers);
}

static tss_status_t call_with(cap_t connection, uint32_t type)
{
	uint64_t words[4] = {0, 0, 0, 0};
	tss_tag_t tag = TSS_TAG(type, 0, 0);
	tss_status_t status = tss_connection_call(connection, &tag, words, PATIENCE_US);
	return status != TSS_OK ? status : TSS_INTERFACE_ERROR(TSS_TAG_TYPE(tag));
}

/* What only the kernel, only others' hearts and only those whom the manifest lets may say to the supervisor. */
static void forger(void)
{
	static const char victim[] = "victim";
	printf("ended: %s\n", word(call_with(SLOT_SUPERVISION, TSS_MSG_ENDED)));
	printf("fault: %s\n", word(call_with(SLOT_SUPERVISION, TSS_MSG_FAULT)));
	printf("heartbeat: %s\n", word(call_with(SLOT_SUPERVISION, TSS_MSG_HEARTBEAT)));
	printf("by heart: %s\n", word(call_with(TSS_SLOT_HEARTBEAT, SUPERVISION_METHOD_KILL)));
	printf("kill: %s\n", word(supervision_kill(SLOT_SUPERVISION, victim, sizeof(victim) - 1, PATIENCE_US)));
	printf("restart: %s\n", word(supervision_restart(SLOT_SUPERVISION, victim, sizeof(victim) - 1, PATIENCE_US)));
}

bool client_run(const char *name)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} clients[] = {{"good", good}, {"doubter", doubter}, {"other", other}, {"forger", forger}, {"fibber", fibber}};
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		if (strcmp(clients[i].name, name) != 0)
			continue;
		clients[i].run();
		return true;
	}
	return false;
}
