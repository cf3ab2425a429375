/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.c - the parent. Takes orders on COM2, a line each: SEED CALLS [TRACE], hexadecimal. Makes children with the seeds
 * SEED, SEED + 1, ... until they have made so many calls together, says "child SEED from N" before and how each ended,
 * "done N calls M children good MASK" at the end, where bit n of MASK is set if call 0x1000 + n ever succeeded. The same order gives the same calls where the clock counts instructions;
 * with TRACE each call from that number on is printed before it is made.
 *
 * What a child is given: a connection to us, who pass on what it says to the servers, an event, memory, a port, devices
 * that are not there or do no harm, two scheduling contexts, and its own unit.
 */
#include "fuzz.h"
#include "slots.h"

#define COM2 0x2f8u
#define UART_STATUS 5u
#define UART_RECEIVED 0x01u
#define UART_EMPTY 0x20u
#define CHILD_CALLS 3000u
#define QUIET_US 60000u
#define IDLE_MAX 200u
#define AUDIT_EACH 4u /* messages */
#define PATIENCE_US 500u
#define START_US (1ull << 20)
#define BADGE_END 1u
#define BADGE_CHILD 2u

struct order order = {.trace = ~0ull};
static uint64_t rows_good[2]; /* bit n: call 0x1000 + n has succeeded in some child */
cap_t output_port;
static cap_t port, watch, all_given[GIVEN_MAX];
static unsigned given;

void tss_output(const char *text, size_t size)
{
	uint64_t status = 0;
	for (size_t i = 0; i < size; i++) {
		do
			if (tss_ioport_read(output_port, UART_STATUS, 1, &status) != TSS_OK)
				return;
		while (!(status & UART_EMPTY));
		(void)tss_ioport_write(output_port, 0, 1, (uint8_t)text[i]);
	}
}

static char read_character(void)
{
	uint64_t status = 0, c = 0;
	while (!(status & UART_RECEIVED)) {
		(void)tss_self_sleep(1000);
		(void)tss_ioport_read(output_port, UART_STATUS, 1, &status);
	}
	(void)tss_ioport_read(output_port, 0, 1, &c);
	return (char)c;
}

/* The order's numbers; those that are missing stay as they are. */
static void read_order(uint64_t numbers[3])
{
	unsigned have = 0;
	bool digits = false;
	for (char c = read_character();; c = read_character()) {
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (digit && have < 3)
			numbers[have] =
				(digits ? numbers[have] * 16 : 0) + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		if (!digit && digits)
			have++;
		digits = digit;
		if (c == '\n' && have)
			return;
	}
}

/* One of the things that every child is given, unless it could not be made. */
static void have(tss_status_t status, uint64_t value)
{
	if (status == TSS_OK && given < GIVEN_MAX)
		all_given[given++] = (cap_t)value;
}

static void setup(void)
{
	uint64_t value = 0;
	children_init();
	assert(tss_ioport_create(SYSTEM, COM2, 8, &value) == TSS_OK);
	output_port = (cap_t)value;
	assert(tss_port_create(SELF, 8, &value) == TSS_OK);
	port = (cap_t)value;
	assert(tss_reply_create(port, SELF, &value) == TSS_OK);
	assert(tss_connection_create(port, SELF, BADGE_END, 0, &value) == TSS_OK);
	watch = (cap_t)value;
	have(tss_connection_create(port, SELF, BADGE_CHILD, 0, &value), value);
	have(tss_event_create(SELF, &value), value);
	have(tss_memory_create(SELF, 3, &value), value);
	have(tss_port_create(SELF, 3, &value), value);
	have(tss_ioport_create(SYSTEM, 0x3e8, 8, &value), value);
	have(tss_irq_create(SYSTEM, 3, &value), value);
	have(tss_memory_device(SYSTEM, 0xb8000, 1, &value), value);
}

static void give(const struct child *child)
{
	for (unsigned i = 0; i < given; i++)
		child_give(child, i, all_given[i]);
	child_give(child, given, child->sched[0]);
	child_give(child, given + 1, child->sched[1]);
	(void)tss_unit_install(child->unit, TSS_SLOT_UNIT, child->unit,
			       TSS_RIGHT_CONTROL | TSS_RIGHT_GRANT | TSS_RIGHT_INSTALL, TSS_INSTALL_COPY);
	(void)tss_unit_install(child->unit, TSS_SLOT_DIRECTORY, output_port, TSS_RIGHT_READ | TSS_RIGHT_WRITE,
			       TSS_INSTALL_COPY);
	(void)tss_unit_supervise(child->unit, watch);
}

