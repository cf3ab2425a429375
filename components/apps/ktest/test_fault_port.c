/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fault_port.c - faults as calls: a child's fault port is served by this unit, which repairs, changes registers,
 * gives up, answers nonsense, or dies. Its supervisor hears only of what nobody repaired.
 */
#include "fault.h"

#define BADGE 0x51
#define RESUME TSS_TAG(TSS_FAULT_RESUME, 0, 0)
#define RESUME_CHANGED TSS_TAG(TSS_FAULT_RESUME, sizeof(struct tss_fault_record), 0)
#define GIVE_UP TSS_TAG(TSS_FAULT_GIVE_UP, 0, 0)
#define EXIT_CODE 42

FAULTING(exit, "movq (%rsi), %rax\n\tmovq %r8, %rdi\n\tmovl $0x1004, %eax\n\tsyscall");
_Static_assert(TSS_SYS_self_exit == 0x1004, "as in fault_exit: exits with 8, or what r8 says");

static struct child child;
static cap_t port, watch, connection;

/* A child that will fault at `address`, the port its fault goes to, and one where its end is told. */
static void faulting_child(void (*run)(struct worker *self), uint64_t b)
{
	child = child_new(LOW, run, (uint64_t)fault_exit, b);
	port = new_port(2);
	(void)new_reply(port);
	connection = new_connection(port, BADGE);
	CHECK_OK(tss_unit_fault_port(child.unit, connection));
	watch = child_watch(&child, 1);
	child_go(&child);
}

static struct tss_fault_record called(void)
{
	struct tss_fault_record record = fault_record(port, BADGE, true);
	CHECK(record.kind, TSS_FAULT_READ);
	CHECK(record.ip, (uint64_t)at_exit);
	CHECK(record.address, 16);
	CHECK(record.sp, FAULT_SP);
	CHECK(record.flags, FAULT_FLAGS);
	CHECK(record.code, 14ull << 32 | 4);
	CHECK(record.thread, thread_id(child.thread));
	CHECK(record.regs[0], 0xa0);
	check_registers(&record, 16);
	return record;
}

static tss_status_t answer(tss_tag_t tag, const struct tss_fault_record *record)
{
	static const uint64_t none[4];
	if (record)
		memcpy(tss_ipc()->send, record, sizeof(*record));
	return tss_reply_send(fault_answer, tag, record ? (const uint64_t *)record : none);
}

static void exited(uint64_t code)
{
	struct tss_request request;
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.words[0], code);
}

