/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel.c - serves channels. A channel is a connection to the very port that they are asked for at: its badge says which
 * channel and which roles, so that whoever has it can hand it on, and a channel that is gone takes all of them along.
 *
 * Nothing here blocks. Who has to wait is a reply object that is kept. That somebody waits no more is told by the kernel
 * in the event bound to the port; that a maker of channels is no more is seen in the connection that he has given as a sign
 * of life, when somebody gives up, when a channel is made, and when nothing has come for half a heartbeat.
 */
#include <interfaces/channel.h>
#include <tessera/chan.h>
#include <tessera/tessera.h>
#include "queue.h"
#include "slots.h"

#define BADGE_CHANNEL (1ull << 63) /* of connections made here: then the channel's id, and three bits of roles */
#define ROLES 8u
#define ROLES_OF(badge) ((badge) & (ROLES - 1))
#define ARRIVALS                                                                                                       \
	(QUEUES_MAX * (1 + 2 * (ROLES - 1)) + 1) /* a slot for each sign of life and connection, and an empty one */

_Static_assert(CHAN_RECORD_MAX == RECORD_MAX && CHANNEL_PUT_RECORD_MAX == RECORD_MAX &&
		       CHANNEL_TAKE_RECORD_MAX == RECORD_MAX && CHAN_BYTES_MAX == BYTES_SHARE,
	       "chan.h says so");
_Static_assert(CHAN_PEEK == QUEUE_PEEK && CHAN_TRUNCATE == QUEUE_TRUNCATE && CHAN_NONBLOCK == QUEUE_NONBLOCK, "flags");
_Static_assert(CLIENTS_MAX *WAITERS_SHARE < REPLIES_CHANNEL, "somebody can always be told that his share is used up");

/* Of a channel, for each set of roles: the connection, and what of it is handed out. Made when it is first asked for. */
struct ends {
	cap_t whole, handed;
};

static struct ends ends[QUEUES_MAX][ROLES];
static struct queues queues;

