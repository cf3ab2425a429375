/* SPDX-License-Identifier: BSD-2-Clause */
/* channel_test.c - the three roles. */
#include <interfaces/log.h>
#include <interfaces/meeting.h>
#include "channel_test.h"

enum { TESTER, HOLDER, GUEST };

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static unsigned failed;

void check(bool good, const char *what, int line)
{
	if (good)
		return;
	failed++;
	printf("not so in line %d: %s\n", line, what);
}

static tss_status_t on_meet(void *state, struct tss_request *request, cap_t *memory, cap_t *room, cap_t *mail,
			    cap_t *channel)
{
	(void)request;
	*memory = *room = *mail = *channel = *(cap_t *)state;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct meeting_operations operations = {.meet = on_meet};
	return meeting_dispatch(&operations, state, request);
}

/* Uses its share up, and hands a channel of it out. */
static int hold(void)
{
	static const struct tss_server server = {.request = on_request};
	cap_t channels[CHANNELS];
	for (unsigned i = 0; i < CHANNELS; i++) {
		channels[i] = chan_create(SLOT_CHANNELS, ARRIVALS + i, CHAN_BYTES_MAX / CHANNELS);
		CHECK(channels[i] != TSS_CAP_NULL);
	}
	CHECK(chan_create(SLOT_CHANNELS, ARRIVALS + CHANNELS, 8) == TSS_CAP_NULL);
	for (unsigned i = 0; i < PARAMETERS->waiters; i++)
		(void)work(channels[1], false, 0, CHAN_FOREVER);
	printf("holds %u channels, %lu wait\n", CHANNELS, PARAMETERS->waiters);
	return (int)tss_serve(SLOT_PORT_MEETING, &server, &channels[0]);
}

/* Waits at the peer's channel until it ends, again and again. */
static void visit(void)
{
	cap_t caps[TSS_MESSAGE_CAPS];
	uint64_t value;
	for (;;) {
		for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
			tss_ipc()->recv_slots[i] = ARRIVALS + i;
		tss_status_t status = meeting_meet(SLOT_PEER, &caps[0], &caps[1], &caps[2], &caps[3], TSS_INFINITE);
		if (TSS_CODE(status) == TSS_E_PEER_RESTARTED)
			continue;
		while (status != TSS_OK) /* its maker has none any more, since the server was restarted */
			(void)tss_self_sleep(TSS_INFINITE);
		printf("waits\n");
		status = chan_recv(caps[3], &value, sizeof(value), NULL, 0, CHAN_FOREVER);
		printf("waited: %s\n", tss_error_name(status));
		for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
			(void)tss_capability_delete(caps[i]);
	}
}

int main(void)
{
	if (PARAMETERS->role == HOLDER)
		return hold();
	if (PARAMETERS->role == GUEST)
		visit();
	run_tests();
	printf("tested, %u failed\n", failed);
	for (;;)
		await_restart();
}
