/* SPDX-License-Identifier: BSD-2-Clause */
/* channel.h - records in order, bounded in bytes (abi/channel.h). All its calls are exclusive. */
#pragma once
#include <abi/channel.h>
#include <object.h>

struct channel {
	struct object object;
	uint64_t *ring;          /* a frame of the payer's */
	uint64_t words;          /* of it that are used: the bound */
	uint64_t first, used;    /* words; a record is its length in bytes, then its words */
	bool ended;
	struct link senders, receivers; /* struct thread.wait: the most urgent first. Not both wait */
};

/* Those that unit has paid for take no more records, and who waits is told; or (end false) begin anew, empty. */
void channels_turn(const struct unit *unit, bool end);
