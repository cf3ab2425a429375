/* SPDX-License-Identifier: BSD-2-Clause */
/* message.c - capabilities in messages: everything is checked for all of them before the first one is handed over. */
#include <message_copy.h>

struct cap_transfer {
	struct capability *source, *slot;
};

static status_t message_check_cap(struct thread *to, struct thread *from, unsigned i, struct cap_transfer *transfer)
{
	/* Each word of an IPC page is read once; another thread of the unit may be writing it. */
	cap_t handle = *(volatile cap_t *)&from->ipc->send_caps[i];
	cap_t slot = *(volatile cap_t *)&to->ipc->recv_slots[i];
	transfer->source = cspace_lookup_in(&from->unit->caps, handle);
	transfer->slot = cspace_slot(to->unit, slot);
	if (!transfer->source)
		return ERR(CAPABILITY, 2);
	if (!(transfer->source->rights & TSS_RIGHT_GRANT))
		return ERR(RIGHTS, 2);
	if (transfer->source->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, 2);
	if (!transfer->slot || transfer->slot->object)
		return ERR(NO_SLOT, 2);
	return TSS_OK;
}

status_t message_move_caps(struct thread *to, struct thread *from, uint64_t tag)
{
	struct cap_transfer transfers[TSS_MESSAGE_CAPS];
	unsigned count = TSS_TAG_CAPS(tag);
	for (unsigned i = 0; i < count; i++) {
		status_t status = message_check_cap(to, from, i, &transfers[i]);
		if (status != TSS_OK)
			return status;
		for (unsigned j = 0; j < i; j++)
			if (transfers[j].slot == transfers[i].slot)
				return ERR(NO_SLOT, 2);
	}
	for (unsigned i = 0; i < count; i++) {
		capability_derive(transfers[i].slot, transfers[i].source, transfers[i].source->rights);
		to->ipc->recv_caps[i] = capability_handle(transfers[i].slot);
	}
	return TSS_OK;
}
