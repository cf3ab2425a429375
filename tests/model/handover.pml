/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover.pml - the kernel's lock protocol on two CPUs (kernel/doc/adr/0004-several-cpus.md), for SPIN: calls handed
 * over or queued, answers, timeouts, a server that is moved, killed or whose port is revoked, all at any moment.
 *
 * CLIENT calls, SERVER answers and receives, MANAGER does the rest to them, pinned to CPU 1. A CPU is in its unit, idle,
 * or in the kernel behind its lock; who is not at home takes all locks and starts anew. What must hold:
 *   one      whoever changes a thread or the port has its home's lock, and nobody else is in the kernel if one is exclusive
 *   gone     no CPU goes back to a thread that is dead, at home elsewhere, or waiting
 *   once     a call that was made is carried out once: not skipped when its thread is moved, not done again
 *   answer   a caller that goes on has one result for each call; a reply is bound to a thread that calls
 *   forward  nothing stands still for ever (no invalid end state)
 * NO_REWIND plants the defect that a pending call is lost when its thread is moved, NO_LOOK that a call does not look
 * whether the server is at home: the test sees SPIN find both.
 */
#define NONE 9
#define CLIENT 0
#define SERVER 1
#define MANAGER 2
mtype = {READY, CALLING, RECEIVING, DEAD}

mtype state[3] = READY;
byte home[3];           /* CPU */
bool issued[3];         /* made, and not yet carried out */
byte owed;              /* calls of the client carried out less results it has got */
bool bound;             /* the reply object is bound to the client */
bool queued;            /* the client waits in the port's queue */
bool revoked;           /* the port is gone */

bool lock[2], parked[2], pending[2], need[2], exclusive[2];
byte current[2] = NONE; /* thread */
byte asked[2] = NONE;   /* let go of that thread */
bool turn;

#define both_home(me) (home[CLIENT] == me && home[SERVER] == me)
#ifdef NO_LOOK
#define at_home(me) true
#else
#define at_home(me) (exclusive[me] || both_home(me))
#endif
#define checked(me) assert(lock[me] && !exclusive[1 - me] && (exclusive[me] || both_home(me)))

/* What a parked CPU does for the exclusive one. */
inline serve(me) {
	atomic {
		if
		:: asked[me] != NONE && current[me] == asked[me] ->
#ifndef NO_REWIND
			if
			:: pending[me] -> issued[current[me]] = false /* rip goes back: it makes the call again */
			:: else
			fi;
#endif
			current[me] = NONE;
			need[me] = true;
			asked[me] = NONE
		:: asked[me] != NONE && current[me] != asked[me] -> asked[me] = NONE
		:: else
		fi
	}
}

/* Any way into the kernel. */
inline enter(me) {
	parked[me] = true;
	do
	:: atomic { !lock[me] -> lock[me] = true; parked[me] = false }; break
	:: asked[me] != NONE -> serve(me)
	od;
	pending[me] = false
}

inline all_locks(me) {
	if
	:: exclusive[me]
	:: else ->
		atomic { parked[me] = true; lock[me] = false };
		do
		:: atomic { !turn -> turn = true }; break
		:: asked[me] != NONE -> serve(me)
		od;
		atomic { !lock[0] -> lock[0] = true };
		atomic { !lock[1] -> lock[1] = true };
		parked[me] = false;
		exclusive[me] = true
	fi
}

/* Kicked out of its unit if it is there, the other CPU lets go of the thread. */
inline let_go(me, thread) {
	if
	:: current[home[thread]] == thread && home[thread] != me ->
		asked[1 - me] = thread;
		asked[1 - me] == NONE
	:: current[me] == thread && home[thread] == me -> current[me] = NONE; need[me] = true
	:: else
	fi
}

inline wake(thread) {
	state[thread] = READY;
	need[home[thread]] = true
}

inline client_result() {
	assert(owed == 1);
	owed = 0;
	wake(CLIENT)
}

inline deliver() { /* the server waits, the client is queued */
	if
	:: queued && state[SERVER] == RECEIVING && !bound && !revoked -> queued = false; bound = true; wake(SERVER)
	:: else
	fi
}

inline do_call(me) {
	checked(me);
	atomic {
		issued[CLIENT] = false;
		owed++;
		assert(owed == 1 && !bound && !queued);
		if
		:: revoked || state[SERVER] == DEAD -> owed = 0 /* an error is a result, too */
		:: else ->
			state[CLIENT] = CALLING;
			queued = true;
			if
			:: state[SERVER] == RECEIVING && home[SERVER] == me -> /* hand over: no scheduler */
				queued = false; bound = true; state[SERVER] = READY; current[me] = SERVER
			:: else -> need[me] = true; deliver()
			fi
		fi
	}
}

