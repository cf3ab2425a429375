/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.h - ports, connections, reply objects: how messages travel.
 *
 * A call either finds the port's thread waiting and hands over directly (the caller's context goes on running, now in
 * the server), or queues the caller. Callers and asynchronous messages are served in order of arrival; a caller can
 * only be received while a reply object is free.
 *
 * Reply object: free (on port->free_reply, or port->fast) -> bound to a caller -> (the caller gives up) gone -> free. Its capability's
 * generation goes up each time it is freed, so a used reply handle is stale. While it is bound or gone the right to
 * answer may be handed on in a message: a derived capability holds it then, which ends with the answer. If that one is
 * deleted first, or its unit ends, nobody can answer any more and the caller hears so.
 *
 * Asynchronous messages: the port has `depth` places. A connection may fill as many as its credit: what was reserved
 * when it was made, or an equal share of what nobody reserved. So who fills his credit takes no place from another.
 */
#pragma once
#include <abi/mailbox.h>
#include <event.h>
#include <thread.h>

struct port {
	struct object object;
	struct reply *fast;           /* a free one; set: its server, the receiver, waits for a call */
	struct reply *free_reply;     /* stack of free reply objects, through reply->next_free */
	struct thread *receiver;      /* waiting now, or the last that received: whom queued callers help */
	struct cpu *cpu;              /* where it is at home: that of its receiver. port_stale: NULL */
	bool busy;                    /* something was queued or signalled since deliver_next last found nothing */
	bool dead;
	uint8_t mode;                 /* enum tss_mode: the floor of all connections to it */
	uint32_t depth;
	uint32_t reserved, sharers;   /* places promised to connections; connections that share the others */
	uint64_t sequence;
	struct link callers;          /* struct thread.wait */
	struct link messages;         /* struct message.link: arrived */
	struct link free_messages;
	struct event *event;          /* bound, or NULL */
	struct memory *mailbox;       /* the queue is there: what follows counts, free_messages is empty. NULL: it is here */
	struct link held, spare;      /* struct message.link: entries that the owner has not given back, and the others */
	uint64_t posted, retired;     /* entries that were put in, and given back, since the mailbox was made */
};

struct reply {
	struct object object;
	struct port *port;
	struct thread *caller;   /* bound: who waits */
	struct thread *server;   /* bound, gone: who answers, NULL: ended, or it is in a message; port->fast: who receives */
	struct sched *sched;     /* runs through caller: if it runs at the reply, the way back is direct */
	struct sched *fault_sched; /* the same while caller->fault or caller->guard, when sched is NULL: the fast reply must not see it */
	struct reply *next_free;
	struct capability *cap;  /* its own capability */
	bool gone;               /* the caller gave up, the handle is still out */
	struct capability *away; /* handed on: the one that may answer instead of cap */
};

/*
 * The port a connection leads to when its server has ended and its client has not been told: nobody ever receives
 * there, so that the hot path finds out without looking.
 */
extern struct port port_stale;

struct connection {
	struct object object;
	struct port *fast;   /* port, if calls may be handed over without a further look (mode FAST), or &port_stale */
	struct port *port;   /* target, or &port_stale */
	struct port *target;
	uint64_t badge;
	uint64_t calls, sends, refused;
	uint8_t mode;    /* enum tss_mode, as it was set */
	uint32_t credit; /* places reserved; 0: shares */
	uint32_t queued; /* places in use */
	struct guard guard; /* what counts: the stricter of mode and the floor of target */
	uint64_t methods;   /* while it is not FAST: type n only if bit n is set; TSS_METHODS_ANY: any */
	uint64_t interval_us, burst, due_us; /* while PARANOID: token bucket; due_us: when it would be full again */
	uint64_t violations;
	uint64_t looked_at, looked; /* with so many memories the first `looked` slots of its client share none (mode.c) */
};

struct message { /* an asynchronous message in the port's queue */
	struct link link;
	uint64_t sequence, tag, badge;
	struct connection *sender; /* whose credit it uses; NULL: the kernel's, or the connection is gone */
	uint8_t mode; /* enum tss_mode, when it was accepted */
	uint64_t words[TSS_MESSAGE_WORDS];
	struct capability caps[TSS_MESSAGE_CAPS]; /* in the derivation lists like any other, but in no unit's space */
};
_Static_assert(sizeof(struct message) <= 576, "seven messages a page");

#define PORT_DEPTH_MAX 256u

/* Does the port's receiver wait in receive right now? */
ALWAYS_INLINE bool port_waiting(const struct port *port)
{
	const struct thread *receiver = port->receiver;
	return receiver && receiver->state == TSS_THREAD_RECEIVING && receiver->port == port;
}

