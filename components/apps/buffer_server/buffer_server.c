/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_server.c - clients' memory, mapped for the time of a request, read once and in pieces. */
#include <interfaces/digest.h>
#include <tessera/tessera.h>
#include "slots.h"

#define WINDOW ((void *)0x0000006000000000ull)
#define PIECE 1024u
#define STACK_SIZE 2048u
#define SLOT_ARRIVALS SLOTS_END /* and two more */
#define PATIENCE_US 10000000u

static uint8_t piece[PIECE], fault_stack[STACK_SIZE] __attribute__((aligned(16)));
static uint64_t served, watched_sum;
static tss_status_t watched = DIGEST_ERROR_NONE;

static tss_status_t error_of(tss_status_t status)
{
	switch (TSS_CODE(status)) {
	case TSS_E_OK:
		return TSS_OK;
	case TSS_E_ARGUMENT:
		return DIGEST_ERROR_RANGE;
	case TSS_E_RIGHTS:
		return DIGEST_ERROR_RIGHT;
	case TSS_E_CAPABILITY:
	case TSS_E_AGAIN:
	case TSS_E_GONE:
		return DIGEST_ERROR_GONE;
	default:
		return DIGEST_ERROR_FAILED;
	}
}

static uint64_t length_at(uint64_t at, uint64_t end)
{
	return end - at < PIECE ? end - at : PIECE;
}

static tss_status_t add(const struct tss_view *view, uint64_t from, uint64_t end, uint64_t *sum)
{
	tss_status_t status = TSS_OK;
	for (uint64_t at = from; at < end && status == TSS_OK; at += PIECE) {
		uint64_t length = length_at(at, end);
		status = tss_view_read(view, at, piece, length);
		for (uint64_t i = 0; i < length && status == TSS_OK; i++)
			*sum += piece[i];
	}
	return status;
}

static tss_status_t on_sum(void *state, struct tss_request *request, const struct tss_buffer *data, uint64_t *sum)
{
	(void)state, (void)request;
	struct tss_view view;
	tss_status_t status = tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ, &view);
	if (status == TSS_OK)
		status = add(&view, 0, view.size, sum);
	tss_buffer_unmap(&view);
	tss_buffer_drop(data);
	return error_of(status);
}

static tss_status_t invert(const struct tss_view *view, uint64_t at)
{
	uint64_t length = length_at(at, view->size);
	tss_status_t status = tss_view_read(view, at, piece, length);
	if (status != TSS_OK)
		return status;
	for (uint64_t i = 0; i < length; i++)
		piece[i] = (uint8_t)~piece[i];
	return tss_view_write(view, at, piece, length);
}

static tss_status_t on_invert(void *state, struct tss_request *request, const struct tss_buffer *data)
{
	(void)state, (void)request;
	struct tss_view view;
	tss_status_t status = tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ | TSS_RIGHT_WRITE, &view);
	for (uint64_t at = 0; status == TSS_OK && at < view.size; at += PIECE)
		status = invert(&view, at);
	tss_buffer_unmap(&view);
	tss_buffer_drop(data);
	return error_of(status);
}

static tss_status_t on_deface(void *state, struct tss_request *request, const struct tss_buffer *data, uint32_t *mapped,
			      uint32_t *written)
{
	(void)state, (void)request;
	struct tss_view view;
	*mapped = TSS_CODE(tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ | TSS_RIGHT_WRITE, &view));
	tss_buffer_unmap(&view);
	tss_status_t status = tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ, &view);
	if (status == TSS_OK)
		*written = TSS_CODE(tss_view_write(&view, 0, piece, 1));
	tss_buffer_unmap(&view);
	tss_buffer_drop(data);
	return error_of(status);
}

static void meet(cap_t ready, cap_t go)
{
	uint64_t bits;
	(void)tss_event_signal(ready, 1);
	(void)tss_event_wait(go, PATIENCE_US, &bits);
}

/* The first half is read before the client does what it does WHILE_READING. */
static tss_status_t on_watch(void *state, struct tss_request *request, const struct tss_buffer *data,
			     enum digest_moment moment, cap_t ready, cap_t go)
{
	(void)state, (void)request;
	struct tss_view view;
	watched_sum = 0;
	if (moment == DIGEST_MOMENT_BEFORE_MAP)
		meet(ready, go);
	tss_status_t status = tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ, &view);
	if (status == TSS_OK)
		status = add(&view, 0, view.size / 2, &watched_sum);
	if (moment == DIGEST_MOMENT_WHILE_READING)
		meet(ready, go);
	if (status == TSS_OK)
		status = add(&view, view.size / 2, view.size, &watched_sum);
	tss_buffer_unmap(&view);
	tss_buffer_drop(data);
	(void)tss_capability_delete(ready);
	(void)tss_capability_delete(go);
	watched = error_of(status);
	return TSS_OK;
}

static tss_status_t on_outcome(void *state, struct tss_request *request, uint64_t *sum)
{
	(void)state, (void)request;
	*sum = watched_sum;
	return watched;
}

static tss_status_t on_served(void *state, struct tss_request *request, uint64_t *count)
{
	(void)state, (void)request;
	*count = served;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct digest_operations operations = {.sum = on_sum,
							    .invert = on_invert,
							    .deface = on_deface,
							    .watch = on_watch,
							    .outcome = on_outcome,
							    .served = on_served};
	tss_status_t status = digest_dispatch(&operations, state, request);
	served++;
	return status;
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	for (uint32_t i = 0; i < 3; i++)
		tss_ipc()->recv_slots[i] = SLOT_ARRIVALS + i;
	if (tss_on_fault(TSS_VIEW_FAULTS, tss_view_fault, &fault_stack[STACK_SIZE]) != TSS_OK)
		return 1;
	return (int)tss_serve(SLOT_PORT_DIGEST, &server, NULL);
}
