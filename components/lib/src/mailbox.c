/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.c - mailbox.h. The kernel writes an entry, then `tail`; we read it, then write `head`. The bit of the event is
 * set behind the entry and stays set, so who finds no message and waits then is woken by the next.
 */
#include <tessera/mailbox.h>

tss_status_t mailbox_open(struct mailbox *box, cap_t port, cap_t memory, void *at, uint32_t depth)
{
	*box = (struct mailbox){.shared = at, .depth = depth, .port = port, .memory = memory};
	tss_status_t status = tss_port_mailbox(port, memory);
	box->open = status == TSS_OK;
	return TSS_CODE(status) == TSS_E_AGAIN ? TSS_OK : status;
}

/* What was queued before comes first. True: request is such a message. */
static bool receive_early(struct mailbox *box, struct tss_request *request)
{
	while (!box->open) {
		tss_status_t status = tss_port_receive(box->port, request, 0);
		if (status == TSS_OK && TSS_TAG_TYPE(request->tag) != TSS_MSG_EVENT)
			return true;
		box->open = status != TSS_OK && tss_port_mailbox(box->port, box->memory) == TSS_OK;
		if (status != TSS_OK && TSS_CODE(status) != TSS_E_TIMEOUT)
			return false;
	}
	return false;
}

uint64_t mailbox_count(const struct mailbox *box)
{
	return __atomic_load_n(&box->shared->tail, __ATOMIC_ACQUIRE) - box->head;
}

static const struct tss_mailbox_entry *entry_at(const struct mailbox *box, uint64_t number)
{
	uint64_t at = number % box->depth;
	const uint8_t *page = (const uint8_t *)box->shared + TSS_PAGE_SIZE * (1 + at / TSS_MAILBOX_PER_PAGE);
	/* Safety: within the TSS_MAILBOX_PAGES(depth) that the kernel has checked; entries are aligned to words. */
	return (const struct tss_mailbox_entry *)page + at % TSS_MAILBOX_PER_PAGE;
}

bool mailbox_receive(struct mailbox *box, struct tss_request *request)
{
	if (!box->open && receive_early(box, request))
		return true;
	if (mailbox_count(box) == 0)
		return false;
	const struct tss_mailbox_entry *entry = entry_at(box, box->head);
	uint64_t length = TSS_TAG_LENGTH(entry->tag), registers = sizeof(request->words);
	*request = (struct tss_request){.badge = entry->badge, .tag = entry->tag};
	memcpy(request->words, entry->words, registers);
	if (length > registers)
		tss_copy(&tss_ipc()->recv[TSS_MESSAGE_REGISTERS], &entry->words[TSS_MESSAGE_REGISTERS],
			 length - registers);
	__atomic_store_n(&box->shared->head, ++box->head, __ATOMIC_RELEASE);
	return true;
}

tss_status_t mailbox_wait(struct mailbox *box, struct tss_request *request, cap_t event, uint64_t timeout_us)
{
	uint64_t bits;
	while (!mailbox_receive(box, request)) {
		tss_status_t status = tss_event_wait(event, timeout_us, &bits);
		if (status != TSS_OK)
			return status;
	}
	return TSS_OK;
}
