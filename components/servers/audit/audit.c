/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.c - record by record: hash, write out, and only then acknowledge. The kernel keeps the head of the chain, so
 * nothing here outlives a restart.
 */
#include <abi/audit.h>
#include <abi/hash.h>
#include <interfaces/log.h>
#include <tessera/tessera.h>
#include "slots.h"

#define RETRY_US 100000u

struct auditor {
	uint8_t head[TSS_HASH_SIZE];
	uint64_t written; /* number of the last record whose line was taken; 0: the kernel knows better */
};

static size_t put_hex(char *to, const void *from, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		to[2 * i] = digits[((const uint8_t *)from)[i] >> 4];
		to[2 * i + 1] = digits[((const uint8_t *)from)[i] & 15];
	}
	return 2 * size;
}

/* Until it is taken: a record that is not written out must not be acknowledged. */
static void write_out(const char *line, size_t size)
{
	while (log_write(SLOT_OUT, line, size, TSS_INFINITE) != TSS_OK) {
		tss_heartbeat();
		(void)tss_self_sleep(RETRY_US);
	}
}

static void on_record(struct auditor *a, const struct tss_audit_record *record)
{
	char line[LOG_WRITE_TEXT_MAX] = "record ";
	struct tss_hash hash;
	size_t size = strlen(line);
	tss_hash_start(&hash);
	tss_hash_add(&hash, a->head, sizeof(a->head));
	tss_hash_add(&hash, record, sizeof(*record));
	tss_hash_finish(&hash, a->head);
	size += put_hex(line + size, record, sizeof(*record));
	line[size++] = ' ';
	size += put_hex(line + size, a->head, sizeof(a->head));
	line[size++] = '\n';
	write_out(line, size);
	a->written = record->number;
}

/* Acknowledges what has been written, with the head; what comes next, and how many. */
static tss_status_t next_batch(struct auditor *a, struct tss_audit_batch *batch, uint64_t *count)
{
	memcpy(tss_ipc()->send, a->head, sizeof(a->head));
	tss_status_t status = tss_system_audit(TSS_SLOT_SYSTEM, SLOT_EVENT_RECORDS, a->written, count);
	memcpy(batch, tss_ipc()->recv, sizeof(*batch));
	return status;
}

int main(void)
{
	static struct auditor auditor;
	struct tss_audit_batch batch;
	uint64_t count = 0, bits;
	tss_status_t status = next_batch(&auditor, &batch, &count);
	memcpy(auditor.head, batch.head, sizeof(auditor.head));
	for (; status == TSS_OK; status = next_batch(&auditor, &batch, &count)) {
		for (uint64_t i = 0; i < count; i++)
			on_record(&auditor, &batch.records[i]);
		tss_heartbeat();
		if (count == 0)
			(void)tss_event_wait(SLOT_EVENT_RECORDS, tss_heartbeat_timeout(), &bits);
	}
	return 1;
}
