/* SPDX-License-Identifier: BSD-2-Clause */
/* redirect.c - registers the handler of foreign system calls; redirect.S is where they arrive. */
#include <stddef.h>
#include <tessera/redirect.h>

_Static_assert(offsetof(struct tss_ipc_page, redirect) == 0x3c0 && offsetof(struct tss_redirect, sp) == 8 &&
		       offsetof(struct tss_redirect, flags) == 16,
	       "redirect.S");

extern const char tss_redirect_entry[] __attribute__((visibility("hidden")));
extern tss_foreign_t *tss_redirect_serve;
tss_foreign_t *tss_redirect_serve __attribute__((visibility("hidden")));

tss_status_t tss_redirect(tss_foreign_t *serve, void *stack_top)
{
	if (serve == NULL)
		return tss_self_redirect(0, 0);
	tss_redirect_serve = serve;
	return tss_self_redirect((uint64_t)tss_redirect_entry, (uint64_t)stack_top);
}
