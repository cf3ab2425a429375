/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel.c - channels. A thread that waits has its call's arguments in its frame and its record in its IPC page, so
 * whoever makes room or brings a record can finish the call for it: channel_settle().
 */
#include <channel.h>
#include <frame.h>
#include <syscall.h>

#define WORD sizeof(uint64_t)

static bool channel_fits(const struct channel *channel, uint64_t length)
{
	return channel->used + TSS_CHANNEL_TAKES(length) / WORD <= channel->words;
}

static uint64_t *channel_word(const struct channel *channel, uint64_t at)
{
	return &channel->ring[(channel->first + at) % channel->words];
}

static void channel_put(struct channel *channel, const struct thread *from)
{
	uint64_t length = ARG2(from);
	*channel_word(channel, channel->used++) = length;
	for (uint64_t i = 0; i * WORD < length; i++)
		*channel_word(channel, channel->used++) = from->ipc->send[i];
}

/* The oldest record, of which there is one, to a receiver: its length, byte by byte no more than that. */
static status_t channel_get(struct channel *channel, struct thread *to, uint64_t *length)
{
	uint64_t room = ARG2(to), flags = ARG3(to), size = *length = *channel_word(channel, 0);
	if (size > room && !(flags & TSS_CHANNEL_TRUNCATE))
		return ERR(ARGUMENT, 2);
	for (uint64_t at = 0, left = size > room ? room : size; left; at++) {
		uint64_t part = left < WORD ? left : WORD;
		__builtin_memcpy(&to->ipc->recv[at], channel_word(channel, 1 + at), part);
		left -= part;
	}
	if (!(flags & TSS_CHANNEL_PEEK)) {
		channel->first = (channel->first + TSS_CHANNEL_TAKES(size) / WORD) % channel->words;
		channel->used -= TSS_CHANNEL_TAKES(size) / WORD;
	}
	return TSS_OK;
}

/* Something has changed: finish the calls of those who waited for it. */
static void channel_settle(struct channel *channel)
{
	for (;;) {
		struct thread *sender = LINK_FIRST(&channel->senders, struct thread, wait);
		struct thread *receiver = LINK_FIRST(&channel->receivers, struct thread, wait);
		uint64_t length = 0;
		if (receiver && channel->used) {
			status_t status = channel_get(channel, receiver, &length);
			thread_wake(receiver, status);
			receiver->frame.rdx = status == TSS_OK ? length : 0;
		} else if (sender && channel_fits(channel, ARG2(sender))) {
			channel_put(channel, sender);
			thread_wake(sender, TSS_OK);
		} else {
			return;
		}
	}
}

static status_t channel_wait(struct link *waiting, struct thread *self, uint64_t timeout)
{
	struct link *behind = waiting->prev;
	while (behind != waiting && LINK_ENTRY(behind, struct thread, wait)->home->priority < self->home->priority)
		behind = behind->prev;
	link_insert_after(behind, &self->wait);
	thread_block(self, TSS_THREAD_WAITING, timeout);
	return SYSCALL_NO_RESULT;
}

static void channel_end(struct channel *channel)
{
	struct thread *waiter;
	channel->ended = true;
	while ((waiter = LINK_FIRST(&channel->senders, struct thread, wait)) ||
	       (waiter = LINK_FIRST(&channel->receivers, struct thread, wait)))
		thread_wake(waiter, ERR(PEER_DEAD, 1));
}

void channels_turn(const struct unit *unit, bool end)
{
	OBJECTS_OF(CHANNEL, channel, channel) {
		if (channel->object.payer != unit)
			continue;
		channel_end(channel);
		channel->ended = end;
		channel->used = end ? channel->used : 0;
	}
}

void channel_destroy(void *object)
{
	struct channel *channel = object;
	channel_end(channel);
	frame_free(channel->object.payer, channel->ring);
}

/* (unit, bytes) */
status_t sys_channel_create(struct thread *self, struct capability *cap)
{
	struct unit *payer = (struct unit *)cap->object;
	if (ARG2(self) < TSS_CHANNEL_TAKES(0) || ARG2(self) > TSS_CHANNEL_BYTES_MAX)
		return ERR(ARGUMENT, 2);
	uint64_t *ring = frame_alloc(payer);
	struct channel *channel = ring ? object_alloc(payer, TSS_TYPE_CHANNEL) : NULL;
	if (!channel) {
		if (ring)
			frame_free(payer, ring);
		return ERR(MEMORY, 0);
	}
	channel->ring = ring;
	channel->words = ARG2(self) / WORD;
	link_init(&channel->senders);
	link_init(&channel->receivers);
	return syscall_place(self, channel, NULL, TSS_RIGHT_ALL);
}

/* (channel, length, timeout) */
status_t sys_channel_send(struct thread *self, struct capability *cap)
{
	struct channel *channel = (struct channel *)cap->object;
	uint64_t length = ARG2(self), timeout = ARG3(self);
	const struct thread *ahead = LINK_FIRST(&channel->senders, struct thread, wait);
	if (length > TSS_MESSAGE_MAX || TSS_CHANNEL_TAKES(length) / WORD > channel->words)
		return ERR(ARGUMENT, 2);
	if (!timeout_valid(timeout))
		return ERR(ARGUMENT, 3);
	if (channel->ended)
		return ERR(PEER_DEAD, 1);
	if (!channel_fits(channel, length) || (ahead && ahead->home->priority >= self->home->priority))
		return timeout ? channel_wait(&channel->senders, self, timeout) : ERR(FULL, 1);
	channel_put(channel, self);
	channel_settle(channel);
	return TSS_OK;
}

/* (channel, room, flags, timeout) */
status_t sys_channel_receive(struct thread *self, struct capability *cap)
{
	struct channel *channel = (struct channel *)cap->object;
	uint64_t timeout = ARG4(self), length;
	if (ARG2(self) > TSS_MESSAGE_MAX)
		return ERR(ARGUMENT, 2);
	if (ARG3(self) & ~(uint64_t)(TSS_CHANNEL_PEEK | TSS_CHANNEL_TRUNCATE))
		return ERR(ARGUMENT, 3);
	if (!timeout_valid(timeout))
		return ERR(ARGUMENT, 4);
	if (!channel->used && channel->ended)
		return ERR(PEER_DEAD, 1);
	if (!channel->used)
		return timeout ? channel_wait(&channel->receivers, self, timeout) : ERR(TIMEOUT, 0);
	status_t status = channel_get(channel, self, &length);
	channel_settle(channel);
	return status == TSS_OK ? syscall_value(self, length) : status;
}

status_t sys_channel_close(struct thread *self, struct capability *cap)
{
	channel_end((struct channel *)cap->object);
	return TSS_OK;
}
