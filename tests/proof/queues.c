/* SPDX-License-Identifier: BSD-2-Clause */
/* queues.c - the run queues of kernel/sched/sched.c: */
#include <link.h>
#undef CONTAINER_OF
#define CONTAINER_OF(pointer, type, member) ((type *)container_##member(pointer))
#include "stand_ins.h"
#include "words.h"
#include <port.h>

/*@ assigns \nothing;
	ensures &\result->queue == link;
	ensures \valid(\result); */
struct sched *container_queue(const struct link *link);

/*@ requires x != 0;
	assigns \nothing;
	ensures 0 <= \result < 64 && has(x, 63 - \result);
	ensures \forall integer i; 63 - \result < i < 64 ==> !has(x, i); */
int __builtin_clzll(unsigned long long x);

/*@ predicate words(struct run_queue *q) = \valid(q) &&
		(\forall integer w; 0 <= w < 4 ==> (has(q->summary, w) <==> q->occupied[w] != 0)) &&
		(\forall integer w; 4 <= w < 64 ==> !has(q->summary, w));
	predicate filled(struct run_queue *q, integer p) = q->queues[p].next != &q->queues[p];
	predicate agree(struct run_queue *q) = words(q) &&
		(\forall integer p; 0 <= p < 256 ==> (filled(q, p) <==> has(q->occupied[p / 64], p % 64)));
	lemma queue_number: \forall integer w, b; 0 <= b < 64 && 0 <= w ==> (w * 64 + b) / 64 == w && (w * 64 + b) % 64 == b;
	lemma queue_order: \forall integer p, w, b; 0 <= w && 0 <= b < 64 && p > w * 64 + b ==>
		p / 64 > w || (p / 64 == w && p % 64 > b);
	predicate most_urgent(struct run_queue *q, integer p) = 0 <= p < 256 && filled(q, p) &&
		(\forall integer o; p < o < 256 ==> !filled(q, o));
*/
/*@ requires agree(run_queue);
	assigns \nothing;
	ensures \result == \null ==> \forall integer p; 0 <= p < 256 ==> !filled(run_queue, p);
	ensures \result != \null ==> \exists integer p; 0 <= p < 256 && filled(run_queue, p);
	ensures \forall integer p; most_urgent(run_queue, p) ==> &\result->queue == run_queue->queues[p].next;
*/
static struct sched *run_queue_first(const struct run_queue *run_queue);

#include "kernel/sched/sched.c"
