/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_store.c - places for pages, in the heap. The page arrives as a capability, is mapped at a window, copied, and the
 * capability is gone again before the reply. A place that was never filled is not read.
 */
#include <tessera/table.h>
#include <interfaces/store.h>
#include <tessera/tessera.h>
#include "slots.h"

#define WINDOW 0x0000006000000000ull
#define PLACES_MAX 16384u
#define SLOT_ARRIVAL SLOTS_END

static bool filled[PLACES_MAX];

static uint64_t places(void)
{
	uint64_t count = (uint32_t)tss_argument / TSS_PAGE_SIZE;
	return count < PLACES_MAX ? count : PLACES_MAX;
}

static uint8_t *place_at(uint64_t place)
{
	return (uint8_t *)TSS_LAYOUT_HEAP + place * TSS_PAGE_SIZE;
}

static tss_status_t on_places(void *state, struct tss_request *request, uint64_t *count)
{
	(void)state, (void)request;
	*count = places();
	return TSS_OK;
}

/* From `from` to `to`, one of which is WINDOW, where the page is mapped meanwhile. */
static tss_status_t copy(cap_t page, uint64_t protection, void *to, const void *from)
{
	tss_status_t status = tss_unit_map(TSS_SLOT_UNIT, page, WINDOW, protection);
	if (status == TSS_OK)
		memcpy(to, from, TSS_PAGE_SIZE);
	return status == TSS_OK ? TSS_OK : STORE_ERROR_FAILED;
}

static tss_status_t on_put(void *state, struct tss_request *request, uint64_t place, cap_t page)
{
	(void)state, (void)request;
	tss_status_t status = STORE_ERROR_PLACE;
	if (place < places()) {
		status = copy(page, TSS_RIGHT_READ, place_at(place), (const void *)WINDOW);
		filled[place] |= status == TSS_OK;
	}
	(void)tss_capability_delete(page);
	return status;
}

static tss_status_t on_get(void *state, struct tss_request *request, uint64_t place, cap_t page)
{
	(void)state, (void)request;
	tss_status_t status = place < places() ? STORE_ERROR_EMPTY : STORE_ERROR_PLACE;
	if (place < places() && filled[place])
		status = copy(page, TSS_RIGHT_READ | TSS_RIGHT_WRITE, (void *)WINDOW, place_at(place));
	(void)tss_capability_delete(page);
	return status;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct store_operations operations = {.places = on_places, .put = on_put, .get = on_get};
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	return store_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	tss_ipc()->recv_slots[0] = SLOT_ARRIVAL;
	return (int)tss_serve(SLOT_PORT_STORE, &server, NULL);
}
