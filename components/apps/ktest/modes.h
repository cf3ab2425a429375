/* SPDX-License-Identifier: BSD-2-Clause */
/* modes.h - what the tests of security modes share: a port, a connection with declarations and a mode, the record. */
#pragma once
#include <abi/audit.h>
#include "ktest.h"

#define FAST TSS_MODE_FAST
#define HARDENED TSS_MODE_HARDENED
#define PARANOID TSS_MODE_PARANOID
#define ANY TSS_METHODS_ANY

extern cap_t mode_port, mode_connection, mode_reader;
extern uint64_t mode_acknowledged;

const struct tss_inspect_connection *inspected(cap_t cap);
/* The record after the last one that was acknowledged; the one before it is acknowledged. Number 0: there is none. */
struct tss_audit_record record_next(void);
void check_record(enum tss_audit_what what, uint64_t tag);
void records_skip(void);
/* A port with a reply, a connection to it that says what may pass, and a reader of records, all caught up. */
void prepare(uint64_t methods, uint64_t interval_us, uint64_t burst, uint64_t shares);
void prepare_as(unsigned mode, uint64_t methods);
tss_status_t call(cap_t cap, uint32_t type);
tss_status_t post(cap_t cap, uint32_t type);