/* Who would get a call at once; NULL: nobody. */
ALWAYS_INLINE struct thread *port_fast_receiver(const struct port *port)
{
	const struct reply *reply = __atomic_load_n(&port->fast, __ATOMIC_ACQUIRE);
	return reply ? reply->server : NULL;
}

/*
 * Is all that a delivery or an answer may touch at home on this CPU, so that its lock is enough? Always, if this CPU is
 * exclusive. Capabilities never are.
 */
bool port_at_home_now(const struct port *port);
ALWAYS_INLINE bool port_at_home(const struct port *port)
{
	return cpu_is_exclusive() || (port->cpu == cpu_this() && (!port->busy || port_at_home_now(port)));
}
bool connection_at_home(const struct connection *connection, uint64_t tag); /* for a message with that tag */
bool reply_at_home(const struct reply *reply);
void port_move(struct port *port, struct cpu *to); /* exclusive */

/*
 * When the unit that owns the port has ended calls that were received get PEER_RESTARTED; connections become stale; queued
 * callers wait until the port is up again, and those who have not been told get PEER_RESTARTED then.
 */
bool port_up(struct port *port, unsigned *left);            /* a slice; false: there is more to do */
bool port_die(struct port *port, unsigned *left);           /* everybody gets PEER_DEAD, now and later; a slice */
/* The stale connection that caller called port through and has not been told of; NULL: told, or it is gone. */
struct connection *caller_untold(const struct thread *caller, const struct port *port);
status_t connection_tell(struct connection *connection);    /* stale: its client is being told now, once */
void port_fast_update(struct port *port);                   /* find out anew whether calls can be handed over */
void port_fast_end(struct port *port);                      /* they cannot: the receiver will not wait, or not only for one */
void connection_lead(struct connection *connection, struct port *port); /* from now on there: target, or &port_stale */
void port_reply_freed(struct port *port);                   /* a reply object is free: update, serve who waited for it */
/*
 * To the receiver; false: nothing deliverable. Only so many callers are tried at once; if there may be more, one that waits is
 * woken with AGAIN.
 */
bool port_deliver_next(struct port *port);
void reply_moved(struct capability *cap);                   /* a capability to one is in another slot now */
void reply_free(struct reply *reply);                       /* spent: the handle is stale from now on */
/* Into the port's queue; SYSCALL_NO_RESULT, or DEPTH (argument 1). */
MUST_CHECK status_t call_queue(struct thread *self, struct connection *connection, uint64_t timeout);
void replies_cut(struct thread *thread);                    /* one less waits for what thread calls */
struct capability *reply_holder(const struct reply *reply); /* the capability that may answer; NULL: it is free */
/* The right to answer goes to slot, and the donation to server (NULL: it is on its way). reply_holder() is not NULL. */
void reply_hand_on(struct reply *reply, struct capability *slot, struct thread *server);
void reply_dropped(struct reply *reply);                    /* reply->away was deleted */
void reply_detach_caller(struct reply *reply);              /* its caller timed out or ended */
/* A message of the kernel's own into the queue; false if it is full or the port is dead. */
bool connection_post(struct connection *connection, uint64_t tag, const uint64_t *words);
bool connection_has_credit(const struct connection *sender); /* for one more message; NULL, the kernel, always has */
/* ---- mailbox.c, for ports that have one ---- */
struct mailbox_letter {
	struct connection *sender; /* whose credit it uses; NULL: the kernel's */
	uint64_t tag, badge;
	const uint64_t *words, *rest; /* those in registers, and a message that has the others behind its first four */
};
bool mailbox_put(struct port *port, const struct mailbox_letter *letter); /* false: there is no place for it */
MUST_CHECK status_t mailbox_send(struct thread *self, struct connection *connection);
void mailbox_end(struct port *port); /* the queue is the kernel's again, and empty; harmless if there is no mailbox */
/*
 * Take a free reply object of port for a call that server receives; there must be one. `sched` is a context whose
 * chain of calls passes through caller: if it still runs at the reply, the caller may be made current directly.
 */
struct reply *reply_bind(struct port *port, struct thread *caller, struct thread *server, struct sched *sched);
/* The same for the one that waits for it; there is one. */
ALWAYS_INLINE struct reply *reply_bind_fast(struct port *port, struct thread *caller, struct sched *sched)
{
	struct reply *reply = port->fast;
	port->fast = NULL;
	reply->caller = caller;
	reply->sched = sched;
	caller->reply = reply;
	return reply;
}
