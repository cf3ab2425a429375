/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pager.c - regions whose pages this unit supplies to a child: mapped, replaced, revoked, refused, and what is left
 * when pager, region or child end in the middle of it.
 */
#include "fault.h"

#define BADGE 0x61
#define AT 0x500000000000ull
#define REGION_PAGES 32
#define PAGE TSS_PAGE_SIZE
#define READ TSS_RIGHT_READ
#define WRITE TSS_RIGHT_WRITE
#define MINE SPARE_AT /* where this unit looks at what it gives */

static struct child child;
static cap_t port, watch, connection, reply;

/* What the child does: *a = 7 if b & WRITE; then exits with what it reads there. */
static void job_touch(struct worker *self)
{
	volatile uint64_t *at = (volatile uint64_t *)self->a;
	if (self->b & WRITE)
		*at = 7;
	(void)tss_self_exit(*at);
}

static void paged_child(void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	child = child_new(LOW, run, a, b);
	port = new_port(2);
	(void)new_reply(port);
	connection = new_connection(port, BADGE);
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	watch = child_watch(&child, 1);
	child_go(&child);
}

/* The next message is a page call: for that page, tried so, and whether something is there. */
static void asked(uint64_t address, uint64_t access, uint64_t present)
{
	struct tss_request request = {0};
	CHECK_OK(receive(port, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_PAGE, 24, 0));
	CHECK(request.badge, BADGE);
	CHECK(request.words[0], address);
	CHECK(request.words[1], access);
	CHECK(request.words[2], present);
	CHECK(request.words[3], 0);
	CHECK_TRUE(request.reply != TSS_CAP_NULL);
	reply = request.reply;
}

static tss_status_t answer(cap_t memory, uint64_t address, uint64_t protection)
{
	const uint64_t words[4] = {address, protection, 0, 0};
	tss_ipc()->send_caps[0] = memory;
	return tss_reply_send(reply, TSS_TAG(TSS_FAULT_RESUME, 16, memory != TSS_CAP_NULL), words);
}

static tss_status_t give_up(void)
{
	static const uint64_t none[4];
	return tss_reply_send(reply, TSS_TAG(TSS_FAULT_GIVE_UP, 0, 0), none);
}

static void exited(uint64_t code)
{
	struct tss_request request;
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.words[0], code);
}

static void faulted(unsigned kind, uint64_t address)
{
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK(record.kind, kind);
	CHECK(record.address, address);
	unit_ended(watch, kind);
}

/* Memory with a number in its first word. */
static cap_t numbered(uint64_t pages, uint64_t number)
{
	cap_t memory = new_memory(pages);
	CHECK_OK(tss_unit_map(SELF, memory, MINE, READ | WRITE));
	*(volatile uint64_t *)MINE = number;
	CHECK_OK(tss_unit_unmap(SELF, memory));
	return memory;
}

static uint64_t number_in(cap_t memory)
{
	uint64_t number = 0;
	CHECK_OK(tss_unit_map(SELF, memory, MINE, READ));
	number = *(volatile uint64_t *)MINE;
	CHECK_OK(tss_unit_unmap(SELF, memory));
	return number;
}

static void test_pager_supplies_a_page(void)
{
	paged_child(job_touch, AT + 3 * PAGE + 8, WRITE);
	asked(AT + 3 * PAGE, WRITE, 0);
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	cap_t memory = new_memory(1);
	CHECK_OK(answer(memory, AT + 3 * PAGE, READ | WRITE));
	exited(7);
	CHECK(answer(memory, AT, READ), E(CAPABILITY, 1));
	CHECK_OK(tss_unit_map(SELF, memory, MINE, READ));
	CHECK(((volatile uint64_t *)MINE)[1], 7);
}

/* First for reading; the write then asks again, and what is answered takes the place of the first. */
static void test_pager_copies_on_write(void)
{
	cap_t shared = numbered(1, 5), copy = numbered(1, 5);
	paged_child(job_touch, AT, WRITE);
	asked(AT, WRITE, 0);
	CHECK_OK(answer(shared, AT, READ));
	asked(AT, WRITE, 1);
	CHECK_OK(answer(copy, AT, READ | WRITE));
	exited(7);
	CHECK(number_in(shared), 5);
	CHECK(number_in(copy), 7);
}

static void test_pager_answers_with_more_than_a_page(void)
{
	cap_t memory = numbered(4, 5);
	paged_child(job_touch, AT + 6 * PAGE, READ);
	asked(AT + 6 * PAGE, READ, 0);
	CHECK_OK(answer(memory, AT + 6 * PAGE, READ));
	exited(5);
}

