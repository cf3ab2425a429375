/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - generated stubs call the generated dispatcher in one process: a "kernel" of a few lines carries the registers
 * and the two IPC pages across. Then random messages: no request may make the dispatcher misbehave.
 */
#define TSS_IPC_HOST 1
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <abi/message.h>
#include "tap.h"

static struct tss_ipc_page pages[2];
static int side; /* whose page tss_ipc gives: 0 client, 1 server */
static uint64_t sent_reply[6];

static inline struct tss_ipc_page *tss_ipc(void)
{
	return &pages[side];
}

static uint64_t host_call(uint64_t number, uint64_t *rdi, uint64_t *rsi, uint64_t *rdx, uint64_t w[4]);
#define TSS_MESSAGE_SYSCALL(number_, a1, a2, a3, w_in)                                                                 \
	uint64_t rdi = (a1), rsi = (a2), rdx = (a3), host_w[4] = {(w_in)[0], (w_in)[1], (w_in)[2], (w_in)[3]};         \
	uint64_t rax = host_call(number_, &rdi, &rsi, &rdx, host_w);                                                   \
	uint64_t r10 = host_w[0], r8 = host_w[1], r9 = host_w[2], rbx = host_w[3];                                     \
	(void)rdi, (void)rsi, (void)rdx, (void)r10, (void)r8, (void)r9, (void)rbx
#include "every.h"

static unsigned deleted, notes;
static unsigned restarts; /* so many calls and sends find a server that has just come back */
static cap_t deferred;

static uint64_t host_delete(cap_t cap)
{
	(void)cap;
	deleted++;
	return TSS_OK;
}

void tss_drop_capabilities(tss_tag_t tag)
{
	for (unsigned i = 0; i < TSS_TAG_CAPS(tag); i++)
		(void)host_delete(pages[side].recv_caps[i]);
}

tss_status_t tss_reply_error(tss_tag_t tag)
{
	return TSS_INTERFACE_ERROR(TSS_TAG_TYPE(tag) != 0 ? TSS_TAG_TYPE(tag) & 0xffffu : TSS_REPLY_FORMAT);
}

static tss_status_t on_scalars(void *state, struct tss_request *request, uint8_t a, uint16_t b, uint32_t c, uint64_t d,
			       int32_t e, int64_t f, bool g, uint8_t *a2, uint16_t *b2, uint32_t *c2, uint64_t *d2,
			       int32_t *e2, int64_t *f2, bool *g2)
{
	(void)state, (void)request;
	*a2 = (uint8_t)(a + 1);
	*b2 = (uint16_t)(b + 1);
	*c2 = c + 1;
	*d2 = d + 1;
	*e2 = e + 1;
	*f2 = f + 1;
	*g2 = !g;
	return a == 99 ? EVERY_ERROR_SECOND : TSS_OK;
}

static tss_status_t on_buffers(void *state, struct tss_request *request, const void *x, size_t x_size, uint8_t n,
			       const char *y, size_t y_size, uint64_t *sum, void *joined, size_t *joined_size)
{
	(void)state, (void)request;
	*sum = n + x_size + y_size;
	memcpy(joined, x, x_size);
	memcpy((char *)joined + x_size, y, y_size);
	*joined_size = x_size + y_size;
	return TSS_OK;
}

static tss_status_t on_hand(void *state, struct tss_request *request, cap_t one, cap_t two, cap_t *three)
{
	(void)state, (void)request;
	*three = one + two;
	return TSS_OK;
}

static tss_status_t on_note(void *state, struct tss_request *request, uint64_t bits)
{
	(void)state, (void)request;
	notes += (unsigned)bits;
	return TSS_OK;
}

static tss_status_t on_later(void *state, struct tss_request *request, void *text, size_t *text_size)
{
	(void)state, (void)text, (void)text_size;
	deferred = request->reply;
	return TSS_DEFER;
}

static const struct every_operations operations = {on_scalars, on_buffers, on_hand, on_note, on_later};

