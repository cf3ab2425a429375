/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strace.c - is asked about each call (tss_serve's `fault`, since the kernel asks as it tells of faults), prints it, has it
 * carried out and told, and prints the result. One line each; the thread that called waits meanwhile.
 */
#include <interfaces/log.h>
#include <interfaces/monitor.h>
#include <tessera/tessera.h>
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static struct {
	uint64_t asked, refused, told;
} counts;

static const struct row {
	const char *name;
	unsigned arguments;
	bool message;
} rows[TSS_SYSCALL_COUNT] = {
#define FORM_VALUE false
#define FORM_MESSAGE true
#define SYSCALL(number, object, type, verb, right, argc, form, text)                                                   \
	[(number)-TSS_SYSCALL_FIRST] = {#object "_" #verb, argc, FORM_##form},
#include <abi/syscalls.def>
#undef SYSCALL
};

/* "1, 0x2a, 3": what the call was given; of a message its type and length instead of the tag. */
static void arguments_text(const struct tss_fault_record *record, const struct row *row, char *to, size_t size)
{
	static const uint8_t where[] = {5, 4, 3, 9, 7, 8}; /* rdi rsi rdx r10 r8 r9 in regs[] */
	size_t at = 0;
	unsigned count = row->message ? 1 : row->arguments;
	to[0] = 0;
	for (unsigned i = 0; i < count && i < sizeof(where) && at < size; i++)
		at += (size_t)snprintf(to + at, size - at, "%s%#lx", i ? ", " : "", record->regs[where[i]]);
	if (row->message && row->arguments > 0 && at < size)
		snprintf(to + at, size - at, ", type %u, %u bytes", TSS_TAG_TYPE(record->regs[4]),
			 TSS_TAG_LENGTH(record->regs[4]));
}

static void print_result(const struct tss_fault_record *record, const char *name)
{
	tss_status_t status = record->regs[0];
	counts.told++;
	if (status == TSS_OK)
		printf("%.16s %s = OK, %#lx\n", (const char *)record->unit, name, record->regs[3]);
	else
		printf("%.16s %s = %s (%u)\n", (const char *)record->unit, name, tss_error_name(status),
		       TSS_ARGUMENT(status));
}

static void on_asked(void *state, struct tss_request *request)
{
	struct tss_fault_record record;
	char text[120];
	(void)state;
	if (request->words[0] != TSS_FAULT_INTERPOSED)
		return; /* a fault is nothing for it: gives up */
	memcpy(&record, tss_ipc()->recv, sizeof(record));
	memcpy(&record, request->words, sizeof(request->words));
	const struct row *row = &rows[record.address - TSS_SYSCALL_FIRST];
	request->tag = TSS_TAG(TSS_CALL_ALLOW, 0, 0);
	if (record.code != 0)
		return print_result(&record, row->name);
	counts.asked++;
	arguments_text(&record, row, text, sizeof(text));
	bool refused = strcmp(row->name, PARAMETERS->refuse) == 0;
	printf("%lu %.16s %s(%s)%s\n", counts.asked, (const char *)record.unit, row->name, text,
	       refused ? " refused" : "");
	if (!refused) {
		request->tag = TSS_TAG(TSS_CALL_TELL, 0, 0);
		return;
	}
	counts.refused++;
	request->tag = TSS_TAG(TSS_CALL_RESULT, 16, 0);
	request->words[0] = TSS_STATUS(TSS_E_CANCELLED, 0);
	request->words[1] = 0;
}

static tss_status_t on_counts(void *state, struct tss_request *request, uint64_t *asked, uint64_t *refused,
			      uint64_t *told)
{
	(void)state, (void)request;
	*asked = counts.asked;
	*refused = counts.refused;
	*told = counts.told;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct monitor_operations operations = {.counts = on_counts};
	return monitor_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .fault = on_asked};
	return (int)tss_serve(SLOT_PORT_MONITOR, &server, NULL);
}
