/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - see queue.h. A client's channels lie one behind the other in its words; when one goes, the others move up. */
#include <tessera/string.h>
#include "queue.h"

#define WORD sizeof(uint64_t)

_Static_assert((QUEUES_MAX & (QUEUES_MAX - 1)) == 0, "an id's low bits are its place");

unsigned queue_place(uint64_t id)
{
	return (unsigned)(id % QUEUES_MAX);
}

static struct client *client_of(struct queues *all, uint64_t id)
{
	return &all->clients[queue_place(id) / QUEUES_SHARE];
}

struct queue *queue_find(struct queues *all, uint64_t id)
{
	struct queue *queue = &client_of(all, id)->queues[queue_place(id) % QUEUES_SHARE];
	return id != 0 && queue->id == id ? queue : NULL;
}

static uint32_t words_of(uint32_t length)
{
	return 1 + (uint32_t)((length + WORD - 1) / WORD);
}

static bool fits(const struct queue *queue, uint32_t length)
{
	return queue->used + words_of(length) <= queue->words;
}

static uint64_t *word_at(struct client *client, const struct queue *queue, uint32_t at)
{
	return &client->words[queue->base + (queue->first + at) % queue->words];
}

static void put(struct client *client, struct queue *queue, const struct record *record)
{
	*word_at(client, queue, queue->used++) = record->length;
	for (uint32_t i = 0; i * WORD < record->length; i++)
		*word_at(client, queue, queue->used++) = record->words[i];
}

/* The oldest record, of which there is one. It stays where it is: see taken(). */
static enum queue_result look(struct client *client, const struct queue *queue, const struct waiter *waiter,
			      struct record *record)
{
	uint32_t room = waiter->record.size;
	record->length = (uint32_t)*word_at(client, queue, 0);
	if (record->length > room && !(waiter->flags & QUEUE_TRUNCATE))
		return QUEUE_TOO_LONG;
	record->size = record->length < room ? record->length : room;
	for (uint32_t i = 0; i * WORD < record->size; i++)
		record->words[i] = *word_at(client, queue, 1 + i);
	return QUEUE_OK;
}

static void taken(struct queue *queue, const struct waiter *waiter, const struct record *record)
{
	uint32_t words = words_of(record->length);
	if (waiter->flags & QUEUE_PEEK)
		return;
	queue->first = (queue->first + words) % queue->words;
	queue->used -= words;
}

/* The first who waits at the queue, to send or to receive. */
static struct waiter *first(struct client *client, const struct queue *queue, bool sends)
{
	for (uint32_t i = 0; i < client->waiting; i++)
		if (client->waiters[i].queue == queue->id && client->waiters[i].sends == sends)
			return &client->waiters[i];
	return NULL;
}

static void forget(struct client *client, struct waiter *waiter)
{
	size_t behind = (size_t)(&client->waiters[--client->waiting] - waiter);
	memmove(waiter, waiter + 1, behind * sizeof(*waiter));
}

/* Something has changed: answer those who waited for it. */
static void settle(struct queues *all, struct client *client, struct queue *queue)
{
	struct record record;
	for (;;) {
		struct waiter *sender = first(client, queue, true), *receiver = first(client, queue, false);
		if (receiver != NULL && queue->used > 0) {
			enum queue_result result = look(client, queue, receiver, &record);
			if (all->answer(receiver, result, &record) && result == QUEUE_OK)
				taken(queue, receiver, &record);
			forget(client, receiver);
		} else if (sender != NULL && fits(queue, sender->record.length)) {
			if (all->answer(sender, QUEUE_OK, NULL))
				put(client, queue, &sender->record);
			forget(client, sender);
		} else {
			return;
		}
	}
}

static enum queue_result wait(struct client *client, const struct waiter *waiter, enum queue_result otherwise)
{
	if (waiter->flags & QUEUE_NONBLOCK)
		return otherwise;
	if (client->waiting == WAITERS_SHARE)
		return QUEUE_BUSY;
	client->waiters[client->waiting++] = *waiter;
	return QUEUE_WAIT;
}

enum queue_result queue_send(struct queues *all, const struct waiter *waiter)
{
	struct client *client = client_of(all, waiter->queue);
	struct queue *queue = queue_find(all, waiter->queue);
	if (queue == NULL || queue->ended)
		return QUEUE_ENDED;
	if (words_of(waiter->record.length) > queue->words)
		return QUEUE_TOO_LONG;
	if (!fits(queue, waiter->record.length) || first(client, queue, true) != NULL)
		return wait(client, waiter, QUEUE_FULL);
	put(client, queue, &waiter->record);
	settle(all, client, queue);
	return QUEUE_OK;
}