inline do_reply_receive(me) {
	checked(me);
	atomic {
		issued[SERVER] = false;
		if
		:: bound -> assert(state[CLIENT] == CALLING); bound = false; client_result()
		:: else
		fi;
		if
		:: revoked
		:: else -> state[SERVER] = RECEIVING; need[me] = true; deliver()
		fi
	}
}

inline do_timeout(me) { /* of the client, in its own CPU's timer interrupt */
	if
	:: state[CLIENT] == CALLING && home[CLIENT] == me ->
		if
		:: !at_home(me) -> all_locks(me)
		:: else
		fi;
		if
		:: state[CLIENT] == CALLING && home[CLIENT] == me -> /* unless it has ended meanwhile */
			checked(me);
			atomic { bound = false; queued = false; client_result() }
		:: else
		fi
	:: else
	fi
}

inline do_manage(me) {
	all_locks(me);
	issued[MANAGER] = false;
	if
	:: state[SERVER] != DEAD -> /* move the server */
		let_go(me, SERVER);
		atomic { home[SERVER] = 1 - home[SERVER]; need[0] = true; need[1] = true }
	:: let_go(me, CLIENT); /* move the client */
		atomic { home[CLIENT] = 1 - home[CLIENT]; need[0] = true; need[1] = true }
	:: state[SERVER] != DEAD -> /* kill the server: who it owes an answer hears so */
		let_go(me, SERVER);
		atomic {
			state[SERVER] = DEAD;
			if
			:: bound || queued -> bound = false; queued = false; client_result()
			:: else
			fi
		}
	:: !revoked -> /* revoke the port */
		atomic {
			revoked = true;
			if
			:: bound || queued -> bound = false; queued = false; client_result()
			:: else
			fi;
			if
			:: state[SERVER] == RECEIVING -> wake(SERVER)
			:: else
			fi
		}
	:: true
	fi
}

inline schedule(me) {
	atomic {
		need[me] = false;
		current[me] = NONE;
		if
		:: state[CLIENT] == READY && home[CLIENT] == me -> current[me] = CLIENT
		:: state[SERVER] == READY && home[SERVER] == me -> current[me] = SERVER
		:: me == 1 -> current[me] = MANAGER
		:: else
		fi
	}
}

inline leave(me) {
	if
	:: exclusive[me] -> atomic { exclusive[me] = false; lock[1 - me] = false }; turn = false
	:: else
	fi;
	if
	:: need[me] -> schedule(me)
	:: else
	fi;
	atomic { /* nothing lies between the last look and the way out but what needs the lock */
		if
		:: current[me] != NONE ->
			assert(state[current[me]] == READY && home[current[me]] == me);
			assert(!issued[current[me]]);
			assert(current[me] != CLIENT || owed == 0)
		:: else
		fi;
		assert(!bound || state[CLIENT] == CALLING);
		lock[me] = false
	}
}

proctype Cpu(byte me)
{
	byte self;
end:	do
	:: asked[me] != NONE || need[me] -> /* an interrupt from the other CPU */
		enter(me);
		leave(me)
	:: state[CLIENT] == CALLING && home[CLIENT] == me -> /* the timer */
		enter(me);
		do_timeout(me);
		leave(me)
	:: current[me] != NONE && asked[me] == NONE -> /* a system call */
		atomic {
			if
			:: current[me] != NONE && asked[me] == NONE ->
				self = current[me];
				issued[self] = true;
				pending[me] = true
			:: else -> self = NONE
			fi
		};
		if
		:: self != NONE ->
			enter(me);
again:			if
			:: current[me] != self || need[me] -> /* gone, or to be scheduled first: it makes the call again */
				if
				:: current[me] == self -> issued[self] = false
				:: else
				fi
			:: else ->
				if
				:: self == MANAGER ->
					if
					:: !exclusive[me] -> pending[me] = true; all_locks(me); pending[me] = false; goto again
					:: else -> do_manage(me)
					fi
				:: self != MANAGER && !at_home(me) ->
					pending[me] = true; all_locks(me); pending[me] = false; goto again
				:: self == CLIENT && at_home(me) -> do_call(me)
				:: self == SERVER && at_home(me) -> do_reply_receive(me)
				fi
			fi;
			leave(me)
		:: else
		fi
	od
}

init {
	atomic {
		need[0] = true;
		need[1] = true;
		if
		:: home[SERVER] = 0
		:: home[SERVER] = 1
		fi;
		home[CLIENT] = 0;
		home[MANAGER] = 1;
		run Cpu(0);
		run Cpu(1)
	}
}