static void drop(cap_t cap)
{
	while (cap != TSS_CAP_NULL && TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

static void mark(bool used[ARRIVALS], uint64_t handle)
{
	uint64_t slot = handle & 0xffff;
	if (slot >= SLOTS_END && slot - SLOTS_END < ARRIVALS)
		used[slot - SLOTS_END] = true;
}

/* Says where the next capability may arrive: a slot in which none lies. */
static void open_slot(void)
{
	bool used[ARRIVALS] = {false};
	for (unsigned i = 0; i < QUEUES_MAX; i++) {
		mark(used, queues.clients[i / QUEUES_SHARE].queues[i % QUEUES_SHARE].life);
		for (unsigned roles = 0; roles < ROLES; roles++) {
			mark(used, ends[i][roles].whole);
			mark(used, ends[i][roles].handed);
		}
	}
	uint32_t slot = 0;
	while (slot < ARRIVALS - 1 && used[slot])
		slot++;
	tss_ipc()->recv_slots[0] = SLOTS_END + slot;
}

static void on_drop(unsigned place, uint64_t life)
{
	for (unsigned roles = 0; roles < ROLES; roles++) {
		drop(ends[place][roles].handed);
		drop(ends[place][roles].whole);
		ends[place][roles] = (struct ends){TSS_CAP_NULL, TSS_CAP_NULL};
	}
	drop((cap_t)life);
}

static tss_status_t error_of(enum queue_result result)
{
	static const tss_status_t errors[] = {[QUEUE_OK] = TSS_OK,
					      [QUEUE_TOO_LONG] = CHANNEL_ERROR_TOO_LONG,
					      [QUEUE_FULL] = CHANNEL_ERROR_FULL,
					      [QUEUE_EMPTY] = CHANNEL_ERROR_EMPTY,
					      [QUEUE_ENDED] = CHANNEL_ERROR_ENDED,
					      [QUEUE_BUSY] = CHANNEL_ERROR_BUSY,
					      [QUEUE_WAIT] = TSS_DEFER};
	return errors[result];
}

static bool on_answer(const struct waiter *waiter, enum queue_result result, const struct record *record)
{
	tss_status_t status = error_of(result);
	if (waiter->sends)
		return channel_put_reply((cap_t)waiter->who, status) == TSS_OK;
	if (result != QUEUE_OK)
		return channel_take_reply((cap_t)waiter->who, status, 0, NULL, 0) == TSS_OK;
	return channel_take_reply((cap_t)waiter->who, TSS_OK, record->length, record->words, record->size) == TSS_OK;
}

/* Does the caller behind this reply still wait? An answer with a capability that is none fails, and leaves him waiting. */
static bool waits(uint64_t reply)
{
	const uint64_t none[4] = {0, 0, 0, 0};
	tss_ipc()->send_caps[0] = TSS_CAP_NULL;
	return TSS_CODE(tss_reply_send((cap_t)reply, TSS_TAG(TSS_REPLY_FAILED, 0, 1), none)) != TSS_E_GONE;
}

/* A call with timeout 0 is refused before anything is delivered: TIMEOUT, or there is nobody to wait for. */
static bool lives(uint64_t life)
{
	uint64_t none[4] = {0, 0, 0, 0};
	tss_tag_t tag = TSS_TAG(0, 0, 0);
	return TSS_CODE(tss_connection_call((cap_t)life, &tag, none, 0)) == TSS_E_TIMEOUT;
}

/* The connection to a channel with these roles; TSS_CAP_NULL: no memory for it. */
static cap_t end_of(const struct queue *queue, uint32_t roles)
{
	struct ends *end = &ends[queue_place(queue->id)][roles];
	uint64_t whole = 0, handed = 0, badge = BADGE_CHANNEL | queue->id * ROLES | roles;
	if (end->handed != TSS_CAP_NULL)
		return end->handed;
	if (tss_connection_create(SLOT_PORT_CHANNEL, TSS_SLOT_UNIT, badge, 0, &whole) != TSS_OK)
		return TSS_CAP_NULL;
	if (tss_capability_derive((cap_t)whole, TSS_RIGHT_CALL | TSS_RIGHT_GRANT, &handed) != TSS_OK)
		drop((cap_t)whole);
	else
		*end = (struct ends){(cap_t)whole, (cap_t)handed};
	return end->handed;
}

static tss_status_t on_create(void *state, struct tss_request *request, uint32_t bytes, cap_t life, cap_t *channel)
{
	struct queue *queue = NULL;
	(void)state;
	queues_look(&queues, lives);
	if (!(request->badge & BADGE_CHANNEL) && lives(life))
		queue = queue_create(&queues, request->badge, bytes, life);
	if (queue == NULL)
		drop(life);
	else if ((*channel = end_of(queue, ROLES - 1)) == TSS_CAP_NULL)
		queue_free(&queues, queue);
	open_slot();
	return queue == NULL ? CHANNEL_ERROR_BUSY : *channel != TSS_CAP_NULL ? TSS_OK : CHANNEL_ERROR_FULL;
}

/* The channel that a request came through, which needs this role; NULL: *why. */
static struct queue *asked_for(const struct tss_request *request, uint32_t role, tss_status_t *why)
{
	*why = request->badge & BADGE_CHANNEL && request->badge & role ? CHANNEL_ERROR_ENDED : CHANNEL_ERROR_ROLE;
	return *why == CHANNEL_ERROR_ROLE ? NULL : queue_find(&queues, (request->badge & ~BADGE_CHANNEL) / ROLES);
}

static tss_status_t on_narrow(void *state, struct tss_request *request, uint32_t roles, cap_t *channel)
{
	tss_status_t why;
	(void)state;
	struct queue *queue = asked_for(request, ROLES - 1, &why);
	if (queue == NULL)
		return why;
	if (roles == 0 || roles & ~ROLES_OF(request->badge))
		return CHANNEL_ERROR_ROLE;
	*channel = end_of(queue, roles);
	open_slot();
	return *channel != TSS_CAP_NULL ? TSS_OK : CHANNEL_ERROR_FULL;
}

static tss_status_t on_put(void *state, struct tss_request *request, uint32_t flags, const void *bytes, size_t size)
{
	tss_status_t why;
	(void)state;
	const struct queue *queue = asked_for(request, CHAN_SENDS, &why);
	if (queue == NULL)
		return why;
	if (flags & ~CHAN_NONBLOCK)
		return CHANNEL_ERROR_BAD_FLAGS;
	struct waiter waiter = {.who = request->reply, .queue = queue->id, .sends = true, .flags = flags};
	waiter.record.length = (uint32_t)size;
	memcpy(waiter.record.words, bytes, size);
	return error_of(queue_send(&queues, &waiter));
}

static tss_status_t on_take(void *state, struct tss_request *request, uint32_t room, uint32_t flags, uint32_t *length,
			    void *bytes, size_t *size)
{
	tss_status_t why;
	struct record record;
	(void)state;
	const struct queue *queue = asked_for(request, CHAN_RECEIVES, &why);
	if (queue == NULL)
		return why;
	if (flags & ~(CHAN_PEEK | CHAN_TRUNCATE | CHAN_NONBLOCK))
		return CHANNEL_ERROR_BAD_FLAGS;
	if (room > RECORD_MAX)
		return CHANNEL_ERROR_BAD_ROOM;
	struct waiter waiter = {.who = request->reply, .queue = queue->id, .flags = flags, .record = {.size = room}};
	enum queue_result result = queue_receive(&queues, &waiter, &record);
	if (result == QUEUE_OK) {
		*length = record.length;
		*size = record.size;
		memcpy(bytes, record.words, record.size);
	}
	return error_of(result);
}

static tss_status_t on_close(void *state, struct tss_request *request)
{
	tss_status_t why;
	(void)state;
	struct queue *queue = asked_for(request, CHAN_CONTROLS, &why);
	if (queue == NULL)
		return why;
	queue_end(&queues, queue);
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct channel_operations operations = {
		.create = on_create, .narrow = on_narrow, .put = on_put, .take = on_take, .close = on_close};
	return channel_dispatch(&operations, state, request);
}

static void on_idle(void *state)
{
	(void)state;
	queues_look(&queues, lives);
}

static void on_event(void *state, uint64_t bits)
{
	(void)bits;
	queues_forget(&queues, waits);
	on_idle(state);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .event = on_event, .idle = on_idle};
	queues.answer = on_answer;
	queues.drop = on_drop;
	/* Calls that were queued for the channels of an earlier life come in now: none of those ids is given again. */
	(void)tss_self_clock(&queues.count);
	if (tss_event_bind(SLOT_EVENT_GIVEN_UP, SLOT_PORT_CHANNEL) != TSS_OK)
		return 1;
	open_slot();
	return (int)tss_serve(SLOT_PORT_CHANNEL, &server, NULL);
}
