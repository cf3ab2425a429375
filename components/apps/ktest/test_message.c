/* SPDX-License-Identifier: BSD-2-Clause */
/* test_message.c - what a message carries: registers, bytes through the IPC pages, tags, badges. */
#include "ktest.h"

static struct registers call_registers(cap_t connection, tss_tag_t tag, uint64_t timeout)
{
	return (struct registers){.rax = TSS_SYS_connection_call,
				  .rdi = connection,
				  .rsi = tag,
				  .rdx = timeout,
				  .r10 = 0x1111,
				  .r8 = 0x2222,
				  .r9 = 0x3333,
				  .rbx = 0x4444};
}

static struct worker *echo(cap_t *connection, uint64_t badge, uint64_t requests)
{
	cap_t port = new_port(4);
	(void)new_reply(port);
	*connection = new_connection(port, badge);
	return work(HIGH, job_server, port, requests);
}

static void test_call_in_registers(void)
{
	cap_t connection;
	struct worker *server = echo(&connection, 0xfeedfacecafebeefull, 1);
	struct registers r = call_registers(connection, TSS_TAG(7, 32, 0), TSS_INFINITE);
	raw(&r);
	CHECK_OK(r.rax);
	CHECK(r.rdi, 0);
	CHECK(r.rsi, TSS_TAG(7, 32, 0));
	CHECK(r.rdx, 0);
	CHECK(r.r10, 0x1111);
	CHECK(r.r8, 0x2222);
	CHECK(r.r9, 0x3333);
	CHECK(r.rbx, 0x4444);
	CHECK(server->got[1], 0xfeedfacecafebeefull);
	CHECK_TRUE(joined(server));
}

/* Sends `length` bytes and gets them back; not a byte more may have been written on either side. */
static void call_with(cap_t connection, struct worker *server, unsigned length)
{
	const struct tss_ipc_page *peer = (const struct tss_ipc_page *)(IPC_BASE + server->index * 2 * TSS_PAGE_SIZE);
	struct tss_ipc_page *page = tss_ipc();
	struct registers r = call_registers(connection, TSS_TAG(length, length, 0), SECOND);
	for (unsigned i = 0; i < TSS_MESSAGE_MAX; i++) {
		((uint8_t *)page->send)[i] = (uint8_t)(i * 7 + length);
		((uint8_t *)page->recv)[i] = 0xee;
		((uint8_t *)peer->recv)[i] = 0xdd;
	}
	raw(&r);
	CHECK_OK(r.rax);
	CHECK(r.rsi, TSS_TAG(length, length, 0));
	for (unsigned i = 0; i < TSS_MESSAGE_MAX; i++) {
		bool inside = i >= 32 && i < length;
		CHECK(((uint8_t *)page->recv)[i], inside ? (uint8_t)(i * 7 + length) : 0xee);
		CHECK(((const uint8_t *)peer->recv)[i], inside ? (uint8_t)(i * 7 + length) : 0xdd);
	}
}

static void test_payload_of_every_length(void)
{
	cap_t connection;
	struct worker *server = echo(&connection, 1, TSS_MESSAGE_MAX + 1);
	for (unsigned length = 0; length <= TSS_MESSAGE_MAX; length++)
		call_with(connection, server, length);
	CHECK_TRUE(joined(server));
}

static void test_bad_tags(void)
{
	static const tss_tag_t bad[] = {
		TSS_TAG(1, 257, 0),
		TSS_TAG(1, 0xffff, 0),
		TSS_TAG(1, 0, 5),
		TSS_TAG(1, 0, 255),
		1ull << 56,
		1ull << 63,
		TSS_TAG(TSS_TYPE_KERNEL, 0, 0),
		TSS_TAG(TSS_MSG_EVENT, 8, 0),
		TSS_TAG(0xffffffff, 0, 0),
		~0ull,
	};
	cap_t port = new_port(4), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_server, port, 100);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (unsigned timeout = 0; timeout < 2; timeout++) {
			struct registers r = call_registers(connection, bad[i], timeout ? TSS_INFINITE : SECOND);
			raw(&r);
			CHECK(r.rax, E(ARGUMENT, 2));
			CHECK(r.rdi | r.rsi | r.rdx | r.r10 | r.r8 | r.r9 | r.rbx, 0);
		}
		CHECK(tss_connection_send(connection, bad[i], (uint64_t[4]){0}), E(ARGUMENT, 2));
	}
	CHECK(server->got[0], 0);
}

