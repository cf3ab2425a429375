/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.h - memory that a client shares with a server for a request: arguments of the type `buffer`
 * (components/interfaces/README.md).
 *
 *   client   struct tss_buffer data = {memory, offset, size};  status = digest_sum(SLOT_DIGEST, &data, &sum, timeout);
 *   server   tss_buffer_map(TSS_SLOT_UNIT, data, WINDOW, TSS_RIGHT_READ, &view);  tss_view_read(&view, 0, own, size);
 *            tss_buffer_unmap(&view);  tss_buffer_drop(data);
 *
 * The client chooses what it shares: a memory capability with GRANT and the rights that the method says. It should have
 * no others: a client that wants to keep its memory from being written derives one with READ and GRANT, and revokes that
 * one when the request is over, if it does not trust the server to drop it. Until then the server may keep it.
 *
 * The server trusts nothing. Before an operation is called, type and rights of the capability have been checked, and that
 * size and offset are in range; whether they lie inside the memory, tss_buffer_map finds out. Shared contents are an
 * allegation: the client may change them at any time, so read each byte once, into memory of your own, and check that. Whole
 * pages are mapped, so beside the bytes meant a server can reach the rest of the last page: the client shares that too.
 *
 * The client may also revoke the memory, or end, at any time: the pages are then gone, and touching one is a fault. The
 * two functions that copy survive that, if the thread has tss_view_fault as its handler (tss_on_fault); whoever reads the
 * pages by himself does not, unless he has a handler that knows better. A unit with `exceptions: false` can have none.
 */
#pragma once
#include <stdbool.h>
#include <abi/message.h>
#include <tessera/fault.h>
#include <tessera/syscalls.h>

struct tss_buffer {
	cap_t memory; /* READ, or READ and WRITE, and GRANT */
	uint64_t offset; /* of the first byte, a multiple of TSS_PAGE_SIZE */
	uint64_t size; /* bytes, at least 1; need not be whole pages */
};

/* What of a buffer a server has mapped. */
struct tss_view {
	cap_t slice; /* TSS_CAP_NULL: nothing */
	uint8_t *at;
	uint64_t size; /* the buffer's; behind it, to the end of the page, lies what the client has there */
};

/* What stubs and dispatchers ask: 1 to `max` bytes from a page on that do not go beyond what can be counted. */
static inline bool tss_buffer_good(const struct tss_buffer *buffer, uint64_t max)
{
	return buffer->size > 0 && buffer->size <= max && buffer->offset % TSS_PAGE_SIZE == 0 &&
	       buffer->offset <= UINT64_MAX - buffer->size;
}

/*
 * Maps exactly the buffer's pages into `unit` (one's own: TSS_SLOT_UNIT, `self: true`) at `at`, a page address of the
 * caller's choice where nothing is mapped, for TSS_RIGHT_READ, with TSS_RIGHT_WRITE or alone. Takes a free slot; object and
 * page tables are the caller's to pay. Does not block. Errors, after which nothing is mapped and view->slice is
 * TSS_CAP_NULL: ARGUMENT, the buffer is not inside the memory, or `at`; RIGHTS; CAPABILITY, the memory is gone; AGAIN, it
 * is going; BUSY, it was sealed; DEPTH, it was handed on too often; OCCUPIED, MEMORY, SLOTS.
 */
tss_status_t tss_buffer_map(cap_t unit, const struct tss_buffer *buffer, void *at, uint64_t protection,
			    struct tss_view *view);

/* Undoes it, whatever has become of the memory. Once more is harmless. */
void tss_buffer_unmap(struct tss_view *view);

/*
 * Gives up the capability that came with a request; views of it are gone too. An operation does so with each buffer it is
 * given, at the latest before it answers: as with any capability that arrives, nobody else will, and its slot stays taken.
 */
void tss_buffer_drop(const struct tss_buffer *buffer);

/*
 * Copies size bytes from or to `offset` of the view. ARGUMENT (2): not inside it; GONE: a page is not there, or is not
 * mapped for that; some of the bytes may have been copied. Without tss_view_fault that is a fault.
 */
tss_status_t tss_view_read(const struct tss_view *view, uint64_t offset, void *to, uint64_t size);
tss_status_t tss_view_write(const struct tss_view *view, uint64_t offset, const void *from, uint64_t size);

/*
 * The handler for them: tss_on_fault(TSS_VIEW_FAULTS, tss_view_fault, stack_top). It gives up what is not theirs; a
 * handler for more kinds asks it first.
 */
#define TSS_VIEW_FAULTS (TSS_FAULT_BIT(TSS_FAULT_READ) | TSS_FAULT_BIT(TSS_FAULT_WRITE))
enum tss_fault_action tss_view_fault(struct tss_fault_record *record);
