/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.c - buffer.h: a view is a slice of the memory that came, mapped; what copies from it may fault, and ends there. */
#include <stddef.h>
#include <tessera/buffer.h>

/* Returns how many bytes were left when a page was not there. */
uint64_t tss_view_copy(void *to, const void *from, uint64_t size) __attribute__((visibility("hidden")));
extern const char tss_view_copying[] __attribute__((visibility("hidden")));
extern const char tss_view_copied[] __attribute__((visibility("hidden")));

asm(".section .text.tss_view_copy, \"ax\"\n"
    ".hidden tss_view_copy, tss_view_copying, tss_view_copied\n"
    ".globl tss_view_copy, tss_view_copying, tss_view_copied\n"
    ".type tss_view_copy, @function\n"
    "tss_view_copy:\n\tmovq %rdx, %rcx\n"
    "tss_view_copying:\n\trep movsb\n"
    "tss_view_copied:\n\tmovq %rcx, %rax\n"
    "\tret\n"
    ".size tss_view_copy, . - tss_view_copy\n"
    ".text\n");

enum tss_fault_action tss_view_fault(struct tss_fault_record *record)
{
	if (record->ip != (uint64_t)tss_view_copying)
		return TSS_FAULT_GIVE_UP;
	record->ip = (uint64_t)tss_view_copied;
	return TSS_FAULT_RESUME;
}

static void delete_all(cap_t cap)
{
	while (TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

tss_status_t tss_buffer_map(cap_t unit, const struct tss_buffer *buffer, void *at, uint64_t protection,
			    struct tss_view *view)
{
	uint64_t slice = TSS_CAP_NULL, pages = buffer->size / TSS_PAGE_SIZE + (buffer->size % TSS_PAGE_SIZE != 0);
	*view = (struct tss_view){.slice = TSS_CAP_NULL, .at = at, .size = buffer->size};
	if (buffer->offset % TSS_PAGE_SIZE != 0)
		return TSS_STATUS(TSS_E_ARGUMENT, 1);
	tss_status_t status = tss_memory_slice(buffer->memory, buffer->offset / TSS_PAGE_SIZE, pages, &slice);
	if (status != TSS_OK)
		return status;
	view->slice = (cap_t)slice;
	status = tss_unit_map(unit, view->slice, (uint64_t)at, protection);
	if (status != TSS_OK)
		tss_buffer_unmap(view);
	return status;
}

void tss_buffer_unmap(struct tss_view *view)
{
	if (view->slice != TSS_CAP_NULL)
		delete_all(view->slice);
	view->slice = TSS_CAP_NULL;
}

void tss_buffer_drop(const struct tss_buffer *buffer)
{
	delete_all(buffer->memory);
}

static tss_status_t copied(const struct tss_view *view, uint64_t offset, uint64_t size, void *to, const void *from)
{
	if (offset > view->size || size > view->size - offset)
		return TSS_STATUS(TSS_E_ARGUMENT, 2);
	return tss_view_copy(to, from, size) == 0 ? TSS_OK : TSS_STATUS(TSS_E_GONE, 1);
}

tss_status_t tss_view_read(const struct tss_view *view, uint64_t offset, void *to, uint64_t size)
{
	return copied(view, offset, size, to, view->at + offset);
}

tss_status_t tss_view_write(const struct tss_view *view, uint64_t offset, const void *from, uint64_t size)
{
	return copied(view, offset, size, view->at + offset, from);
}
