/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall.c - the dispatch table, the dispatcher, and the calls that need no capability. */
#include <asm_constants.h>
#include <enabled.h>
#include <local.h>
#include <syscall.h>

#define TSS_TYPE_ANY 0xff
#define FORM_VALUE false
#define FORM_MESSAGE true

#define NEEDS(type, right) ((type) == TSS_TYPE_ANY ? CAP_NEEDS_ANY(right) : CAP_NEEDS((type)&15, right))
#define ENTRY(number)                                                                                                  \
	((number) == TSS_SYS_connection_call      ? arch_syscall_call                                                  \
	 : (number) == TSS_SYS_port_reply_receive ? arch_syscall_reply_receive                                         \
	 : (number) == TSS_SYS_self_version       ? arch_syscall_version                                               \
						  : arch_syscall_general)

/* What a row that is not in local.h does: get all locks, then the row's handler. */
static status_t syscall_exclusively(struct thread *self, struct capability *cap)
{
	static const syscall_handler handlers[TSS_SYSCALL_COUNT] = {
#define SYSCALL(number, object, type, verb, right, argc, form, text) [(number)-0x1000] = sys_##object##_##verb,
#include <abi/syscalls.def>
#undef SYSCALL
	};
	if (!cpu_is_exclusive())
		kernel_exclusive(self);
	return handlers[self->frame.rax - TSS_SYSCALL_FIRST](self, cap);
}

const struct syscall_table syscall_table = {
	.calls.allowed = {~0ull, ~0ull},
	.entry =
		{
#define SYSCALL(number, object, type, verb, right, argc, form, text) [(number)-0x1000] = ENTRY(number),
#include <abi/syscalls.def>
#undef SYSCALL
		},
	.row =
		{
#define SYSCALL(number, object, type, verb, right, argc, form, text)                                                   \
	[(number)-0x1000] = {                                                                                          \
		CPUS_MAX == 1 || IS_ENABLED(LOCAL_##object##_##verb) ? sys_##object##_##verb : syscall_exclusively,    \
		TSS_RIGHT_##right, TSS_TYPE_##type, FORM_##form, NEEDS(TSS_TYPE_##type, TSS_RIGHT_##right)},
#include <abi/syscalls.def>
#undef SYSCALL
		},
};

status_t (*syscall_dispatcher)(struct thread *self, const struct syscall_row *row) = syscall_dispatch;

/* Argument 1 is not plainly the right capability: a call that takes any type, or an error to be named. */
static __attribute__((noinline)) status_t syscall_resolve_slowly(struct thread *self, const struct syscall_row *row)
{
	struct capability *cap;
	uint64_t handle = row->type == TSS_TYPE_ANY ? ARG1(self) : (uint32_t)ARG1(self);
	status_t status = syscall_capability(self, handle, 1, row->type, row->right, &cap);
	return status == TSS_OK ? row->handler(self, cap) : status;
}

/* rbx is a result of message calls only, and kept by others. */
status_t syscall_failed(struct thread *self, status_t status)
{
	struct arch_frame *frame = &self->frame;
	frame->rdi = frame->rsi = frame->rdx = frame->r10 = frame->r8 = frame->r9 = 0;
	if (syscall_table.row[frame->rax - TSS_SYSCALL_FIRST].message)
		frame->rbx = 0;
	return status;
}

/* Ends in jumps, so that a handler returns straight to entry.S. */
status_t syscall_dispatch(struct thread *self, const struct syscall_row *row)
{
	if (row->type == TSS_TYPE_NONE)
		return row->handler(self, NULL);
	struct capability *cap = cspace_lookup_needed(&self->unit->caps, (cap_t)ARG1(self), row->needs);
	if (UNLIKELY(!cap || (row->type == TSS_TYPE_ANY && ARG1(self) >> 32)))
		return syscall_resolve_slowly(self, row);
	return row->handler(self, cap);
}

status_t syscall_capability(struct thread *self, uint64_t handle, unsigned number, uint8_t type, uint16_t rights,
			    struct capability **out)
{
	struct capability *cap = cspace_lookup_in(&self->unit->caps, handle);
	if (!cap)
		return ERR(CAPABILITY, number);
	if (cap->type != type && type != TSS_TYPE_ANY)
		return ERR(TYPE, number);
	if ((cap->rights & rights) != rights)
		return ERR(RIGHTS, number);
	*out = cap;
	return TSS_OK;
}

static const uint16_t type_rights[TSS_TYPE_COUNT] = {
#define OBJECT(number, name, lower, rights, text) [number] = (rights),
#include <abi/objects.def>
#undef OBJECT
};

status_t syscall_place(struct thread *self, void *new, struct capability *parent, uint16_t rights)
{
	struct object *object = new;
	struct capability *slot = cspace_find_free(self->unit);
	if (!slot) {
		object_destroy(object);
		return ERR(SLOTS, 0);
	}
	capability_place(slot, object, type_rights[object->type] & rights, parent);
	return syscall_value(self, capability_handle(slot));
}

void *syscall_making(const struct thread *self, uint8_t type)
{
	const struct capability *slot = cspace_lookup_needed(&self->unit->caps, self->making, CAP_NEEDS(type, 0));
	return slot ? slot->object : NULL;
}

status_t syscall_make(struct thread *self, struct object *object, status_t (*fill)(void *, uint64_t), uint64_t amount)
{
	uint64_t rdx = ARG3(self);
	unsigned left = REVOKE_SLICE;
	status_t status = object->original ? TSS_OK : syscall_place(self, object, NULL, TSS_RIGHT_ALL);
	if (status != TSS_OK)
		return status;
	if (self->making != capability_handle(object->original)) {
		self->making = capability_handle(object->original);
		object->revoking = REVOKE_SEALED;
		ARG3(self) = rdx; /* the call is made again as it was: a monitor has allowed that one */
	}
	bool goes = object->revoking != REVOKE_SEALED;
	status = goes ? ERR(MEMORY, 0) : fill(object, amount);
	if (status == TSS_OK) {
		self->making = TSS_CAP_NULL;
		object->revoking = 0;
		return syscall_value(self, capability_handle(object->original));
	}
	if (goes && capability_delete(object->original, &left))
		return status;
	if (status != ERR(AGAIN, 0))
		object->revoking = REVOKE_PATIENCE;
	return syscall_again(self);
}

status_t syscall_again(struct thread *self)
{
	self->frame.rip -= SYSCALL_SIZE;
	return SYSCALL_NO_RESULT;
}

status_t sys_self_version(struct thread *self, struct capability *cap)
{
	return syscall_value(self, TSS_ABI_VERSION);
}

status_t sys_self_clock(struct thread *self, struct capability *cap)
{
	return syscall_value(self, arch_clock_us());
}

status_t sys_self_sleep(struct thread *self, struct capability *cap)
{
	if (!timeout_valid(ARG1(self)))
		return ERR(ARGUMENT, 1);
	if (ARG1(self) == 0)
		return ERR(TIMEOUT, 0);
	thread_block(self, TSS_THREAD_SLEEPING, ARG1(self));
	return SYSCALL_NO_RESULT;
}

status_t sys_self_exit(struct thread *self, struct capability *cap)
{
	unsigned left = REVOKE_SLICE;
	if (!threads_forget(NULL, self, &left))
		return syscall_again(self);
	(void)thread_leave(self, ARG1(self) & 0xff, &left);
	return SYSCALL_NO_RESULT;
}
