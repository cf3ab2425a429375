/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_test.h - the memory that is shared, and what is checked. */
#pragma once
#include <interfaces/digest.h>
#include <tessera/tessera.h>
#include "slots.h"

#define PAGES 16u
#define AREA_SIZE (PAGES * TSS_PAGE_SIZE)
#define READS (TSS_RIGHT_READ | TSS_RIGHT_GRANT)
#define WRITES (READS | TSS_RIGHT_WRITE)

/* Memory of this unit, mapped, byte i of it i * 7 at first; with a capability to share it. */
struct area {
	cap_t memory, shared;
	volatile uint8_t *at;
};

struct area make_area(uint64_t rights);
void end_area(struct area *area);
uint64_t sum_of(const struct area *area, uint64_t offset, uint64_t size);
void remove_all(cap_t cap);

void check(bool good, const char *what, int line);
#define CHECK(what) check((what), #what, __LINE__)

void test_well(void);
void test_hostile(void);
