/* SPDX-License-Identifier: BSD-2-Clause */
/* faulting.c - what the tests of faults share: the record as it arrives, the registers in it, the end after it. */
#include "fault.h"

cap_t fault_answer;

void check_registers(const struct tss_fault_record *record, uint64_t in_rsi)
{
	static const uint64_t want[15] = {0,     0xb0,  0, 0xd0,  0,     0xf0,  0x100, 0x108,
					  0x109, 0x110, 0, 0x112, 0x113, 0x114, 0x100};
	for (unsigned i = 0; i < 15; i++)
		if (i != 0 && i != 2 && i != 10)
			CHECK(record->regs[i], i == 4 ? in_rsi : want[i]);
}

void job_fault(struct worker *self)
{
	((void (*)(uint64_t))self->a)(self->b);
}

struct tss_fault_record fault_record(cap_t port, uint64_t badge, bool called)
{
	struct tss_request request = {0};
	struct tss_fault_record record = {0};
	CHECK_OK(receive(port, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_FAULT, sizeof(record), 0));
	CHECK(request.badge, badge);
	CHECK(request.reply != TSS_CAP_NULL, called);
	memcpy(&record, tss_ipc()->recv, sizeof(record));
	memcpy(&record, request.words, sizeof(request.words));
	fault_answer = request.reply;
	return record;
}

void unit_ended(cap_t watch, unsigned kind)
{
	struct tss_request request;
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.words[0], 0x100 | kind);
	CHECK(receive(watch, &request, 0), E(TIMEOUT, 0));
}
