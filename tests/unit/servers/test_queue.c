/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/servers/channel/queue.c
// flags: -Icomponents/servers/channel
/* test_queue.c - the channel server's queues: order, bounds, shares, who gives up; and at random against a model. */
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "queue.h"

#define ROUNDS 200000u
#define PATIENTS 1000u
#define MODEL_MAX 2048u

static struct queues all;
static struct {
	bool gone, answered;
	enum queue_result result;
	struct record record;
} callers[PATIENTS];
static bool dead[PATIENTS]; /* signs of life */
static unsigned dropped;

static bool on_answer(const struct waiter *waiter, enum queue_result result, const struct record *record)
{
	callers[waiter->who].answered = true;
	callers[waiter->who].result = result;
	if (record != NULL)
		callers[waiter->who].record = *record;
	return !callers[waiter->who].gone;
}

static void on_drop(unsigned place, uint64_t life)
{
	(void)place, (void)life;
	dropped++;
}

static bool waits(uint64_t who)
{
	return !callers[who].gone;
}

static bool lives(uint64_t life)
{
	return !dead[life];
}

static void fresh(void)
{
	memset(&all, 0, sizeof(all));
	memset(callers, 0, sizeof(callers));
	memset(dead, 0, sizeof(dead));
	all.answer = on_answer;
	all.drop = on_drop;
	dropped = 0;
}

static enum queue_result put(uint64_t id, uint64_t who, uint32_t length, uint8_t fill, uint32_t flags)
{
	struct waiter waiter = {.who = who, .queue = id, .sends = true, .flags = flags, .record = {.length = length}};
	memset(waiter.record.words, fill, length);
	return queue_send(&all, &waiter);
}

static enum queue_result take(uint64_t id, uint64_t who, uint32_t room, uint32_t flags, struct record *record)
{
	struct waiter waiter = {.who = who, .queue = id, .flags = flags, .record = {.size = room}};
	return queue_receive(&all, &waiter, record);
}

static bool is(const struct record *record, uint32_t length, uint32_t size, uint8_t fill)
{
	const uint8_t *bytes = (const uint8_t *)record->words;
	for (uint32_t i = 0; i < size; i++)
		if (bytes[i] != fill)
			return false;
	return record->length == length && record->size == size;
}

static void test_bounds(void)
{
	struct record record;
	fresh();
	CHECK(queue_create(&all, 1, 7, 0) == NULL);
	CHECK(queue_create(&all, 1, BYTES_SHARE + 1, 0) == NULL);
	uint64_t id = queue_create(&all, 1, 64, 0)->id;
	for (uint8_t i = 0; i < 4; i++)
		CHECK(put(id, 1, 8, i, QUEUE_NONBLOCK) == QUEUE_OK);
	CHECK(put(id, 1, 0, 0, QUEUE_NONBLOCK) == QUEUE_FULL);
	CHECK(put(id, 1, 57, 0, QUEUE_NONBLOCK) == QUEUE_TOO_LONG);
	CHECK(take(id, 1, 7, QUEUE_NONBLOCK, &record) == QUEUE_TOO_LONG);
	CHECK(take(id, 1, 7, QUEUE_PEEK | QUEUE_TRUNCATE, &record) == QUEUE_OK && is(&record, 8, 7, 0));
	for (uint8_t i = 0; i < 4; i++)
		CHECK(take(id, 1, RECORD_MAX, QUEUE_NONBLOCK, &record) == QUEUE_OK && is(&record, 8, 8, i));
	CHECK(take(id, 1, 8, QUEUE_NONBLOCK, &record) == QUEUE_EMPTY);
	for (unsigned i = 0; i < 8; i++)
		CHECK(put(id, 1, 0, 0, QUEUE_NONBLOCK) == QUEUE_OK); /* the record's head counts */
	CHECK(put(id, 1, 0, 0, QUEUE_NONBLOCK) == QUEUE_FULL);
}

static void test_receivers_in_order(void)
{
	struct record record;
	fresh();
	uint64_t id = queue_create(&all, 1, 64, 0)->id;
	for (uint64_t who = 1; who <= 4; who++)
		CHECK(take(id, who, who == 3 ? 4 : 8, 0, &record) == QUEUE_WAIT);
	callers[1].gone = true;
	CHECK(put(id, 9, 8, 7, 0) == QUEUE_OK); /* what the first would have got is the second's */
	CHECK(callers[2].answered && is(&callers[2].record, 8, 8, 7) && !callers[3].answered);
	CHECK(put(id, 9, 8, 8, 0) == QUEUE_OK); /* too long for the third: the fourth has it */
	CHECK(callers[3].result == QUEUE_TOO_LONG && is(&callers[4].record, 8, 8, 8));
	CHECK(take(id, 1, 8, QUEUE_NONBLOCK, &record) == QUEUE_EMPTY);
}