static void told_and_ended(uint64_t address)
{
	struct tss_fault_record record = fault_record(watch, 1, false);
	CHECK(record.address, address);
	CHECK(record.ip, (uint64_t)at_exit);
	CHECK(record.thread, thread_id(child.thread));
	check_registers(&record, address);
	unit_ended(watch, TSS_FAULT_READ);
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

static void test_fault_port_changes_registers(void)
{
	faulting_child(job_fault, 16);
	struct tss_fault_record record = called();
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	record.ip += 3;
	record.regs[7] = EXIT_CODE;
	record.kind = ~0ull; /* of the rest only the registers count */
	record.thread = 1;
	CHECK_OK(answer(RESUME_CHANGED, &record));
	exited(EXIT_CODE);
	CHECK(answer(RESUME, NULL), E(CAPABILITY, 1));
}

/* Unchanged: the instruction is executed again, and faults again. */
static void test_fault_port_replays(void)
{
	faulting_child(job_fault, 16);
	for (unsigned i = 0; i < 3; i++) {
		(void)called();
		CHECK_OK(answer(RESUME, NULL));
	}
	struct tss_fault_record record = called();
	record.regs[4] = record.sp;
	CHECK_OK(answer(RESUME_CHANGED, &record));
	exited(8);
}

static void test_fault_port_gives_up(void)
{
	faulting_child(job_fault, 16);
	(void)called();
	CHECK_OK(answer(GIVE_UP, NULL));
	told_and_ended(16);
}

/* Each is refused, and the fault still waits. */
static void test_fault_port_answers_nonsense(void)
{
	static const tss_tag_t tags[] = {TSS_TAG(2, 0, 0), TSS_TAG(0, 8, 0),   TSS_TAG(0, 184, 0),   TSS_TAG(0, 200, 0),
					 TSS_TAG(0, 0, 1), TSS_TAG(0, 192, 1), TSS_TAG(0xf001, 0, 0)};
	static const uint64_t wrong[] = {TSS_USER_END, 0xffffffff80000000, 1ull << 63, ~0ull};
	faulting_child(job_fault, 16);
	struct tss_fault_record record = called();
	for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		CHECK(answer(tags[i], &record), E(ARGUMENT, 2));
	for (unsigned i = 0; i < 4; i++) {
		struct tss_fault_record bad = record;
		bad.ip = wrong[i];
		CHECK(answer(RESUME_CHANGED, &bad), E(ARGUMENT, 2));
		bad = record;
		bad.sp = wrong[i];
		CHECK(answer(RESUME_CHANGED, &bad), E(ARGUMENT, 2));
	}
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	record.flags = ~0ull; /* taken, without what is not a unit's */
	record.ip += 3;
	CHECK_OK(answer(RESUME_CHANGED, &record));
	struct tss_request request;
	/* TF was among them: the next thing heard of is the step. */
	CHECK_OK(receive(port, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_DEBUG);
	CHECK(((const struct tss_fault_record *)tss_ipc()->recv)->flags & ~FLAG_RESUME, 0x240fd7);
	fault_answer = request.reply;
	CHECK_OK(answer(GIVE_UP, NULL));
	(void)fault_record(watch, 1, false);
	unit_ended(watch, TSS_FAULT_DEBUG);
}

/* A thread that stands where it cannot go on cannot be told to. */
static void job_jump_to_kernel(struct worker *self)
{
	asm volatile("jmp *%0" ::"r"(self->b));
}

static void test_fault_port_cannot_resume_in_the_kernel(void)
{
	faulting_child(job_jump_to_kernel, 0xffffffff80000000);
	CHECK(fault_record(port, BADGE, true).ip, 0xffffffff80000000);
	CHECK(answer(RESUME, NULL), E(ARGUMENT, 2));
	CHECK_OK(answer(GIVE_UP, NULL));
	CHECK(fault_record(watch, 1, false).kind, TSS_FAULT_EXECUTE);
	unit_ended(watch, TSS_FAULT_EXECUTE);
}

/* Its end is the next level's beginning, whether the fault had arrived or was still queued. */
static void test_fault_port_ends_with_a_fault_received(void)
{
	faulting_child(job_fault, 16);
	(void)called();
	CHECK_OK(destroy(port));
	told_and_ended(16);
}

static void test_fault_port_ends_with_a_fault_queued(void)
{
	faulting_child(job_fault, 16);
	rest();
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	CHECK_OK(destroy(port));
	told_and_ended(16);
}

static void test_fault_port_is_gone(void)
{
	faulting_child(job_sleep, 0);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	child = child_new(LOW, job_fault, (uint64_t)fault_exit, 16);
	CHECK_OK(tss_unit_fault_port(child.unit, connection));
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	CHECK_OK(destroy(connection));
	child_go(&child);
	told_and_ended(16);
}

/* Killed while its fault waits: no fault is told, and the reply is stale. */
static void test_faulted_unit_is_killed(void)
{
	faulting_child(job_fault, 16);
	(void)called();
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	CHECK(answer(RESUME, NULL), E(GONE, 1));
}

/* A worker above everybody serves with reply_receive: handed over at once, both ways. got[0]: how many. */
static void job_fault_server(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (;;) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, self->b);
		if (self->status != TSS_OK)
			return;
		self->got[0]++;
		request.tag = self->got[0] < self->c ? RESUME : self->d ? GIVE_UP : RESUME_CHANGED;
		memcpy(tss_ipc()->send, tss_ipc()->recv, sizeof(struct tss_fault_record));
		((struct tss_fault_record *)tss_ipc()->send)->regs[4] = request.words[3]; /* its stack can be read */
	}
}

