/* SPDX-License-Identifier: BSD-2-Clause */
/* derivation.c - the derivation list of kernel/obj/cspace.c: what its contracts speak of, and what it calls. */
#include <link.h>
#undef CONTAINER_OF
#define CONTAINER_OF(pointer, type, member) ((type *)container_##member(pointer))
#include "stand_ins.h"
#include <memory.h>
#include <port.h>

/*@ axiomatic derivation {
	logic integer count;
	logic struct capability *entry(integer i);
	logic integer place(struct link *at);
} */
/*@ predicate full(integer i) = 0 <= i < count && entry(i)->type != 0;
	logic integer index(struct capability *cap) = place(&cap->derivation);
	predicate member(struct capability *cap) = full(index(cap)) && cap == entry(index(cap));
	logic integer next(integer i) = place(entry(i)->derivation.next);
	logic integer prev(integer i) = place(entry(i)->derivation.prev);
	predicate entries = count > 0 &&
		(\forall integer i; 0 <= i < count ==> \valid(entry(i)) && entry(i) != \null && index(entry(i)) == i);
	predicate apart = 
		(\forall integer i, j; 0 <= i < count && 0 <= j < count && i != j ==> \separated(entry(i), entry(j)) &&
			\separated(&entry(i)->derivation, &entry(j)->derivation));
	predicate threaded(integer i) =
		0 <= next(i) < count && entry(next(i))->type != 0 && entry(i)->derivation.next == &entry(next(i))->derivation && prev(next(i)) == i &&
		0 <= prev(i) < count && entry(prev(i))->type != 0 && entry(i)->derivation.prev == &entry(prev(i))->derivation && next(prev(i)) == i &&
		(next(i) > i || next(i) == 0) &&
		(\forall integer k; full(k) && i < k ==> next(i) != 0 && next(i) <= k);
	predicate listed = entries && full(0) && entry(0)->depth == 0 &&
		(\forall integer i; full(i) ==> threaded(i)) && (\forall integer i; full(i) && i > 0 ==> entry(i)->depth > 0);
	predicate follows(struct capability *cap, struct capability *other) = member(other) &&
		(index(other) == 0 || index(other) > index(cap)) &&
		(\forall integer k; full(k) && k > index(cap) ==> index(other) != 0 && k >= index(other));
	predicate deeper_until(struct capability *cap, struct capability *end) =
		(index(end) == 0 || index(end) > index(cap)) &&
		(\forall integer k; full(k) && k > index(cap) && (k < index(end) || index(end) == 0) ==>
			entry(k)->depth > cap->depth);
	predicate below(integer top, integer i) = top < i && full(i) &&
		(\forall integer k; full(k) && top < k <= i ==> entry(k)->depth > entry(top)->depth);
	predicate leaf(integer i) = entry(next(i))->depth <= entry(i)->depth;
	predicate sound = listed && (\forall integer i; full(i) ==> \valid(entry(i)->object));
	predicate same{A, B} = \forall integer k; 0 <= k < count ==> (full{A}(k) <==> full{B}(k)) &&
		\at(entry(k)->depth, A) == \at(entry(k)->depth, B);
	predicate gone_only_below{A, B}(integer top) = \forall integer k; 0 <= k < count ==>
		\at(entry(k)->depth, A) == \at(entry(k)->depth, B) && (full{B}(k) ==> full{A}(k)) &&
		(full{A}(k) ==> full{B}(k) || below{A}(top, k));
*/
/*@ assigns \nothing;
	ensures &\result->derivation == link; 
	ensures \forall struct capability *c; link == &c->derivation ==> \result == c; */
struct capability *container_derivation(const struct link *link);

/*@ assigns *left, cap->mapped, cap->mapped_at, cap->failed; */
bool memory_unmap(struct capability *cap, unsigned *left);
/*@ assigns *left; */
bool object_lighten(struct object *object, unsigned *left);
/*@ assigns \nothing; */
void object_destroy(struct object *object);
/*@ assigns \nothing; */
void reply_dropped(struct reply *reply);

/*@ requires listed && member(cap);
	assigns \nothing;
	ensures \result == entry(next(index(cap))) && follows(cap, \result); */
static struct capability *capability_next(const struct capability *cap);

/*@ requires listed && member(cap);
	assigns \nothing;
	ensures \result <==> !leaf(index(cap)); */
bool capability_has_children(const struct capability *cap);

/*@ requires listed && member(cap);
	assigns \nothing;
	ensures \result == \null ==> !spare ==> \forall integer k; !below(index(cap), k);
	ensures \result != \null ==> member(\result) && below(index(cap), index(\result)) && leaf(index(\result));
*/
static struct capability *capability_victim(const struct capability *cap, bool spare);

/*@ requires sound && member(cap) && index(cap) > 0 && leaf(index(cap)) && \valid(left);
	ensures sound && \valid(left);
	ensures \forall integer k; 0 <= k < count ==> entry(k)->depth == \old(entry(k)->depth);
	ensures \forall integer k; full(k) <==> \old(full(k)) && (k != index(cap) || !\result);
*/
bool capability_delete(struct capability *cap, unsigned *left);

/*@ requires sound && \valid(object);
	ensures sound;
	ensures same{Pre, Post}; */
static void revoke_mark(struct object *object, uint8_t mark);

/*@ requires sound && member(cap) && \valid(left);
	ensures sound;
	ensures member(cap);
	ensures gone_only_below{Pre, Post}(index(cap));
	ensures \result && !spare ==> \forall integer k; \old(below(index(cap), k)) ==> !full(k);
*/
bool capability_revoke(struct capability *cap, unsigned *left, bool spare);

/*@ requires \valid_read(unit) && unit->caps.slots <= CSPACE_PAGES * CAPS_PER_PAGE;
	requires \forall integer i; 0 <= i < CSPACE_PAGES && i * CAPS_PER_PAGE < unit->caps.slots ==>
		\valid(unit->caps.pages[i] + (0 .. CAPS_PER_PAGE - 1));
	assigns \nothing;
	ensures \result == \null ==> slot == 0 || slot >= unit->caps.slots;
	ensures \result != \null ==> \valid(\result) && 0 < slot < unit->caps.slots; */
struct capability *cspace_slot(const struct unit *unit, uint64_t slot);

#include "kernel/obj/cspace.c"