/* The pager takes it back: the child asks again. */
static void job_touch_twice(struct worker *self)
{
	volatile uint64_t *at = (volatile uint64_t *)self->a;
	uint64_t first = *at;
	(void)tss_self_sleep(SECOND / 10);
	(void)tss_self_exit(10 * first + *at);
}

static void test_pager_revokes(void)
{
	cap_t first = numbered(1, 2), second = numbered(1, 3);
	paged_child(job_touch_twice, AT, 0);
	asked(AT, READ, 0);
	CHECK_OK(answer(first, AT, READ));
	rest();
	CHECK_OK(tss_capability_revoke(first));
	asked(AT, READ, 0);
	CHECK_OK(answer(second, AT, READ));
	exited(23);
}

static void test_pager_lets_try_again(void)
{
	paged_child(job_touch, AT, READ);
	for (unsigned i = 0; i < 3; i++) {
		asked(AT, READ, 0);
		CHECK_OK(answer(TSS_CAP_NULL, 0, 0));
	}
	asked(AT, READ, 0);
	CHECK_OK(answer(numbered(1, 9), AT, READ));
	exited(9);
}

static void test_pager_gives_up(void)
{
	paged_child(job_touch, AT + 16, READ);
	asked(AT, READ, 0);
	CHECK_OK(give_up());
	faulted(TSS_FAULT_READ, AT + 16);
}

/* What the pager gives up goes to the unit's fault port like any other fault. */
static void test_pager_gives_up_to_the_fault_port(void)
{
	paged_child(job_fault, (uint64_t)job_touch, 0);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	child = child_new(LOW, job_touch, AT, READ);
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	cap_t fault_port = new_port(1);
	(void)new_reply(fault_port);
	CHECK_OK(tss_unit_fault_port(child.unit, new_connection(fault_port, 5)));
	child_go(&child);
	asked(AT, READ, 0);
	CHECK_OK(give_up());
	struct tss_fault_record record = fault_record(fault_port, 5, true);
	CHECK(record.address, AT);
	reply = fault_answer;
	static const uint64_t none[4];
	CHECK_OK(tss_reply_send(reply, TSS_TAG(TSS_FAULT_RESUME, 0, 0), none));
	asked(AT, READ, 0); /* the instruction again, and from the beginning */
	CHECK_OK(answer(numbered(1, 4), AT, READ));
	exited(4);
}

/* Each is refused, and the fault still waits. */
static void test_pager_answers_nonsense(void)
{
	static const uint64_t wrong[] = {AT - PAGE, AT + PAGE, AT + 8, AT + REGION_PAGES * PAGE, 0, ~0ull};
	static const uint64_t none[4];
	cap_t memory = numbered(2, 6), event = new_event(), kept = derive(memory, READ),
	      bare = derive(memory, TSS_RIGHT_GRANT);
	paged_child(job_touch, AT, READ);
	asked(AT, READ, 0);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(answer(memory, wrong[i], READ), E(ARGUMENT, 2));
	CHECK(answer(memory, AT, WRITE), E(ARGUMENT, 2));
	CHECK(answer(memory, AT, READ | WRITE | TSS_RIGHT_EXECUTE), E(ARGUMENT, 2));
	CHECK(answer(memory, AT, READ | 64), E(ARGUMENT, 2));
	CHECK(answer(bare, AT, READ), E(RIGHTS, 2));
	CHECK(answer(kept, AT, READ), E(RIGHTS, 2));
	CHECK(answer(event, AT, READ), E(TYPE, 2));
	CHECK(answer(event | 0xffff0000u, AT, READ), E(CAPABILITY, 2));
	CHECK(tss_reply_send(reply, TSS_TAG(TSS_FAULT_RESUME, 0, 2), none), E(ARGUMENT, 2));
	CHECK(tss_reply_send(reply, TSS_TAG(2, 0, 0), none), E(ARGUMENT, 2));
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	CHECK_OK(answer(memory, AT, READ));
	exited(6);
}

