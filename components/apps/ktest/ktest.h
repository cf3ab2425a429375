/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ktest.h - what the tests share: checks, workers (threads of this unit), children (units made for one test), and
 * objects that are given back when the test ends. After each test the unit must hold as many slots and pages as
 * before; a test that spends some for good says so with spent().
 *
 * The tests run on the main thread at MAIN_PRIORITY. A worker above it runs as soon as it is started or woken, one
 * below it only while the main thread waits: so the order of things is known without timing.
 */
#pragma once
#include <tessera/table.h>
#include <abi/inspect.h>
#include <tessera/tessera.h>
#include "slots.h"

struct test {
	const char *name;
	void (*run)(void);
};
#define TEST(name)                                                                                                     \
	{                                                                                                              \
#name, test_##name                                                                                     \
	}
extern const struct test message_tests[], direct_tests[], reply_tests[], queue_tests[], transfer_tests[],
	capability_tests[], event_tests[], schedule_tests[], inherit_tests[], depth_tests[], fault_tests[],
	unit_tests[], memory_tests[], time_tests[], life_tests[], device_tests[], dma_tests[], argument_tests[],
	machine_tests[], delete_tests[], restart_tests[], place_tests[], handler_tests[], fault_port_tests[],
	vector_tests[], hand_on_tests[], revoke_tests[], credit_tests[], budget_tests[], audit_tests[], random_tests[],
	cpu_tests[], redirect_tests[], trace_tests[], mailbox_tests[], mode_tests[], paranoid_tests[], pager_tests[],
	interpose_tests[], share_tests[], slice_tests[], taken_apart_tests[],
	secret_tests[]; /* the last: nothing takes its memory again */
void run_all(const struct test *tests);
uint64_t child_text_address(void);
uint64_t child_data_address(void); /* where its data segment begins, as ours does */

void check_value(const char *file, int line, const char *what, uint64_t got, uint64_t want);
#define CHECK(what, want) check_value(__FILE_NAME__, __LINE__, #what, (uint64_t)(what), (uint64_t)(want))
#define CHECK_TRUE(what) check_value(__FILE_NAME__, __LINE__, #what, !!(what), 1)
#define CHECK_OK(what) CHECK(what, TSS_OK)
#define E(code, argument) TSS_STATUS(TSS_E_##code, argument)

#define TSS_CAP_SLOT(cap) ((uint16_t)((cap)&0xffffu))
#define TSS_CAP_GENERATION(cap) ((uint16_t)((cap) >> 16))
#define SELF TSS_SLOT_UNIT
#define SYSTEM TSS_SLOT_SYSTEM
#define MAIN_PRIORITY 100
#define HIGH 150
#define MEDIUM 90
#define LOW 80
#define SECOND 1000000ull
#define TICK (1ull << CONFIG_TIMER_TICK_SHIFT)
#define SLICE 1000 /* microseconds, of workers */

/* The registers of a message call, before and after. */
struct registers {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9, rbx;
};
void raw(struct registers *registers);
/* A VALUE call by number: its status, and its value at *value unless NULL. */
uint64_t raw_call(uint64_t number, const uint64_t arguments[5], uint64_t *value);

/* Objects: made, checked, and deleted when the test ends. */
cap_t own(cap_t cap);
cap_t new_port(uint64_t depth);
cap_t new_reply(cap_t port);
cap_t new_connection(cap_t port, uint64_t badge);
cap_t new_event(void);
cap_t new_memory(uint64_t pages);
cap_t new_sched(unsigned priority);
cap_t derive(cap_t cap, uint64_t rights);
tss_status_t destroy(cap_t cap); /* delete, again as long as it says AGAIN */
void disown(cap_t cap); /* it is gone or lives on: do not delete it at the end */
void own_nothing(void); /* end of a test: everything back */

struct usage {
	uint64_t pages, slots;
};
struct usage usage_now(void);
void spent(uint64_t pages, uint64_t slots);
struct usage spent_take(void);

/* Workers. */
struct worker {
	void (*run)(struct worker *self);
	uint64_t a, b, c, d;
	volatile uint64_t got[8];
	volatile uint64_t status;
	volatile bool started, done;
	cap_t thread, sched;
	unsigned index;
};
#define WORKERS 24
#define IPC_BASE 0x600000000000ull
#define STACK_BASE 0x600000100000ull
#define SPARE_AT 0x600000080000ull /* free for mappings up to STACK_BASE; its page tables are there */
struct worker *worker_new(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b);
struct worker *worker_go(struct worker *worker);
static inline struct worker *work(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	return worker_go(worker_new(priority, run, a, b));
}
bool joined(struct worker *worker); /* waits up to a second for it to end */
void workers_init(void);
void workers_end(void); /* delete all threads that the test made */
unsigned thread_state(cap_t thread);
uint64_t thread_id(cap_t thread);
uint64_t object_id(cap_t cap);
void worker_start(void);
void rest(void); /* let everything below run until it waits */
void mark(char c); /* append to the trace */
const char *trace(void);
#define CHECK_TRACE(want) check_trace(__FILE_NAME__, __LINE__, want)
void check_trace(const char *file, int line, const char *want);

/* Children: units with a copy of this image. `slot` is where they find what they are given. */
#define CHILD_FIRST 16
#define CHILD_PAGES 64
struct child {
	cap_t unit, thread, sched, data, stack;
	struct worker *job;
};
struct child child_new(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b);
struct child child_below(cap_t parent, unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b);
void child_give(const struct child *child, unsigned slot, cap_t cap, uint64_t rights);
void child_go(const struct child *child);
void children_init(void);
extern bool children_have_vectors; /* those made from now on */
/* A port and a supervise connection for child; messages of its end arrive there. */
cap_t child_watch(const struct child *child, uint64_t badge);
tss_status_t receive(cap_t port, struct tss_request *request, uint64_t timeout);

/* Usual jobs. */
void job_server(struct worker *self); /* a: port, b: how many requests; answers with the request; got[0]: how many */
void job_caller(struct worker *self); /* a: connection, b: timeout; status, got[0]: tag, got[1..4]: words */
void job_spin(struct worker *self); /* until a (microseconds of clock) have gone by or stop_spinning */
void job_sleep(struct worker *self); /* a: microseconds */
void job_exit(struct worker *self);
extern volatile bool stop_spinning;

uint64_t now(void);
bool clock_is_counted(void); /* QEMU's -icount: one TSC tick an instruction, at 1 GHz */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
