/* SPDX-License-Identifier: BSD-2-Clause */
/* ipc.c - what stubs, dispatchers and the server loop do when something went wrong, kept out of their short ways. */
#include <tessera/ipc.h>
#include <tessera/serve.h>

void tss_drop_capabilities(tss_tag_t tag)
{
	const struct tss_ipc_page *page = tss_ipc();
	for (unsigned i = 0; i < TSS_TAG_CAPS(tag) && i < TSS_MESSAGE_CAPS; i++)
		if (page->recv_caps[i] != TSS_CAP_NULL)
			(void)tss_capability_delete(page->recv_caps[i]);
}

tss_status_t tss_reply_error(tss_tag_t tag)
{
	if (TSS_TAG_CAPS(tag) != 0)
		tss_drop_capabilities(tag);
	return TSS_INTERFACE_ERROR(TSS_TAG_TYPE(tag) != 0 ? TSS_TAG_TYPE(tag) & 0xffffu : TSS_REPLY_FORMAT);
}

bool tss_serve_receive_failed(tss_status_t status)
{
	const uint64_t later_us = 1000;
	if (TSS_CODE(status) != TSS_E_BUSY && TSS_CODE(status) != TSS_E_CANCELLED)
		return true;
	(void)tss_self_sleep(later_us);
	return false;
}

void tss_serve_reply_failed(tss_status_t status, cap_t reply)
{
	const uint64_t none[4] = {0, 0, 0, 0};
	if (TSS_CODE(status) == TSS_E_GONE || TSS_CODE(status) == TSS_E_CAPABILITY)
		return;
	status = tss_reply_send(reply, TSS_TAG(TSS_REPLY_FAILED, 0, 0), none);
	/* Somebody whose fault or page this is takes no such answer. */
	if (status == TSS_STATUS(TSS_E_ARGUMENT, 2))
		(void)tss_reply_send(reply, TSS_TAG(TSS_FAULT_GIVE_UP, 0, 0), none);
}
