/* SPDX-License-Identifier: BSD-2-Clause */
/* reincarnation.h - what is known of each instance, and what the supervisor's files do for each other. */
#pragma once
#include <tessera/supervision.h>
#include <tessera/table.h>
#include <tessera/tessera.h>
#include "slots.h"

#define ENDS_MAX 16u /* the generator allows no larger `max` */
#define NEVER TSS_INFINITE /* a time that does not come */

enum state { STATE_RUNNING, STATE_WAITING, STATE_DEAD }; /* on the wire of interfaces/supervision.yaml, too */

struct instance {
	const struct tss_supervision_row *row;
	enum state state;
	uint64_t ends[ENDS_MAX]; /* when it ended, as far as that counts: oldest first */
	unsigned end_count;
	uint64_t backoff_us; /* the last wait before a restart */
	uint64_t restart_at; /* STATE_WAITING: when; else NEVER */
	uint64_t silent_at; /* without a heartbeat until then it counts as hung; NEVER: none is wanted */
	uint64_t beats_since;
	unsigned beats; /* since beats_since; too many are babble */
};

struct supervisor {
	struct instance instances[TSS_SUPERVISED_MAX];
	unsigned count;
	const struct tss_supervision_administrator *administrators;
	unsigned administrator_count;
	const struct tss_supervision_control *controls;
	unsigned control_count;
	const struct tss_image_section *sections;
	unsigned section_count;
	bool reconcile; /* a message may have been lost: look at all units as soon as the queue is empty */
};

/* table.c: false if the table is not as supervision.h says. */
bool table_take(struct supervisor *s);

/* image.c: what of the instance's image is damaged, for people; NULL: nothing, or it is not looked at. */
void image_remember(const struct supervisor *s);
const char *image_damaged(const struct supervisor *s, const struct instance *i);

/* units.c: what the kernel says of units; only those that init made count, whatever others call theirs. */
enum unit_state { UNIT_BUILDING, UNIT_RUNNING, UNIT_ENDED, UNIT_DEAD, UNIT_UNKNOWN };
enum unit_state unit_state(const struct instance *i, uint64_t *restarts);
tss_status_t unit_end(const struct instance *i, bool for_good);
tss_status_t unit_begin(const struct instance *i);

/* policy.c: what happens when. `now` is the clock. */
void policy_start(struct supervisor *s, uint64_t now);
void policy_ended(struct supervisor *s, struct instance *i, bool failed, uint64_t now);
void policy_reconcile(struct supervisor *s, uint64_t now);
void policy_heartbeat(struct supervisor *s, struct instance *i, uint64_t now);
void policy_restart(struct supervisor *s, struct instance *i, uint64_t now);
void policy_due(struct supervisor *s, uint64_t now); /* restarts whose time has come, hearts that stopped */
uint64_t policy_next(const struct supervisor *s); /* when policy_due has something to do */

/* admin.c */
tss_status_t admin_request(struct supervisor *s, struct tss_request *request);

/* reincarnation.c: a line for people; never waits. */
uint64_t clock_now_us(void);