enum queue_result queue_receive(struct queues *all, const struct waiter *waiter, struct record *record)
{
	struct client *client = client_of(all, waiter->queue);
	struct queue *queue = queue_find(all, waiter->queue);
	if (queue == NULL || (queue->used == 0 && queue->ended))
		return QUEUE_ENDED;
	if (queue->used == 0)
		return wait(client, waiter, QUEUE_EMPTY);
	enum queue_result result = look(client, queue, waiter, record);
	if (result != QUEUE_OK)
		return result;
	taken(queue, waiter, record);
	settle(all, client, queue);
	return QUEUE_OK;
}

void queue_end(struct queues *all, struct queue *queue)
{
	struct client *client = client_of(all, queue->id);
	struct waiter *waiter;
	queue->ended = true;
	while ((waiter = first(client, queue, true)) != NULL || (waiter = first(client, queue, false)) != NULL) {
		(void)all->answer(waiter, QUEUE_ENDED, NULL);
		forget(client, waiter);
	}
}

void queue_free(struct queues *all, struct queue *queue)
{
	struct client *client = client_of(all, queue->id);
	uint32_t end = queue->base + queue->words, all_words = BYTES_SHARE / WORD;
	queue_end(all, queue);
	memmove(&client->words[queue->base], &client->words[end], (all_words - end) * WORD);
	for (unsigned i = 0; i < QUEUES_SHARE; i++)
		if (client->queues[i].id != 0 && client->queues[i].base >= end)
			client->queues[i].base -= queue->words;
	all->drop(queue_place(queue->id), queue->life);
	*queue = (struct queue){0};
}

/* Nobody finds anything in it any more, or it is nobody's. */
static bool is_over(const struct queue *queue)
{
	return queue->id != 0 && queue->ended && (queue->used == 0 || queue->lost);
}

/* Is there anything of the client's that has to be kept? */
static bool is_idle(const struct client *client)
{
	for (unsigned i = 0; i < QUEUES_SHARE; i++)
		if (client->queues[i].id != 0 && !is_over(&client->queues[i]))
			return false;
	return true;
}

/* The client's own place, or that of one who has no use for it; NULL: there is none. */
static struct client *client_for(struct queues *all, uint64_t badge)
{
	struct client *place = NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &all->clients[i];
		if (client->badge == badge)
			return client;
		if (place == NULL && is_idle(client))
			place = client;
	}
	for (unsigned i = 0; place != NULL && i < QUEUES_SHARE; i++)
		if (place->queues[i].id != 0)
			queue_free(all, &place->queues[i]);
	return place;
}

static struct queue *place_for(struct client *client, uint32_t words)
{
	struct queue *place = NULL;
	uint32_t taken_words = 0;
	for (unsigned i = 0; i < QUEUES_SHARE; i++) {
		taken_words += client->queues[i].words;
		if (client->queues[i].id == 0)
			place = &client->queues[i];
	}
	if (place == NULL || taken_words + words > BYTES_SHARE / WORD)
		return NULL;
	place->base = taken_words;
	return place;
}

struct queue *queue_create(struct queues *all, uint64_t badge, uint32_t bytes, uint64_t life)
{
	if (bytes < WORD || bytes > BYTES_SHARE)
		return NULL;
	struct client *client = client_for(all, badge);
	if (client == NULL)
		return NULL;
	client->badge = badge;
	struct queue *queue = place_for(client, bytes / WORD);
	for (unsigned i = 0; queue == NULL && i < QUEUES_SHARE; i++)
		if (is_over(&client->queues[i])) {
			queue_free(all, &client->queues[i]);
			queue = place_for(client, bytes / WORD);
		}
	if (queue == NULL)
		return NULL;
	size_t place = (size_t)(client - all->clients) * QUEUES_SHARE + (size_t)(queue - client->queues);
	queue->id = ++all->count * QUEUES_MAX + place;
	queue->words = bytes / WORD;
	queue->life = life;
	return queue;
}

static void client_forget(struct client *client, bool (*waits)(uint64_t who))
{
	for (uint32_t i = client->waiting; i-- > 0;)
		if (!waits(client->waiters[i].who))
			forget(client, &client->waiters[i]);
}

void queues_forget(struct queues *all, bool (*waits)(uint64_t who))
{
	for (unsigned i = 0; i < QUEUES_MAX; i++) {
		struct client *client = &all->clients[i / QUEUES_SHARE];
		if (i % QUEUES_SHARE == 0)
			client_forget(client, waits);
		if (client->queues[i % QUEUES_SHARE].id != 0)
			settle(all, client, &client->queues[i % QUEUES_SHARE]);
	}
}

void queues_look(struct queues *all, bool (*lives)(uint64_t life))
{
	for (unsigned i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = &all->clients[i / QUEUES_SHARE].queues[i % QUEUES_SHARE];
		if (queue->id == 0 || queue->lost || lives(queue->life))
			continue;
		queue->lost = true;
		queue_end(all, queue);
	}
}