static void test_senders_in_order(void)
{
	struct record record;
	fresh();
	uint64_t id = queue_create(&all, 1, 64, 0)->id;
	CHECK(put(id, 1, 48, 1, 0) == QUEUE_OK);
	CHECK(put(id, 2, 8, 2, 0) == QUEUE_WAIT);
	CHECK(put(id, 3, 8, 3, 0) == QUEUE_WAIT);
	CHECK(put(id, 4, 0, 4, QUEUE_NONBLOCK) == QUEUE_FULL); /* there is room, but somebody is waiting */
	callers[2].gone = true;
	CHECK(take(id, 1, 48, 0, &record) == QUEUE_OK && is(&record, 48, 48, 1));
	CHECK(callers[3].answered && callers[3].result == QUEUE_OK);
	CHECK(take(id, 1, 8, QUEUE_NONBLOCK, &record) == QUEUE_OK && is(&record, 8, 8, 3));
	CHECK(take(id, 1, 8, QUEUE_NONBLOCK, &record) == QUEUE_EMPTY); /* who gave up has sent nothing */
}

/* Who gave up holds no place, and nobody up behind him. */
static void test_forget(void)
{
	struct record record;
	fresh();
	uint64_t id = queue_create(&all, 1, 64, 0)->id, other = queue_create(&all, 1, 64, 0)->id;
	CHECK(put(id, 1, 40, 1, 0) == QUEUE_OK);
	CHECK(put(id, 2, 40, 2, 0) == QUEUE_WAIT);
	CHECK(put(id, 3, 8, 3, 0) == QUEUE_WAIT);
	for (uint64_t who = 4; who < 4 + WAITERS_SHARE - 2; who++)
		CHECK(take(other, who, 8, 0, &record) == QUEUE_WAIT);
	CHECK(take(other, 20, 8, 0, &record) == QUEUE_BUSY);
	callers[2].gone = callers[4].gone = true;
	queues_forget(&all, waits);
	CHECK(callers[3].answered && !callers[2].answered && !callers[4].answered);
	for (uint64_t who = 21; who < 24; who++)
		CHECK(take(other, who, 8, 0, &record) == QUEUE_WAIT);
	CHECK(take(other, 24, 8, 0, &record) == QUEUE_BUSY);
}

static void test_end(void)
{
	struct record record;
	fresh();
	struct queue *full = queue_create(&all, 1, 16, 5), *empty = queue_create(&all, 1, 16, 6);
	CHECK(put(full->id, 1, 8, 1, 0) == QUEUE_OK);
	CHECK(put(full->id, 2, 8, 2, 0) == QUEUE_WAIT);
	CHECK(take(empty->id, 3, 8, 0, &record) == QUEUE_WAIT);
	queue_end(&all, full);
	CHECK(callers[2].result == QUEUE_ENDED && !callers[3].answered);
	CHECK(put(full->id, 1, 8, 1, 0) == QUEUE_ENDED);
	CHECK(take(full->id, 1, 8, 0, &record) == QUEUE_OK && is(&record, 8, 8, 1));
	CHECK(take(full->id, 1, 8, 0, &record) == QUEUE_ENDED);
	queues_look(&all, lives);
	CHECK(!empty->ended);
	dead[6] = true;
	queues_look(&all, lives);
	CHECK(callers[3].answered && callers[3].result == QUEUE_ENDED && empty->ended);
}

