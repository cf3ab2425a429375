/* SPDX-License-Identifier: BSD-2-Clause */
/* faulty.h - the two kinds of instances; `name` is the instance's. */
#pragma once
#include <interfaces/faulty.h>
#include <tessera/tessera.h>
#include "slots.h"

/* fibber.c: a client that says what no stub would. */
void fibber(void);

/* clients.c: true if `name` is a client's, which then has run to its end. */
bool client_run(const char *name);

/* faults.c: what a server called `name` does when it starts, on its second work, and to an answer. */
void fault_start(const char *name);
void fault_work(const char *name);
void fault_answer(const char *name, struct tss_request *request);