/* Larger than what is there, or over what the unit has mapped itself: refused, and nothing is changed. */
static void test_pager_maps_over_nothing_else(void)
{
	cap_t one = numbered(1, 6), two = new_memory(2), own_page = new_memory(1);
	paged_child(job_touch, AT, WRITE);
	CHECK_OK(tss_unit_install(child.unit, CHILD_FIRST + 1, own_page, READ, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_map(child.unit, CHILD_FIRST + 1, AT + PAGE, READ));
	asked(AT, WRITE, 0);
	CHECK(answer(two, AT, READ), E(OCCUPIED, 2));
	CHECK_OK(answer(one, AT, READ));
	asked(AT, WRITE, 1);
	CHECK(answer(two, AT, READ | WRITE), E(OCCUPIED, 2));
	CHECK_OK(answer(one, AT, READ | WRITE));
	exited(7);
}

static void test_pager_ends_with_a_page_asked_for(void)
{
	paged_child(job_touch, AT + 16, READ);
	asked(AT, READ, 0);
	CHECK_OK(destroy(port));
	faulted(TSS_FAULT_READ, AT + 16);
}

static void test_pager_ends_with_a_page_call_queued(void)
{
	paged_child(job_touch, AT + 16, READ);
	rest();
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	CHECK_OK(destroy(port));
	faulted(TSS_FAULT_READ, AT + 16);
}

/* Without its connection a region is like any other place where nothing is. */
static void test_pagers_connection_ends(void)
{
	paged_child(job_touch_twice, AT, 0);
	asked(AT, READ, 0);
	CHECK_OK(answer(numbered(1, 2), AT, READ));
	rest();
	CHECK_OK(destroy(connection));
	exited(22);
	child = child_new(LOW, job_touch, AT + 16, READ);
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	connection = new_connection(port, BADGE);
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	CHECK_OK(destroy(connection));
	child_go(&child);
	faulted(TSS_FAULT_READ, AT + 16);
}

static void test_paged_unit_is_killed(void)
{
	paged_child(job_touch, AT, READ);
	asked(AT, READ, 0);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	CHECK(answer(new_memory(1), AT, READ), E(GONE, 1));
}

/* The region goes while a page of it is asked for, and with it what was mapped there. */
static void test_region_goes(void)
{
	cap_t memory = numbered(1, 2);
	paged_child(job_touch_twice, AT, 0);
	asked(AT, READ, 0);
	CHECK_OK(answer(memory, AT, READ));
	rest();
	CHECK_OK(tss_unit_pager(child.unit, TSS_CAP_NULL, AT, 0));
	CHECK(tss_unit_pager(child.unit, TSS_CAP_NULL, AT, 0), E(ARGUMENT, 3));
	faulted(TSS_FAULT_READ, AT);
	child = child_new(LOW, job_touch, AT + 16, READ);
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	child_go(&child);
	asked(AT, READ, 0);
	CHECK_OK(tss_unit_pager(child.unit, TSS_CAP_NULL, AT, 0));
	CHECK(answer(memory, AT, READ), E(ARGUMENT, 2));
	CHECK_OK(give_up());
	faulted(TSS_FAULT_READ, AT + 16);
}

/* An instruction fetched from a page that may be read only is not for the pager: W^X. */
static void job_execute(struct worker *self)
{
	(void)*(volatile uint64_t *)self->a;
	((void (*)(void))self->a)();
}

static void test_pager_is_not_asked_to_execute_what_is_there(void)
{
	paged_child(job_execute, AT, 0);
	asked(AT, READ, 0);
	CHECK_OK(answer(new_memory(1), AT, READ | WRITE));
	faulted(TSS_FAULT_EXECUTE, AT);
}

static void job_fetch(struct worker *self)
{
	((void (*)(void))self->a)();
}

static void test_pager_is_asked_for_code(void)
{
	paged_child(job_fetch, AT, 0);
	asked(AT, TSS_RIGHT_EXECUTE, 0);
	CHECK_OK(give_up());
	faulted(TSS_FAULT_EXECUTE, AT);
}

/* A worker above everybody serves with reply_receive, so both ways are direct. */
static void job_pager(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (;;) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
		if (self->status != TSS_OK)
			return;
		self->got[0]++;
		tss_ipc()->send_caps[0] = (cap_t)self->b;
		request.tag = TSS_TAG(TSS_FAULT_RESUME, 16, 1);
		request.words[1] = READ | WRITE;
	}
}

static void test_pager_serves_directly(void)
{
	cap_t memory = numbered(1, 0);
	paged_child(job_sleep, 0, 0);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	struct worker *server = work(HIGH, job_pager, port, memory);
	child = child_new(LOW, job_touch, AT, WRITE);
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	child_go(&child);
	exited(7);
	CHECK(server->got[0], 1);
	CHECK(number_in(memory), 7);
}

/* Pager and child on CPUs of their own, one of them not this one: asked and answered across. */
static void across(unsigned pager_on, unsigned child_on)
{
	cap_t memory = numbered(1, 0);
	paged_child(job_sleep, 0, 0);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	struct worker *server = worker_new(HIGH, job_pager, port, memory);
	CHECK_OK(tss_sched_place(SYSTEM, server->sched, pager_on));
	(void)worker_go(server);
	child = child_new(LOW, job_touch_twice, AT, 0);
	CHECK_OK(tss_sched_place(SYSTEM, child.sched, child_on));
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	CHECK_OK(tss_unit_pager(child.unit, connection, AT, REGION_PAGES));
	child_go(&child);
	for (uint64_t end = now() + SECOND; server->got[0] == 0 && now() < end;)
		(void)tss_self_sleep(1000);
	CHECK_OK(tss_capability_revoke(memory)); /* under the child's feet, wherever it runs */
	exited(0);
	CHECK(server->got[0], 2);
}

