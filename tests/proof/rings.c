/* SPDX-License-Identifier: BSD-2-Clause */
/* rings.c - indices into memory that its owner may have filled as he likes: kernel/obj/mailbox.c, kernel/trace/trace.c. */
#include <link.h>
#undef CONTAINER_OF
#define CONTAINER_OF(pointer, type, member) ((type *)container_##member(pointer))
#include "stand_ins.h"
#include <memory.h>
#include <port.h>
#include <trace.h>
#undef LINK_FIRST
#define LINK_FIRST(head, type, member) message_first(head)
#undef __atomic_load_n
#define __atomic_load_n(pointer, order) word_of_the_owner(pointer)
#define __atomic_store_n(pointer, value, order) (*(pointer) = (value))

uint64_t entries_held; /* messages in port->held */
/*@ assigns \nothing; */
uint64_t word_of_the_owner(const void *at);
/*@ assigns \nothing;
	ensures entries_held > 0 ==> \valid(\result);
	ensures entries_held == 0 ==> \result == \null; */
struct message *message_first(struct link *head);

/*@ requires \valid_read(port) && \valid_read(port->mailbox) && page < port->mailbox->pages;
	assigns \nothing;
	ensures \valid((struct tss_mailbox_entry *)\result + (0 .. TSS_MAILBOX_PER_PAGE - 1));
	ensures \valid((struct tss_mailbox *)\result); */
static void *mailbox_page(const struct port *port, uint64_t page);

/*@ requires \valid(message) && entries_held > 0;
	assigns entries_held;
	ensures entries_held == \old(entries_held) - 1; */
static void mailbox_release(struct port *port, struct message *message);

/*@ predicate has_mailbox(struct port *port) = \valid(port) && \valid_read(port->mailbox) && 0 < port->depth <= PORT_DEPTH_MAX &&
	port->mailbox->pages >= TSS_MAILBOX_PAGES(port->depth); */

/*@ requires has_mailbox(port);
	assigns \nothing;
	ensures \valid(\result); */
static struct tss_mailbox_entry *mailbox_place(const struct port *port, uint64_t number);

/*@ requires has_mailbox(port) && \separated(port, &entries_held);
	requires port->retired <= port->posted && port->posted - port->retired == entries_held;
	assigns port->retired, entries_held;
	ensures \old(port->retired) <= port->retired <= port->posted && port->retired - \old(port->retired) <= 4;
	ensures port->posted - port->retired == entries_held; */
static void mailbox_retire(struct port *port);

#include "kernel/obj/mailbox.c"
#include "kernel/trace/trace.c"

/*@ requires \valid_read(trace.memory) && page < trace.memory->pages;
	assigns \nothing;
	ensures \valid((struct tss_trace_record *)\result + (0 .. TSS_TRACE_PER_PAGE - 1)); */
static void *trace_page(uint64_t page);

/*@ axiomatic rows { axiom rows_fit: \forall integer i, n, p; 0 <= i < n && 0 <= p ==> i * p + p <= n * p; } */
/*@ 	lemma rows_of_quotient: \forall integer m, n; 0 < n && 0 <= m ==> n * (m / n) <= m;
	lemma rows_in_memory: \forall integer i, n, m; 0 <= i < n && 0 < m ==> 1 + i * ((m - 1) / n) + (m - 1) / n <= m; */

/* The last of the first line is rows_in_memory for the pages that trace_set() gives each CPU. */
/*@ requires \valid_read(cpu) && \valid_read(trace.memory) && 1 + cpu->index * trace.pages + trace.pages <= trace.memory->pages;
	requires 0 < trace.pages && trace.memory->pages <= MEMORY_PAGES_MAX && cpu->index < 64;
	assigns \nothing;
	ensures \valid(\result); */
static struct tss_trace_record *trace_place(const struct cpu *cpu, uint64_t sequence);
