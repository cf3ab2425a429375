/* SPDX-License-Identifier: BSD-2-Clause */
/* tessera.h - everything a component usually needs. A component defines `int main(void)`; returning exits. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>
#include <abi/message.h>
#include <tessera/assert.h>
#include <tessera/heap.h>
#include <tessera/heartbeat.h>
#include <tessera/ipc.h>
#include <tessera/serve.h>
#include <tessera/stdio.h>
#include <tessera/string.h>
#include <tessera/syscalls.h>

int main(void);

/* Bytes at TSS_LAYOUT_HEAP, and for init the bytes of the bundle: bits 0-31 of what the entry point was given. */
extern uint64_t tss_argument;

/* The design's name for it: cap is a connection, or a port as a floor for all that lead there; modes only ever go up. */
static inline tss_status_t cap_set_security_mode(cap_t cap, enum tss_mode mode)
{
	return tss_capability_set_mode(cap, mode);
}

/* Texts for a status; "?" for numbers outside the tables. */
const char *tss_error_name(tss_status_t status);
const char *tss_type_name(unsigned type);
const char *tss_fault_name(unsigned kind);

/* Writes the letters of rights.def for `rights` ("-" if there are none); to[] has TSS_RIGHTS_TEXT bytes. */
#define TSS_RIGHTS_TEXT 17
const char *tss_rights_text(unsigned rights, char to[TSS_RIGHTS_TEXT]);