static void test_pager_across_cpus(void)
{
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL));
	unsigned last = (unsigned)((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus - 1;
	across(last, 0);
	across(0, last);
	across(last, last);
}

/* Page tables and the region's own are the child's to pay; when it cannot the pager hears so. */
static void test_faulter_pays_for_tables(void)
{
	struct usage before;
	cap_t memory = new_memory(1);
	paged_child(job_touch, AT, READ);
	asked(AT, READ, 0);
	before = usage_now();
	CHECK_OK(answer(memory, AT, READ));
	CHECK(usage_now().pages, before.pages);
	exited(0);
}

static void test_faulter_cannot_pay(void)
{
	uint64_t taken = 0;
	cap_t memory = new_memory(1);
	paged_child(job_touch, AT + 16, READ);
	asked(AT, READ, 0);
	for (unsigned pages = CHILD_PAGES; pages > 0; pages /= 2)
		while (tss_memory_create(child.unit, pages, &taken) == TSS_OK)
			(void)own((cap_t)taken);
	CHECK(answer(memory, AT, READ), E(MEMORY, 2));
	CHECK_OK(give_up());
	faulted(TSS_FAULT_READ, AT + 16);
}

static void test_pager_arguments(void)
{
	cap_t spare = new_port(1), good = new_connection(spare, 1), send_only = derive(good, TSS_RIGHT_SEND);
	cap_t other = child_new(LOW, job_exit, 0, 0).unit;
	CHECK(tss_unit_pager(other, TSS_CAP_NULL, AT, 1), E(CAPABILITY, 2));
	CHECK(tss_unit_pager(other, spare, AT, 1), E(TYPE, 2));
	CHECK(tss_unit_pager(other, send_only, AT, 1), E(RIGHTS, 2));
	CHECK(tss_unit_pager(other, good, AT + 1, 1), E(ARGUMENT, 3));
	CHECK(tss_unit_pager(other, good, 0, 1), E(ARGUMENT, 3));
	CHECK(tss_unit_pager(other, good, TSS_USER_END - PAGE, 1), E(ARGUMENT, 3));
	CHECK(tss_unit_pager(other, good, AT, 32769), E(ARGUMENT, 4));
	CHECK(tss_unit_pager(other, good, AT, ~0ull), E(ARGUMENT, 4));
	CHECK(tss_unit_pager(other, TSS_CAP_NULL, AT, 0), E(ARGUMENT, 3));
	CHECK_OK(tss_unit_pager(other, good, AT, 32768));
	CHECK(tss_unit_pager(other, good, AT + 32767 * PAGE, 1), E(OCCUPIED, 3));
	CHECK(tss_unit_pager(other, good, AT - PAGE, 2), E(OCCUPIED, 3));
	CHECK_OK(tss_unit_pager(other, good, AT - PAGE, 1));
	CHECK_OK(tss_unit_pager(other, good, AT + 32768 * PAGE, 1));
	CHECK_OK(tss_unit_pager(other, TSS_CAP_NULL, AT, 0));
	CHECK_OK(tss_unit_pager(other, good, AT, 1));
	CHECK_OK(tss_unit_seal(other));
	CHECK(tss_unit_pager(other, TSS_CAP_NULL, AT, 0), E(BUSY, 3));
}

const struct test pager_tests[] = {
	TEST(pager_supplies_a_page),
	TEST(pager_copies_on_write),
	TEST(pager_answers_with_more_than_a_page),
	TEST(pager_revokes),
	TEST(pager_lets_try_again),
	TEST(pager_gives_up),
	TEST(pager_gives_up_to_the_fault_port),
	TEST(pager_answers_nonsense),
	TEST(pager_maps_over_nothing_else),
	TEST(pager_ends_with_a_page_asked_for),
	TEST(pager_ends_with_a_page_call_queued),
	TEST(pagers_connection_ends),
	TEST(paged_unit_is_killed),
	TEST(region_goes),
	TEST(pager_is_not_asked_to_execute_what_is_there),
	TEST(pager_is_asked_for_code),
	TEST(pager_serves_directly),
	TEST(pager_across_cpus),
	TEST(faulter_pays_for_tables),
	TEST(faulter_cannot_pay),
	TEST(pager_arguments),
	{0},
};
