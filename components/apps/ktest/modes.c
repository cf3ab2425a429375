/* SPDX-License-Identifier: BSD-2-Clause */
/* modes.c - a port, a connection with declarations and a mode, and the record of what is PARANOID. */
#include "modes.h"

cap_t mode_port, mode_connection, mode_reader;
uint64_t mode_acknowledged;

static const uint64_t none[4];

const struct tss_inspect_connection *inspected(cap_t cap)
{
	const struct tss_inspect_connection *record = (const struct tss_inspect_connection *)tss_ipc()->recv;
	uint64_t id = object_id(cap), next = 0;
	do
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_CONNECTION, next, 0, &next));
	while (next && record->id != id);
	CHECK(record->id, id);
	return record;
}

struct tss_audit_record record_next(void)
{
	const struct tss_audit_batch *batch = (const struct tss_audit_batch *)tss_ipc()->recv;
	uint64_t count = 0;
	CHECK_OK(tss_system_audit(SYSTEM, mode_reader, mode_acknowledged, &count));
	if (count == 0)
		return (struct tss_audit_record){0};
	mode_acknowledged = batch->records[0].number;
	return batch->records[0];
}

void check_record(enum tss_audit_what what, uint64_t tag)
{
	uint64_t before = mode_acknowledged;
	struct tss_audit_record record = record_next();
	CHECK(record.what, what);
	CHECK(record.tag, tag);
	CHECK(record.number, before + 1);
	CHECK(record.connection, object_id(mode_connection));
	CHECK_TRUE(strcmp((const char *)record.server, "ktest") == 0);
}

void records_skip(void)
{
	while (record_next().number)
		;
}

void prepare(uint64_t methods, uint64_t interval_us, uint64_t burst, uint64_t shares)
{
	mode_port = new_port(8);
	(void)new_reply(mode_port);
	mode_connection = new_connection(mode_port, 0x77);
	mode_reader = new_event();
	records_skip();
	CHECK_OK(tss_connection_declare(mode_connection, methods, interval_us, burst, shares));
}

void prepare_as(unsigned mode, uint64_t methods)
{
	prepare(methods, 0, 0, 0);
	CHECK_OK(tss_capability_set_mode(mode_connection, mode));
	if (mode == PARANOID)
		check_record(TSS_AUDIT_MODE, FAST);
}

tss_status_t call(cap_t cap, uint32_t type)
{
	tss_tag_t tag = TSS_TAG(type, 32, 0);
	uint64_t words[4] = {1, 2, 3, 4};
	return tss_connection_call(cap, &tag, words, SECOND);
}

tss_status_t post(cap_t cap, uint32_t type)
{
	return tss_connection_send(cap, TSS_TAG(type, 0, 0), none);
}
