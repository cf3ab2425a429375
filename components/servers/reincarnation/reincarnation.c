/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reincarnation.c - the supervisor: one port, one loop, no waiting for anybody but `power` when the machine is reset.
 *
 * It holds INSTALL on each unit that it may end and rebuild, and nothing of what is in them. Its own state is worth
 * nothing after an end: started again it looks at what the kernel says of the units and goes on from there; only how
 * often they ended before is forgotten. init guards it.
 *
 * A message is what its badge and its type say together (supervision.h). Anything else is refused.
 */
#include <tessera/table.h>
#include <interfaces/log.h>
#include "reincarnation.h"

#define ERRORS_MAX 64u /* failed receives in a row: then the port is gone for good */

enum { EXIT_TABLE = 1, EXIT_PORT = 2 };

TSS_OUTPUT_SENT_TO_LOG(SLOT_LOG)

uint64_t clock_now_us(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	return now;
}

static struct instance *instance_of(struct supervisor *s, uint64_t badge, uint64_t base)
{
	return badge >= base && badge - base < s->count ? &s->instances[badge - base] : NULL;
}

static void on_fault(const struct instance *i, const uint64_t words[TSS_MESSAGE_REGISTERS])
{
	const char *name = (const char *)i->row->name;
	printf("unit %.16s: fault %s at %#lx ip %.16s+%#lx\n", name, tss_fault_name((unsigned)words[0]), words[1], name,
	       (uint64_t)(words[2] % TSS_LAYOUT_MOVED - TSS_LAYOUT_IMAGE));
}

static void on_kernel(struct supervisor *s, const struct tss_request *request)
{
	struct instance *i = instance_of(s, request->badge, TSS_BADGE_SUPERVISE);
	if (i != NULL && TSS_TAG_TYPE(request->tag) == TSS_MSG_FAULT) {
		on_fault(i, request->words);
	} else if (i != NULL && TSS_TAG_TYPE(request->tag) == TSS_MSG_ENDED) {
		printf("unit %.16s: ended with code %lu\n", (const char *)i->row->name, request->words[0]);
		policy_ended(s, i, request->words[0] != 0, clock_now_us());
	}
}

/* Leaves the reply, if there is one to be sent, in `request`. */
static void on_message(struct supervisor *s, struct tss_request *request)
{
	struct instance *beating = instance_of(s, request->badge, TSS_BADGE_HEARTBEAT);
	if (TSS_TAG_TYPE(request->tag) >= TSS_TYPE_KERNEL)
		on_kernel(s, request);
	else if (beating != NULL && request->reply == TSS_CAP_NULL && TSS_TAG_TYPE(request->tag) == TSS_MSG_HEARTBEAT)
		policy_heartbeat(s, beating, clock_now_us());
	else if (request->badge < TSS_BADGE_SUPERVISE)
		(void)admin_request(s, request);
	else
		(void)tss_refuse(request, TSS_REPLY_METHOD);
}

static uint64_t longest_wait(const struct supervisor *s)
{
	uint64_t now = clock_now_us(), next = policy_next(s), wait = tss_heartbeat_timeout();
	if (s->reconcile)
		return 0;
	if (next != NEVER && (next <= now || next - now < wait))
		wait = next <= now ? 0 : next - now;
	return wait < TSS_TIMEOUT_MAX ? wait : TSS_INFINITE;
}

/* What a call is answered with lies where other messages are made: it goes out before any work that makes some. */
static void work(struct supervisor *s, struct tss_request *request)
{
	uint64_t now = clock_now_us();
	if (!s->reconcile && policy_next(s) > now)
		return;
	if (request->reply != TSS_CAP_NULL) {
		tss_status_t status = tss_reply_send(request->reply, request->tag, request->words);
		if (status != TSS_OK)
			tss_serve_reply_failed(status, request->reply);
		request->reply = TSS_CAP_NULL;
	}
	policy_due(s, now);
}

static tss_status_t serve(struct supervisor *s)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned errors = 0; errors < ERRORS_MAX;) {
		work(s, &request);
		tss_heartbeat();
		cap_t replied = request.reply;
		tss_status_t status = tss_port_reply_receive(SLOT_PORT_SUPERVISION, &request, longest_wait(s));
		if (status == TSS_OK) {
			errors = 0;
			on_message(s, &request);
			continue;
		}
		bool late = TSS_CODE(status) == TSS_E_TIMEOUT || status == TSS_RECEIVE_AGAIN;
		errors = late || replied != TSS_CAP_NULL ? 0 : errors + 1;
		if (replied != TSS_CAP_NULL && !late)
			tss_serve_reply_failed(status, replied);
		request = (struct tss_request){.reply = TSS_CAP_NULL};
		if (late && s->reconcile) {
			s->reconcile = false;
			policy_reconcile(s, clock_now_us());
		}
	}
	return TSS_E_CAPABILITY;
}

int main(void)
{
	static struct supervisor supervisor;
	if (!table_take(&supervisor))
		return EXIT_TABLE;
	policy_start(&supervisor, clock_now_us());
	return serve(&supervisor) == TSS_OK ? 0 : EXIT_PORT;
}