/* Carries a message to the other side: the registers' words, the rest of the bytes, the capabilities. */
static void carry(int from, uint64_t tag)
{
	uint32_t length = TSS_TAG_LENGTH(tag);
	memset(pages[!from].recv, 0xee, sizeof(pages[0].recv));
	if (length > 32)
		memcpy(&pages[!from].recv[4], &pages[from].send[4], length - 32);
	memcpy(pages[!from].recv_caps, pages[from].send_caps, sizeof(pages[0].send_caps));
}

static uint64_t host_call(uint64_t number, uint64_t *rdi, uint64_t *rsi, uint64_t *rdx, uint64_t w[4])
{
	struct tss_request request = {.badge = 1, .tag = *rsi, .reply = number == TSS_SYS_connection_call ? 7 : 0};
	(void)rdi, (void)rdx;
	if (restarts > 0 && number != TSS_SYS_reply_send) {
		restarts--;
		*rsi = 0; /* what a failed call leaves in the registers */
		memset(w, 0, 32);
		return TSS_STATUS(TSS_E_PEER_RESTARTED, 1);
	}
	if (number == TSS_SYS_reply_send) {
		sent_reply[0] = *rsi;
		memcpy(sent_reply + 1, w, 32);
		return TSS_OK;
	}
	memcpy(request.words, w, 32);
	carry(0, request.tag);
	side = 1;
	tss_status_t status = every_dispatch(&operations, NULL, &request);
	side = 0;
	if (status == TSS_DEFER)
		return TSS_E_TIMEOUT;
	carry(1, request.tag);
	*rsi = request.tag;
	memcpy(w, request.words, 32);
	return TSS_OK;
}

static void test_scalars(void)
{
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;
	int32_t e;
	int64_t f;
	bool g;
	CHECK(every_scalars(1, 1, 2, 3, 4, -5, -6, true, &a, &b, &c, &d, &e, &f, &g, TSS_INFINITE) == TSS_OK);
	CHECK(a == 2 && b == 3 && c == 4 && d == 5 && e == -4 && f == -5 && !g);
	CHECK(every_scalars(1, 255, 65535, ~0u, ~0ull, INT32_MIN, INT64_MIN, false, &a, &b, &c, &d, &e, &f, &g, 0) ==
	      TSS_OK);
	CHECK(a == 0 && b == 0 && c == 0 && d == 0 && e == INT32_MIN + 1 && f == INT64_MIN + 1 && g);
	CHECK(every_scalars(1, 99, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0) ==
	      EVERY_ERROR_SECOND);
}

static void test_buffers(void)
{
	char x[101], y[101], joined[200];
	memset(x, 'x', sizeof(x));
	memset(y, 'y', sizeof(y));
	for (size_t i = 0; i <= 100; i += 5)
		for (size_t j = 0; j <= 100; j += 3) {
			size_t size = 0;
			uint64_t sum = 0;
			CHECK(every_buffers(1, x, i, 9, y, j, &sum, joined, sizeof(joined), &size, 0) == TSS_OK);
			CHECK(size == i + j && sum == 9 + i + j);
			CHECK(memcmp(joined, x, i) == 0 && memcmp(joined + i, y, j) == 0);
		}
	size_t size = 0;
	CHECK(TSS_CODE(every_buffers(1, x, 101, 9, y, 0, NULL, joined, sizeof(joined), &size, 0)) == TSS_E_ARGUMENT);
	y[3] = '\0'; /* not in a string */
	CHECK(every_buffers(1, x, 0, 9, y, 8, NULL, joined, sizeof(joined), &size, 0) ==
	      TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT));
	CHECK(every_buffers(1, x, 8, 9, y, 0, NULL, joined, 7, &size, 0) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT));
}

