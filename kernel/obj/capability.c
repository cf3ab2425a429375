/* SPDX-License-Identifier: BSD-2-Clause */
/* capability.c - the calls that work on a capability of any type. */
#include <syscall.h>

status_t sys_capability_derive(struct thread *self, struct capability *cap)
{
	struct capability *slot = cspace_find_free(self->unit);
	uint64_t rights = ARG2(self);
	if (rights & ~(uint64_t)cap->rights)
		return ERR(RIGHTS, 2);
	status_t status = capability_copyable(cap, 1);
	if (status != TSS_OK || !slot)
		return slot ? status : ERR(SLOTS, 0);
	capability_derive(slot, cap, (uint16_t)rights);
	return syscall_value(self, capability_handle(slot));
}

static status_t delete_check(struct thread *self, const struct capability *cap, unsigned *left)
{
	if (cap->sealed)
		return ERR(BUSY, 1);
	if (!cap->original)
		return TSS_OK;
	if (cap->type == TSS_TYPE_SYSTEM)
		return ERR(UNSUPPORTED, 1);
	if (cap->object == &self->object)
		return ERR(BUSY, 1);
	return cap->type == TSS_TYPE_UNIT ? unit_clear_slice(self, (struct unit *)cap->object, false, left) : TSS_OK;
}

/* Deleting takes along what was derived from it, and with a unit all it held; a bounded number a call. */
status_t sys_capability_delete(struct thread *self, struct capability *cap)
{
	unsigned left = REVOKE_SLICE;
	status_t status = delete_check(self, cap, &left);
	if (status != TSS_OK)
		return status;
	if ((capability_has_children(cap) || cap->object->revoking) && !capability_revoke(cap, &left, false))
		return ERR(AGAIN, 1);
	return capability_delete(cap, &left) ? TSS_OK : ERR(AGAIN, 1);
}

status_t sys_capability_inspect(struct thread *self, struct capability *cap)
{
	return syscall_value(self, cap->type | (uint64_t)cap->rights << 8 | (uint64_t)cap->depth << 24);
}

status_t sys_capability_revoke(struct thread *self, struct capability *cap)
{
	unsigned left = REVOKE_SLICE;
	return capability_revoke(cap, &left, cap->sealed) ? TSS_OK : ERR(AGAIN, 1);
}

status_t sys_capability_move(struct thread *self, struct capability *cap)
{
	struct capability *slot = cspace_slot(self->unit, ARG2(self));
	if (!slot)
		return ERR(ARGUMENT, 2);
	if (slot->object)
		return ERR(OCCUPIED, 2);
	if (cap->sealed)
		return ERR(BUSY, 1);
	capability_move(slot, cap);
	return syscall_value(self, capability_handle(slot));
}

/* (cap, type, rights) */
status_t sys_capability_check(struct thread *self, struct capability *cap)
{
	if (cap->type != ARG2(self))
		return ERR(TYPE, 1);
	return ARG3(self) & ~(uint64_t)cap->rights ? ERR(RIGHTS, 1) : TSS_OK;
}