static void test_largest_types_pass(void)
{
	cap_t connection;
	struct worker *server = echo(&connection, 0, 2);
	struct registers r = call_registers(connection, TSS_TAG(0xfffeffff, 32, 0), TSS_INFINITE);
	raw(&r);
	CHECK_OK(r.rax);
	CHECK(r.rsi, TSS_TAG(0xfffeffff, 32, 0));
	r = call_registers(connection, TSS_TAG(0, 256, 0), TSS_TIMEOUT_MAX);
	raw(&r);
	CHECK_OK(r.rax);
	CHECK_TRUE(joined(server));
}

static void test_error_leaves_nothing_in_registers(void)
{
	struct registers r = call_registers(TSS_CAP_NULL, TSS_TAG(1, 32, 0), TSS_INFINITE);
	raw(&r);
	CHECK(r.rax, E(CAPABILITY, 1));
	CHECK(r.rdi | r.rsi | r.rdx | r.r10 | r.r8 | r.r9, 0);
	CHECK(r.rbx, 0);
	cap_t port = new_port(0);
	r = call_registers(new_connection(port, 1), TSS_TAG(1, 32, 0), 0);
	raw(&r);
	CHECK(r.rax, E(TIMEOUT, 0));
	CHECK(r.rdi | r.rsi | r.rdx | r.r10 | r.r8 | r.r9 | r.rbx, 0);
	r = (struct registers){
		.rax = TSS_SYS_port_receive, .rdi = port, .rsi = 0, .r10 = 1, .r8 = 2, .r9 = 3, .rbx = 4};
	raw(&r);
	CHECK(r.rax, E(TIMEOUT, 0));
	CHECK(r.rdi | r.rsi | r.rdx | r.r10 | r.r8 | r.r9 | r.rbx, 0);
}

/* rbp and r12 to r15 survive a call that blocks, and rbx a VALUE call. */
static uint64_t kept_over(uint64_t number, uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t rbx)
{
	uint64_t changed;
	asm volatile("pushq %%rbp\n\t"
		     "movq $0x5a01, %%rbp\n\tmovq $0x5a12, %%r12\n\tmovq $0x5a13, %%r13\n\tmovq $0x5a14, %%r14\n\t"
		     "movq $0x5a15, %%r15\n\t"
		     "syscall\n\t"
		     "xorq $0x5a01, %%rbp\n\txorq $0x5a12, %%r12\n\txorq $0x5a13, %%r13\n\txorq $0x5a14, %%r14\n\t"
		     "xorq $0x5a15, %%r15\n\t"
		     "movq %%rbp, %%rax\n\torq %%r12, %%rax\n\torq %%r13, %%rax\n\torq %%r14, %%rax\n\t"
		     "orq %%r15, %%rax\n\t"
		     "popq %%rbp"
		     : "=a"(changed), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx)
		     : "0"(number)
		     : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	return changed | (number == TSS_SYS_self_sleep ? rbx ^ 0x77 : 0);
}

static void test_registers_are_kept(void)
{
	cap_t connection;
	struct worker *server = echo(&connection, 0, 1);
	CHECK(kept_over(TSS_SYS_self_sleep, 500, 0, 0, 0x77), 0);
	CHECK(kept_over(TSS_SYS_connection_call, connection, TSS_TAG(1, 8, 0), TSS_INFINITE, 0x77), 0);
	CHECK_TRUE(joined(server));
}

static void test_counters_of_a_connection(void)
{
	cap_t connection;
	struct worker *server = echo(&connection, 77, 2);
	struct registers r = call_registers(connection, TSS_TAG(1, 0, 0), TSS_INFINITE);
	raw(&r);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 0, 0), (uint64_t[4]){0}));
	CHECK_TRUE(joined(server));
	const struct tss_inspect_connection *record = (const struct tss_inspect_connection *)tss_ipc()->recv;
	uint64_t id = object_id(connection), next = 0;
	do
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_CONNECTION, next, 0, &next));
	while (record->id != id && next);
	CHECK(record->badge, 77);
	CHECK(record->calls, 1);
	CHECK(record->sends, 1);
	CHECK(record->refused, 0);
}

const struct test message_tests[] = {
	TEST(call_in_registers),
	TEST(payload_of_every_length),
	TEST(bad_tags),
	TEST(largest_types_pass),
	TEST(error_leaves_nothing_in_registers),
	TEST(registers_are_kept),
	TEST(counters_of_a_connection),
	{0},
};
