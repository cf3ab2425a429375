/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_audit.c - the kernel's audit sees each defect of tests/audit/defects.c, and nothing once it is gone. Something of
 * everything is there for defects to be planted in: callers queued and received, a message, waits, a derived capability.
 */
#include "ktest.h"

#define DEFECTS 39

static void job_wait(struct worker *self)
{
	uint64_t bits = 0;
	self->status = tss_event_wait((cap_t)self->a, TSS_INFINITE, &bits);
}

static void job_receive_once(struct worker *self)
{
	struct tss_request request;
	self->status = receive((cap_t)self->a, &request, TSS_INFINITE);
	self->status = tss_self_sleep(self->b);
}

static void test_audit_finds_each_defect(void)
{
	cap_t queue = new_port(2), served = new_port(1);
	uint64_t words[4] = {0}, wrong = 0;
	(void)new_reply(served);
	(void)new_reply(served);
	(void)derive(new_memory(1), TSS_RIGHT_READ);
	CHECK_OK(tss_connection_send(new_connection(queue, 1), TSS_TAG(1, 8, 0), words));
	(void)work(HIGH, job_caller, new_connection(queue, 2), TSS_INFINITE);
	(void)work(HIGH, job_receive_once, served, 10 * SECOND);
	(void)work(HIGH, job_caller, new_connection(served, 3), TSS_INFINITE);
	(void)work(HIGH, job_wait, new_event(), 0);
	for (uint64_t defect = 1; defect <= DEFECTS; defect++) {
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, defect, &wrong) != TSS_OK || wrong != 1)
			CHECK(0, defect);
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, 0, &wrong));
		CHECK(wrong, 0);
	}
	CHECK(tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, DEFECTS + 1, &wrong), E(ARGUMENT, 3));
	CHECK(tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 1, 0, &wrong), E(ARGUMENT, 3));
}

const struct test audit_tests[] = {
	TEST(audit_finds_each_defect),
	{0},
};