static void test_capabilities(void)
{
	cap_t three = 0;
	CHECK(every_hand(1, 40, 2, &three, 0) == TSS_OK && three == 42);
	uint64_t w[4] = {0, 0, 0, 0};
	tss_tag_t tag = TSS_TAG(EVERY_METHOD_NOTE, 8, 3);
	deleted = 0;
	CHECK(tss_connection_call(1, &tag, w, 0) == TSS_OK && TSS_TAG_TYPE(tag) == TSS_REPLY_FORMAT && deleted == 3);
	tag = TSS_TAG(63, 8, 2);
	CHECK(tss_connection_call(1, &tag, w, 0) == TSS_OK && TSS_TAG_TYPE(tag) == TSS_REPLY_METHOD && deleted == 5);
}

static void test_oneway_and_deferred(void)
{
	char text[240];
	size_t size;
	CHECK(every_note_send(1, 5) == TSS_OK && notes == 5);
	CHECK(every_note(1, 2, 0) == TSS_OK && notes == 7);
	CHECK(every_later(1, text, sizeof(text), &size, 0) == TSS_E_TIMEOUT && deferred == 7);
	CHECK(every_later_reply(7, TSS_OK, "abc", 3) == TSS_OK && sent_reply[0] == TSS_TAG(0, 16, 0));
	CHECK(sent_reply[1] == 3 && memcmp(&sent_reply[2], "abc\0\0\0\0", 8) == 0);
	CHECK(every_later_reply(7, EVERY_ERROR_FIRST, NULL, 0) == TSS_OK && sent_reply[0] == TSS_TAG(1, 0, 0));
	const uint64_t w[4] = {0, 0, 0, 0};
	deferred = 0;
	CHECK(tss_connection_send(1, TSS_TAG(EVERY_METHOD_LATER, 0, 0), w) == TSS_OK && deferred == 0);
}

/* An idempotent method is said once more, whole; any other, and a second restart, is the caller's to hear of. */
static void test_restarted(void)
{
	char joined[200];
	size_t size = 0;
	uint64_t sum = 0;
	uint8_t a;
	restarts = 1;
	CHECK(every_buffers(1, "forty bytes of x that do not fit in regs", 40, 9, "yy", 2, &sum, joined, 200, &size,
			    0) == TSS_OK);
	CHECK(restarts == 0 && sum == 51 && size == 42 && memcmp(joined + 38, "gsyy", 4) == 0);
	restarts = 2;
	CHECK(TSS_CODE(every_buffers(1, "x", 1, 9, "y", 1, &sum, joined, 200, &size, 0)) == TSS_E_PEER_RESTARTED);
	CHECK(restarts == 0);
	restarts = 1;
	CHECK(TSS_CODE(every_scalars(1, 1, 2, 3, 4, 5, 6, true, &a, NULL, NULL, NULL, NULL, NULL, NULL, 0)) ==
	      TSS_E_PEER_RESTARTED);
	CHECK(restarts == 0);
	restarts = 1;
	notes = 0;
	CHECK(every_note_send(1, 5) == TSS_OK && notes == 5 && restarts == 0);
}

/* Bounds are ASan's business: x and y must lie inside the page whatever the lengths say. */
static void test_random(void)
{
	for (int round = 0; round < 300000; round++) {
		uint64_t w[4];
		for (int i = 0; i < 4; i++)
			w[i] = rand() % 2 ? (uint64_t)rand() % 130 : (uint64_t)rand() << (rand() % 40);
		for (int i = 4; i < 32; i++)
			pages[0].send[i] = (uint64_t)rand();
		tss_tag_t tag = TSS_TAG(rand() % 8, rand() % 2 ? rand() % 257 : rand() % 33 * 8, rand() % 5);
		tss_status_t status = tss_connection_call(1, &tag, w, 0);
		CHECK(status == TSS_OK || status == TSS_E_TIMEOUT);
		CHECK(status != TSS_OK || TSS_TAG_LENGTH(tag) <= TSS_MESSAGE_MAX);
	}
}

int main(void)
{
	RUN(test_scalars);
	RUN(test_buffers);
	RUN(test_capabilities);
	RUN(test_oneway_and_deferred);
	RUN(test_restarted);
	RUN(test_random);
	return tap_end();
}
