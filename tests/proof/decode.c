/* SPDX-License-Identifier: BSD-2-Clause */
/* decode.c - what units say, whatever it is: handles, slots, rights, tags; kernel/core/syscall.c and what it includes. */
#include "stand_ins.h"
#include <message_copy.h>
#include <syscall.h>

/*@ predicate paged(struct cspace *space) = \valid_read(space) &&
		(\forall integer i; 0 <= i < CSPACE_REACH ==> \valid(space->pages[i] + (0 .. CAPS_PER_PAGE - 1)));
	predicate in_a_space(struct thread *self) = \valid(self) && \valid(self->unit) && paged(&self->unit->caps); */

/*@ requires paged(space);
	assigns \nothing;
	ensures \exists integer i, j; 0 <= i < CSPACE_REACH && 0 <= j < CAPS_PER_PAGE && \result == space->pages[i] + j; */
ALWAYS_INLINE struct capability *cspace_at(const struct cspace *space, cap_t handle);

/*@ requires paged(space);
	assigns space->pages[0 .. CSPACE_REACH - 1][0 .. CAPS_PER_PAGE - 1].exercised;
	ensures \result != \null ==> \valid(\result) && \result->handle == handle && \result->object != \null; */
ALWAYS_INLINE struct capability *cspace_lookup_in(const struct cspace *space, uint64_t handle);

/*@ requires paged(space);
	assigns space->pages[0 .. CSPACE_REACH - 1][0 .. CAPS_PER_PAGE - 1].exercised;
	ensures \result != \null ==> \valid(\result) && \result->handle == handle && (\result->refused & needs) == 0; */
ALWAYS_INLINE struct capability *cspace_lookup_needed(const struct cspace *space, cap_t handle, uint32_t needs);

/*@ assigns \nothing;
	ensures \result ==> TSS_TAG_LENGTH(tag) <= TSS_MESSAGE_MAX && TSS_TAG_CAPS(tag) <= TSS_MESSAGE_CAPS; */
ALWAYS_INLINE bool tag_valid(uint64_t tag);

/*@ requires in_a_space(self) && \valid(out);
	ensures \result == TSS_OK ==> \valid(*out) && (type == 0xff || (*out)->type == type) &&
		((*out)->rights & rights) == rights; */
MUST_CHECK status_t syscall_capability(struct thread *self, uint64_t handle, unsigned number, uint8_t type,
				       uint16_t rights, struct capability **out);

/*@ assigns \nothing;
	ensures \result <==> timeout_us <= TSS_TIMEOUT_MAX || timeout_us == (uint64_t)TSS_INFINITE; */
ALWAYS_INLINE bool timeout_valid(uint64_t timeout_us);

#include "kernel/core/syscall.c"