/* A client's share, which is nobody else's; what is over makes room, what is not does not. */
static void test_shares(void)
{
	struct record record;
	uint64_t ids[QUEUES_SHARE];
	fresh();
	CHECK(queue_create(&all, 1, BYTES_SHARE - 16, 0) != NULL);
	CHECK(queue_create(&all, 1, 24, 0) == NULL);
	for (unsigned client = 2; client <= CLIENTS_MAX; client++)
		for (unsigned i = 0; i < QUEUES_SHARE; i++)
			CHECK(queue_create(&all, client, BYTES_SHARE / QUEUES_SHARE, 0) != NULL);
	CHECK(queue_create(&all, CLIENTS_MAX + 1, 8, 0) == NULL);
	CHECK(queue_create(&all, 2, 8, 0) == NULL);
	for (unsigned i = 0; i < QUEUES_SHARE; i++)
		ids[i] = all.clients[1].queues[i].id;
	CHECK(put(ids[0], 1, 8, 1, 0) == QUEUE_OK && put(ids[2], 1, 8, 2, 0) == QUEUE_OK);
	queue_end(&all, queue_find(&all, ids[0]));
	CHECK(queue_create(&all, 2, 8, 0) == NULL); /* a record is in it */
	queue_end(&all, queue_find(&all, ids[1]));
	CHECK(queue_create(&all, 2, BYTES_SHARE / QUEUES_SHARE, 0) != NULL && dropped == 1);
	CHECK(queue_find(&all, ids[1]) == NULL && put(ids[1], 1, 8, 1, 0) == QUEUE_ENDED);
	CHECK(take(ids[0], 1, 8, 0, &record) == QUEUE_OK && is(&record, 8, 8, 1)); /* they have moved up */
	CHECK(take(ids[2], 1, 8, 0, &record) == QUEUE_OK && is(&record, 8, 8, 2));
	dead[0] = true;
	queues_look(&all, lives);
	CHECK(queue_create(&all, CLIENTS_MAX + 1, BYTES_SHARE, 1) != NULL); /* the place of one who is no more */
}

struct model {
	uint64_t id;
	uint32_t words, first, count;
	struct {
		uint32_t length;
		uint8_t fill;
	} records[MODEL_MAX];
};

static uint32_t model_used(const struct model *model)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < model->count; i++)
		used += 1 + (model->records[(model->first + i) % MODEL_MAX].length + 7) / 8;
	return used;
}

static void random_put(struct model *model)
{
	uint32_t length = (uint32_t)rand() % (RECORD_MAX + 1), needs = 1 + (length + 7) / 8;
	uint8_t fill = (uint8_t)rand();
	enum queue_result want = needs > model->words                       ? QUEUE_TOO_LONG
				 : model_used(model) + needs > model->words ? QUEUE_FULL
									    : QUEUE_OK;
	CHECK(put(model->id, 0, length, fill, QUEUE_NONBLOCK) == want);
	if (want != QUEUE_OK)
		return;
	model->records[(model->first + model->count) % MODEL_MAX].length = length;
	model->records[(model->first + model->count++) % MODEL_MAX].fill = fill;
}

static void random_take(struct model *model)
{
	struct record record;
	uint32_t room = (uint32_t)rand() % (RECORD_MAX + 1), flags = (uint32_t)rand() % 4 | QUEUE_NONBLOCK;
	uint32_t length = model->records[model->first].length, size = length < room ? length : room;
	bool fits = length <= room || flags & QUEUE_TRUNCATE;
	enum queue_result want = model->count == 0 ? QUEUE_EMPTY : fits ? QUEUE_OK : QUEUE_TOO_LONG;
	CHECK(take(model->id, 0, room, flags, &record) == want);
	if (want != QUEUE_OK)
		return;
	CHECK(is(&record, length, size, model->records[model->first].fill));
	if (!(flags & QUEUE_PEEK)) {
		model->first = (model->first + 1) % MODEL_MAX;
		model->count--;
	}
}

static void random_again(struct model *model, uint64_t badge)
{
	uint32_t bytes = 8 + (uint32_t)rand() % (BYTES_SHARE / QUEUES_SHARE - 8);
	if (model->id != 0)
		queue_free(&all, queue_find(&all, model->id));
	*model = (struct model){.id = queue_create(&all, badge, bytes, 0)->id, .words = bytes / 8};
}

static void test_random(void)
{
	static struct model models[2][QUEUES_SHARE];
	fresh();
	srand(5);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned client = (unsigned)rand() % 2;
		struct model *model = &models[client][(unsigned)rand() % QUEUES_SHARE];
		if (model->id == 0 || rand() % 500 == 0)
			random_again(model, client + 1);
		else if (rand() % 2)
			random_put(model);
		else
			random_take(model);
	}
}

int main(void)
{
	RUN(test_bounds);
	RUN(test_receivers_in_order);
	RUN(test_senders_in_order);
	RUN(test_forget);
	RUN(test_end);
	RUN(test_shares);
	RUN(test_random);
	return tap_end();
}
