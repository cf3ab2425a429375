/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.c - capabilities in messages: everything is checked for all of them before the first one is handed over. They
 * are copies, which the sender keeps too, but for the right to answer a caller: that moves. Those of an asynchronous
 * message wait in the message itself, where a revoke finds them.
 */
#include <message_copy.h>

static status_t message_check_source(const struct capability *source)
{
	if (!source)
		return ERR(CAPABILITY, 2);
	if (source->type == TSS_TYPE_REPLY && reply_holder((const struct reply *)source->object) != source)
		return ERR(CAPABILITY, 2);
	if (source->type != TSS_TYPE_REPLY && !(source->rights & TSS_RIGHT_GRANT))
		return ERR(RIGHTS, 2);
	return capability_copyable(source, 2);
}

/* Each word of an IPC page is read once; another thread of the unit may be writing it. */
status_t message_check_caps(const struct thread *from, uint64_t tag, struct capability *sources[])
{
	for (unsigned i = 0; i < TSS_TAG_CAPS(tag); i++) {
		cap_t handle = *(volatile cap_t *)&from->ipc->send_caps[i];
		sources[i] = cspace_lookup_in(&from->unit->caps, handle);
		status_t status = message_check_source(sources[i]);
		if (status != TSS_OK)
			return status;
		for (unsigned j = 0; j < i; j++)
			if (sources[j] == sources[i] && sources[i]->type == TSS_TYPE_REPLY)
				return ERR(CAPABILITY, 2);
	}
	return TSS_OK;
}

static struct capability *message_slot(const struct thread *to, unsigned i)
{
	struct capability *slot = cspace_slot(to->unit, *(volatile cap_t *)&to->ipc->recv_slots[i]);
	return slot && !slot->object ? slot : NULL;
}

static void message_hand_over(struct capability *slot, struct capability *source, struct thread *to)
{
	if (source->type == TSS_TYPE_REPLY)
		reply_hand_on((struct reply *)source->object, slot, to);
	else
		capability_derive(slot, source, source->rights);
}

status_t message_move_caps(struct thread *to, struct thread *from, uint64_t tag)
{
	struct capability *sources[TSS_MESSAGE_CAPS], *slots[TSS_MESSAGE_CAPS];
	unsigned count = TSS_TAG_CAPS(tag);
	status_t status = message_check_caps(from, tag, sources);
	for (unsigned i = 0; status == TSS_OK && i < count; i++) {
		slots[i] = message_slot(to, i);
		if (!slots[i])
			return ERR(NO_SLOT, 2);
		for (unsigned j = 0; j < i; j++)
			if (slots[j] == slots[i])
				return ERR(NO_SLOT, 2);
	}
	for (unsigned i = 0; status == TSS_OK && i < count; i++) {
		message_hand_over(slots[i], sources[i], to);
		to->ipc->recv_caps[i] = capability_handle(slots[i]);
	}
	return status;
}

void message_put_caps(struct message *message, struct capability *sources[])
{
	for (unsigned i = 0; i < TSS_TAG_CAPS(message->tag); i++)
		message_hand_over(&message->caps[i], sources[i], NULL);
}

void message_take_caps(struct message *message, struct thread *to)
{
	for (unsigned i = 0; i < TSS_TAG_CAPS(message->tag); i++) {
		struct capability *cap = &message->caps[i], *slot = to ? message_slot(to, i) : NULL;
		if (to)
			to->ipc->recv_caps[i] = TSS_CAP_NULL;
		if (!cap->object)
			continue;
		if (!slot) {
			capability_delete(cap);
			continue;
		}
		if (cap->type == TSS_TYPE_REPLY)
			reply_hand_on((struct reply *)cap->object, slot, to);
		else
			capability_move(slot, cap);
		to->ipc->recv_caps[i] = capability_handle(slot);
	}
}