static void served_directly(uint64_t timeout, bool give_up)
{
	faulting_child(job_sleep, 0); /* for the ports; it is gone before it runs */
	CHECK_OK(tss_unit_kill(child.unit, 0));
	exited(0x200);
	child = child_new(LOW, job_fault, (uint64_t)fault_exit, 16);
	CHECK_OK(tss_unit_fault_port(child.unit, connection));
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(watch, 1)));
	struct worker *server = worker_new(HIGH, job_fault_server, port, timeout);
	server->c = 5;
	server->d = give_up;
	(void)worker_go(server);
	child_go(&child);
	if (give_up)
		told_and_ended(16);
	else
		exited(8);
	CHECK(server->got[0], 5);
}

static void test_fault_port_served_directly(void)
{
	served_directly(TSS_INFINITE, false);
}

static void test_fault_port_served_with_a_timeout(void)
{
	served_directly(SECOND, false);
}

static void test_fault_port_gives_up_and_receives(void)
{
	served_directly(TSS_INFINITE, true);
	served_directly(SECOND, true);
}

/* Own handler first, then the port, then the supervisor. */
static uint8_t child_stack[1024] __attribute__((aligned(16)));
extern const char give_up_entry[] HIDDEN;
asm(".text\n.hidden give_up_entry\ngive_up_entry: movl $1, %edi\n\tmovl $0x102e, %eax\n\tsyscall\n\tud2\n");
_Static_assert(TSS_SYS_self_fault_return == 0x102e && TSS_FAULT_GIVE_UP == 1, "as in give_up_entry");

static void job_handler_gives_up(struct worker *self)
{
	(void)tss_self_fault_handler((uint64_t)give_up_entry, (uint64_t)&child_stack[sizeof(child_stack)]);
	fault_exit(self->b);
}

static void test_three_levels_in_their_order(void)
{
	faulting_child(job_handler_gives_up, 16);
	for (unsigned i = 0; i < 2; i++) {
		(void)called();
		CHECK_OK(answer(RESUME, NULL)); /* and its own handler is asked again */
	}
	(void)called();
	CHECK_OK(answer(GIVE_UP, NULL));
	told_and_ended(16);
}

/* The child serves its own fault port with a thread that faults itself: nobody is left to ask. */
static void job_faults_as_its_own_server(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive(CHILD_FIRST, &request, self->b);
	fault_exit(16);
}

static void test_fault_of_the_fault_ports_own_server(void)
{
	child = child_new(LOW, job_faults_as_its_own_server, 0, 1000);
	port = new_port(1);
	(void)new_reply(port);
	CHECK_OK(tss_unit_fault_port(child.unit, new_connection(port, 1)));
	child_give(&child, CHILD_FIRST, port, TSS_RIGHT_RECEIVE);
	watch = child_watch(&child, 1);
	child_go(&child);
	told_and_ended(16);
}

static void test_fault_port_arguments(void)
{
	cap_t spare = new_port(1);
	cap_t good = new_connection(spare, 1), send_only = derive(good, TSS_RIGHT_SEND),
	      other = child_new(LOW, job_exit, 0, 0).unit;
	CHECK(tss_unit_fault_port(other, TSS_CAP_NULL), E(CAPABILITY, 2));
	CHECK(tss_unit_fault_port(other, spare), E(TYPE, 2));
	CHECK(tss_unit_fault_port(other, send_only), E(RIGHTS, 2));
	CHECK_OK(tss_unit_fault_port(other, good));
}

const struct test fault_port_tests[] = {
	TEST(fault_port_changes_registers),
	TEST(fault_port_replays),
	TEST(fault_port_gives_up),
	TEST(fault_port_answers_nonsense),
	TEST(fault_port_cannot_resume_in_the_kernel),
	TEST(fault_port_ends_with_a_fault_received),
	TEST(fault_port_ends_with_a_fault_queued),
	TEST(fault_port_is_gone),
	TEST(faulted_unit_is_killed),
	TEST(fault_port_served_directly),
	TEST(fault_port_served_with_a_timeout),
	TEST(fault_port_gives_up_and_receives),
	TEST(three_levels_in_their_order),
	TEST(fault_of_the_fault_ports_own_server),
	TEST(fault_port_arguments),
	{0},
};
