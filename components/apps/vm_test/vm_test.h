/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_test.h - what the parts of vm_test share: checks that are counted, and the server's totals. */
#pragma once
#include <tessera/table.h>
#include <interfaces/mem.h>
#include <tessera/tessera.h>
#include <tessera/vm.h>
#include "slots.h"

#define PAGE TSS_PAGE_SIZE
#define CHECK(condition) check(condition, __LINE__, #condition)
void check(bool held, int line, const char *what);
uint64_t total(uint32_t what);
uint64_t kernel_faults(void); /* that the kernel has seen, all units together */
volatile uint64_t *map(uint64_t pages, unsigned protection);

void run_flow(void);
void run_abuse(void);
void run_hog(void);
void run_small(void);
void run_keeper(void);
void run_cacher(void);
