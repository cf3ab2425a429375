/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall.h - dispatch. One row a call; each unit points to its table, most to the full one. The dispatcher has
 * resolved argument 1, checked its type and right; handlers check the rest, then act.
 */
#pragma once
#include <thread.h>

/* The value of a VALUE call goes to frame.rdx. A handler that blocks or switches returns SYSCALL_NO_RESULT. */
typedef status_t (*syscall_handler)(struct thread *self, struct capability *cap);
#define SYSCALL_NO_RESULT (~(status_t)0)

struct syscall_row {
	syscall_handler handler;
	uint16_t right;
	uint8_t type;   /* NONE: argument 1 is no capability; 0xff: any type will do */
	bool message;   /* its form is MESSAGE */
	uint32_t needs; /* CAP_NEEDS() of argument 1, or CAP_NEEDS_ANY() */
};

struct syscall_table {
	const char *entry[TSS_SYSCALL_COUNT]; /* where entry.S goes on */
	struct syscall_row row[TSS_SYSCALL_COUNT];
	struct tss_calls calls; /* that all of it follows from */
	struct link all;            /* in syscall_tables */
	struct unit *payer;
	uint32_t id, users;         /* from 1; how many units use it or are to get it back */
};
extern struct link syscall_tables; /* all but syscall_table */
_Static_assert(sizeof(struct syscall_table) <= PAGE_SIZE && TSS_SYSCALL_COUNT <= 64 * TSS_CALL_WORDS, "one frame");
extern const struct syscall_table syscall_table;

/* entry.S. Any call; one that is denied, or sees the whole frame; the null call. */
extern const char arch_syscall_general[], arch_syscall_version[];
/* fast.S: what can be handed over at once; the rest goes on as in arch_syscall_general. */
extern const char arch_syscall_call[], arch_syscall_reply_receive[];

#define SYSCALL(number, object, type, verb, right, argc, form, text)                                                   \
	status_t sys_##object##_##verb(struct thread *self, struct capability *cap);
#include <abi/syscalls.def>
#undef SYSCALL
status_t sys_denied(struct thread *self, struct capability *cap);
status_t sys_asked(struct thread *self, struct capability *cap); /* interpose.c */

/* Called by entry.S: arguments and rax, the number, are in self->frame. Its result is the call's status. */
status_t syscall_dispatch(struct thread *self, const struct syscall_row *row);
/* What entry.S calls: that, or the same with a trace of it. */
extern status_t (*syscall_dispatcher)(struct thread *self, const struct syscall_row *row);
/* Called by entry.S for a call of self that has failed: nothing is left in the result registers. Returns status. */
status_t syscall_failed(struct thread *self, status_t status);

/* Argument `number` as a capability of the caller with that type (0xff: any) and rights. */
MUST_CHECK status_t syscall_capability(struct thread *self, uint64_t handle, unsigned number, uint8_t type,
				       uint16_t rights, struct capability **out);
/* The object that argument 2 names; if it names none of that kind, the handler that this stands in returns why. */
#define ARGUMENT2(self, TYPE, RIGHT)                                                                                   \
	({                                                                                                             \
		struct capability *argument;                                                                           \
		status_t refusal =                                                                                     \
			syscall_capability(self, ARG2(self), 2, TSS_TYPE_##TYPE, TSS_RIGHT_##RIGHT, &argument);        \
		if (refusal != TSS_OK)                                                                                 \
			return refusal;                                                                                \
		(void *)argument->object;                                                                              \
	})
/*
 * The end of creating calls: an empty slot gets the original of a new object, with those of its type's rights; the value
 * is its handle. If there is no slot the object is destroyed again.
 */
MUST_CHECK status_t syscall_place(struct thread *self, void *object, struct capability *parent, uint16_t rights);

/*
 * Calls that make large objects do so in slices. The object is in its slot from the first slice on, but only the thread
 * that makes it knows which one that is, and no copies are made of it before it is whole. If the budget is not enough it
 * goes the same way. What a thread leaves half-made that is ended in between is its unit's, and can be deleted.
 */
void *syscall_making(const struct thread *self, uint8_t type); /* what self makes, of that type; NULL: nothing */
/* A slice of that, or of a new object; `fill` does it: OK: it is whole, AGAIN: there is more to do; or it cannot be made. */
MUST_CHECK status_t syscall_make(struct thread *self, struct object *object, status_t (*fill)(void *, uint64_t),
				 uint64_t amount);

/* A slice of the call is done, and interrupts may come: the thread makes the same call again. Nobody is told. */
status_t syscall_again(struct thread *self);

ALWAYS_INLINE status_t syscall_value(struct thread *self, uint64_t value)
{
	self->frame.rdx = value;
	return TSS_OK;
}
