/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.c - capabilities in messages: everything is checked for all of them before the first one is handed over. They
 * are copies, which the sender keeps too, but for the right to answer a caller: that moves. Those of an asynchronous
 * message wait in the message itself, where a revoke finds them.
 */
#include <message_copy.h>

struct cap_transfer {
	struct capability *source, *slot;
};

/* Each word of an IPC page is read once; another thread of the unit may be writing it. */
static struct capability *message_slot(const struct thread *to, unsigned i)
{
	struct capability *slot = cspace_slot(to->unit, *(volatile cap_t *)&to->ipc->recv_slots[i]);
	return slot && !slot->object ? slot : NULL;
}

/* Memory crosses a guarded connection only if that was declared, and never to be written and executed. */
static bool message_shares(const struct capability *source, struct guard guard)
{
	const uint16_t both = TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE;
	return guard.mode == TSS_MODE_FAST || source->type != TSS_TYPE_MEMORY ||
	       (guard.shares && (source->rights & both) != both);
}

static status_t message_check_cap(const struct thread *from, unsigned i, struct cap_transfer *transfer,
				  struct guard guard)
{
	struct capability *source = cspace_lookup_in(&from->unit->caps, *(volatile cap_t *)&from->ipc->send_caps[i]);
	transfer->source = source;
	if (!source)
		return ERR(CAPABILITY, 2);
	if (source->type == TSS_TYPE_REPLY && reply_holder((struct reply *)source->object) != source)
		return ERR(CAPABILITY, 2);
	if (source->type != TSS_TYPE_REPLY && !(source->rights & TSS_RIGHT_GRANT))
		return ERR(RIGHTS, 2);
	if (!message_shares(source, guard))
		return ERR(SHARE, 2);
	return transfer->slot ? capability_copyable(source, 2) : ERR(NO_SLOT, 2);
}

static status_t message_check_pair(const struct cap_transfer *a, const struct cap_transfer *b)
{
	if (a->source == b->source && a->source->type == TSS_TYPE_REPLY)
		return ERR(CAPABILITY, 2);
	return a->slot == b->slot ? ERR(NO_SLOT, 2) : TSS_OK;
}

status_t message_move_caps(struct thread *to, struct message *message, struct thread *from, uint64_t tag,
			   struct guard guard)
{
	struct cap_transfer transfers[TSS_MESSAGE_CAPS];
	unsigned count = TSS_TAG_CAPS(tag);
	for (unsigned i = 0; i < count; i++) {
		transfers[i].slot = to ? message_slot(to, i) : &message->caps[i];
		status_t status = message_check_cap(from, i, &transfers[i], guard);
		for (unsigned j = 0; status == TSS_OK && j < i; j++)
			status = message_check_pair(&transfers[j], &transfers[i]);
		if (status != TSS_OK)
			return status;
	}
	for (unsigned i = 0; i < count; i++) {
		struct capability *source = transfers[i].source, *slot = transfers[i].slot;
		if (source->type == TSS_TYPE_REPLY)
			reply_hand_on((struct reply *)source->object, slot, to);
		else
			capability_derive(slot, source, source->rights);
		if (to)
			to->ipc->recv_caps[i] = capability_handle(slot);
	}
	return TSS_OK;
}

bool message_hand_over_cap(struct thread *from, struct thread *to)
{
	cap_t handle = *(volatile cap_t *)&from->ipc->send_caps[0], number = *(volatile cap_t *)&to->ipc->recv_slots[0];
	struct capability *source = cspace_lookup_needed(&from->unit->caps, handle, TSS_RIGHT_GRANT);
	struct capability *slot = cspace_at(&to->unit->caps, number);
	if (!cpu_is_exclusive() || !source || source->object->revoking || source->depth == CAP_DEPTH_MAX)
		return false;
	if (number == 0 || slot->slot != number || slot->object)
		return false;
	capability_derive(slot, source, source->rights);
	to->ipc->recv_caps[0] = capability_handle(slot);
	return true;
}

void message_take_caps(struct message *message, struct thread *to)
{
	for (unsigned i = 0; i < TSS_TAG_CAPS(message->tag); i++) {
		struct capability *cap = &message->caps[i], *slot = to && cap->object ? message_slot(to, i) : NULL;
		if (slot && cap->type == TSS_TYPE_REPLY)
			reply_hand_on((struct reply *)cap->object, slot, to);
		else if (slot)
			capability_move(slot, cap);
		else if (cap->object)
			CAPABILITY_DELETE_SMALL(cap);
		if (to)
			to->ipc->recv_caps[i] = slot ? capability_handle(slot) : TSS_CAP_NULL;
	}
}