/* What a child says to us is said to a server, in its words: its connections are not for handing on, and neither are ours. */
static void pass_on(struct tss_request *request)
{
	static const cap_t servers[] = {SLOT_LOG, SLOT_ECHO, SLOT_TERMINAL};
	cap_t server = servers[request->words[3] % 3];
	tss_tag_t tag = request->tag & 0x0000ffffffffffffull; /* without its capabilities */
	memcpy(&tss_ipc()->send[TSS_MESSAGE_REGISTERS], &tss_ipc()->recv[TSS_MESSAGE_REGISTERS],
	       TSS_MESSAGE_MAX - TSS_MESSAGE_REGISTERS * sizeof(uint64_t));
	if (request->words[2] % 4 == 0) {
		tss_ipc()->send_caps[0] = all_given[request->words[1] % given];
		tag |= TSS_TAG(0, 0, 1);
	}
	if (request->reply)
		(void)tss_connection_call(server, &tag, request->words, PATIENCE_US);
	else
		(void)tss_connection_send(server, tag, request->words);
	request->tag = TSS_TAG(request->words[0] % 3, request->words[1] % 257, 0);
}

/* Has the kernel count everything again. */
static bool all_adds_up(void)
{
	const struct tss_inspect_audit *record = (const struct tss_inspect_audit *)tss_ipc()->recv;
	uint64_t wrong = 0;
	tss_status_t status = tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, 0, &wrong);
	if (status != TSS_OK || wrong)
		printf("audit: status %lx, %.64s: %lx is %lx, not %lx\n", status, record->what, record->id, record->got,
		       record->want);
	return status == TSS_OK && !wrong;
}

/*
 * Hears the child, until it has ended, or has made no call in a while or in many messages (a fault that we answer may come
 * for ever). Its exit code; ~0: it has none.
 */
static uint64_t attend(const volatile uint64_t *counter)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	uint64_t before = 0, messages = 0;
	for (unsigned idle = 0; idle < IDLE_MAX; idle++) {
		tss_status_t status = tss_port_reply_receive(port, &request, QUIET_US);
		if (status != TSS_OK)
			request.reply = TSS_CAP_NULL;
		else if (TSS_TAG_TYPE(request.tag) == TSS_MSG_ENDED && request.badge == BADGE_END)
			return request.words[0];
		else if (request.badge == BADGE_CHILD)
			pass_on(&request);
		if (messages++ % AUDIT_EACH == 0 && !all_adds_up())
			break;
		if (*counter == before && TSS_CODE(status) == TSS_E_TIMEOUT)
			break;
		if (*counter != before)
			idle = 0;
		before = *counter;
	}
	return ~0ull;
}

/* Kill what is left of it, and throw away what it or its end have left in our port. */
static void forget(const struct child *child)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	tss_status_t status;
	(void)tss_unit_kill(child->unit, 1);
	do {
		status = tss_port_reply_receive(port, &request, 0);
		if (status != TSS_OK)
			request.reply = TSS_CAP_NULL;
	} while (TSS_CODE(status) != TSS_E_TIMEOUT);
}

/* One child's life; how many calls it made. False in *good: something does not add up. */
static uint64_t run_child(uint64_t left, bool *good)
{
	struct child child;
	order.calls = left < CHILD_CALLS ? left : CHILD_CALLS;
	if (!child_new(&child)) {
		printf("no child: out of memory?\n");
		*good = false;
		child_end(&child);
		return 0;
	}
	give(&child);
	const volatile uint64_t *counter = child_view(&child, calls_made);
	uint64_t code = ~0ull;
	if (tss_thread_start(child.thread, child.sched[0]) == TSS_OK)
		code = attend(counter);
	uint64_t calls = *counter;
	rows_good[0] |= counter[1];
	rows_good[1] |= counter[2];
	*good = all_adds_up();
	forget(&child);
	child_blind();
	child_end(&child);
	*good = *good && all_adds_up();
	printf("ended %lx calls %lu\n", code, calls);
	return calls;
}

/* Orders come at any time; runs begin at a round one, so that timeouts fall where they did before. */
static void wait_for_start(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	(void)tss_self_sleep(START_US - now % START_US);
}

static void run(uint64_t seed, uint64_t calls, uint64_t trace)
{
	uint64_t made = 0, children = 0, idle = 0;
	rows_good[0] = rows_good[1] = 0;
	wait_for_start();
	for (bool good = true; good && made < calls && idle < 50; children++) {
		order.seed = seed + children;
		order.trace = trace > made ? trace - made : 0;
		printf("child %lx from %lx\n", order.seed, made);
		uint64_t more = run_child(calls - made, &good);
		idle = more ? 0 : idle + 1;
		made += more;
	}
	printf("done %lu calls %lu children good %lx%016lx\n", made, children, rows_good[1], rows_good[0]);
}

int main(void)
{
	setup();
	printf("fuzz\n");
	for (;;) {
		uint64_t numbers[3] = {1, 1000, ~0ull};
		read_order(numbers);
		run(numbers[0], numbers[1], numbers[2]);
	}
}
