/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - generated stubs call the generated dispatcher in one process: a "kernel" of a few lines carries the registers
 * and the two IPC pages across. Then random messages: no request may make the dispatcher misbehave.
 */
#define _GNU_SOURCE 1 /* memmem */
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

static unsigned wrong_capabilities; /* so many are not what they should be */

/* The only system call of a stub beside messages. */
static inline tss_status_t tss_capability_check(cap_t cap, uint64_t type, uint64_t rights)
{
	if (wrong_capabilities > 0)
		return wrong_capabilities--, TSS_E_TYPE;
	return (cap == 8 && type == TSS_TYPE_MEMORY && rights == (TSS_RIGHT_READ | TSS_RIGHT_WRITE)) ||
			       (cap == 20 && type == TSS_TYPE_MEMORY && rights == (TSS_RIGHT_READ | TSS_RIGHT_GRANT)) ||
			       (cap == 21 && type == TSS_TYPE_MEMORY &&
				rights == (TSS_RIGHT_READ | TSS_RIGHT_WRITE | TSS_RIGHT_GRANT)) ||
			       (cap == 9 && type == TSS_TYPE_EVENT && rights == TSS_RIGHT_SIGNAL)
		       ? TSS_OK
		       : TSS_E_RIGHTS;
}

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

static unsigned
	painted_wrong; /* what the operation does wrong: 1 an enum, 2 a bool, 3 a text without end, 4 too many */

static tss_status_t on_paint(void *state, struct tss_request *request, enum every_colour wanted,
			     const struct every_row *first, const uint16_t *numbers, size_t numbers_count,
			     const struct every_row *rows, size_t rows_count, uint64_t *sum, struct every_row *last,
			     struct every_row *painted, size_t *painted_count, enum every_colour *now)
{
	(void)state, (void)request;
	CHECK(wanted <= EVERY_COLOUR_BLUE && first->kind <= EVERY_COLOUR_BLUE && strlen(first->label) < 10);
	for (size_t i = 0; i < numbers_count; i++)
		*sum += numbers[i];
	for (size_t i = 0; i < rows_count; i++) {
		CHECK(rows[i].kind <= EVERY_COLOUR_BLUE && strlen(rows[i].label) < 10);
		painted[i] = rows[i];
		painted[i].kind = wanted;
		memset(painted[i].pad5_, 0x5e, sizeof(painted[i].pad5_)); /* a secret */
	}
	*last = *first;
	memcpy(last->label, "a\0secrets", 10);
	*now = wanted;
	*painted_count = painted_wrong == 4 ? 5 : rows_count;
	if (painted_wrong == 1)
		painted[0].kind = 3;
	if (painted_wrong == 2)
		memset(&last->lit, 2, 1);
	if (painted_wrong == 3)
		memset(painted[0].label, 'x', sizeof(painted[0].label)); /* cut when it is sent */
	return TSS_OK;
}

static tss_status_t on_colours(void *state, struct tss_request *request, const enum every_colour *them,
			       size_t them_count, const bool *flags, size_t flags_count, struct every_pair *middle)
{
	(void)state, (void)request;
	for (size_t i = 0; i < them_count; i++)
		middle->left += them[i];
	for (size_t i = 0; i < flags_count; i++)
		middle->right += flags[i];
	return TSS_OK;
}

static cap_t shared; /* what the operation gives */

static tss_status_t on_share(void *state, struct tss_request *request, cap_t other, cap_t page, cap_t *event)
{
	(void)state, (void)request;
	CHECK(other == 40 && page == 8);
	*event = shared;
	return TSS_OK;
}

static unsigned lent; /* so often the operation was called */

static tss_status_t on_lend(void *state, struct tss_request *request, uint16_t first, const struct tss_buffer *data,
			    cap_t other, const struct tss_buffer *more, const char *text, size_t text_size,
			    uint64_t *total)
{
	(void)state, (void)request;
	CHECK(first == 7 && data->memory == 20 && other == 30 && more->memory == 21);
	CHECK(data->size > 0 && data->size <= 9000 && more->size > 0 && more->size <= 65536);
	CHECK(text_size == 3 && memcmp(text, "abc", 3) == 0);
	*total = data->offset + data->size + more->offset + more->size;
	lent++;
	return TSS_OK;
}

static const struct every_operations operations = {on_scalars, on_buffers, on_hand,  on_note, on_later,
						   on_paint,   on_colours, on_share, on_lend};

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

static struct every_row row(enum every_colour kind, const char *label)
{
	struct every_row made = {.kind = kind, .lit = true, .count = 1ull << 40, .small = -7};
	memset(made.pad5_, 0x5e, sizeof(made.pad5_)); /* a secret */
	memset(made.label, 0x5e, sizeof(made.label));
	memcpy(made.label, label, strlen(label) + 1);
	return made;
}

static bool told(const void *bytes, size_t size)
{
	return memchr(bytes, 0x5e, size) != NULL || memmem(bytes, size, "secret", 6) != NULL;
}

/* Structs and arrays of them arrive as they were, and nothing that lies beside their values does. */
static void test_structs(void)
{
	const struct every_row rows[4] = {row(EVERY_COLOUR_RED, ""), row(EVERY_COLOUR_BLUE, "nine char"),
					  row(EVERY_COLOUR_GREEN, "c"), row(EVERY_COLOUR_GREEN, "d")};
	const uint16_t numbers[5] = {1, 2, 3, 4, 65535};
	struct every_row last, painted[4];
	for (size_t n = 0; n <= 5; n++)
		for (size_t m = 0; m <= 3; m++) {
			uint64_t sum = 0;
			size_t count = 9;
			enum every_colour now = EVERY_COLOUR_RED;
			memset(pages, 0, sizeof(pages));
			CHECK(every_paint(1, EVERY_COLOUR_GREEN, &rows[3], numbers, n, rows, m, &sum, &last, painted, 4,
					  &count, &now, 0) == TSS_OK);
			CHECK(sum == (n < 5 ? n * (n + 1) / 2 : 65545) && count == m && now == EVERY_COLOUR_GREEN);
			CHECK(last.kind == EVERY_COLOUR_GREEN && last.lit && last.count == 1ull << 40);
			CHECK(strcmp(last.label, "a") == 0 && last.small == -7);
			for (size_t i = 0; i < m; i++)
				CHECK(painted[i].kind == EVERY_COLOUR_GREEN &&
				      strcmp(painted[i].label, rows[i].label) == 0);
			CHECK(!told(pages[0].send, TSS_MESSAGE_MAX) && !told(pages[1].send, TSS_MESSAGE_MAX));
		}
	size_t count = 0;
	CHECK(TSS_CODE(every_paint(1, 0, rows, numbers, 6, rows, 0, NULL, NULL, painted, 4, &count, NULL, 0)) ==
	      TSS_E_ARGUMENT);
	CHECK(TSS_CODE(every_paint(1, 0, rows, numbers, 0, rows, 4, NULL, NULL, painted, 4, &count, NULL, 0)) ==
	      TSS_E_ARGUMENT);
	CHECK(every_paint(1, 0, rows, numbers, 0, rows, 3, NULL, NULL, painted, 2, &count, NULL, 0) ==
	      TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT));
	const enum every_colour colours[] = {EVERY_COLOUR_BLUE, EVERY_COLOUR_GREEN, EVERY_COLOUR_BLUE};
	const bool flags[9] = {true, false, true, true, true, true, true, true, true};
	struct every_pair middle;
	CHECK(every_colours(1, colours, 3, flags, 9, &middle, 0) == TSS_OK && middle.left == 5 && middle.right == 8);
}

/* What a client says that is not of its type is refused before the operation hears of it; so is what a server says. */
static void test_hostile_values(void)
{
	const tss_status_t refused = TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT);
	struct every_row good = row(EVERY_COLOUR_RED, "x"), bad[3] = {good, good, good}, painted[4];
	const enum every_colour colours[] = {EVERY_COLOUR_BLUE, (enum every_colour)3};
	bool flags[2] = {true, true};
	size_t count;
	const uint16_t none[1] = {0};
#define PAINT(wanted_, first_, rows_)                                                                                  \
	every_paint(1, wanted_, first_, none, 0, rows_, 3, NULL, NULL, painted, 4, &count, NULL, 0)
	CHECK(PAINT(EVERY_COLOUR_BLUE, &good, bad) == TSS_OK);
	CHECK(PAINT((enum every_colour)3, &good, bad) == refused &&
	      PAINT((enum every_colour) ~0u, &good, bad) == refused);
	bad[2].kind = (enum every_colour)3;
	CHECK(PAINT(EVERY_COLOUR_BLUE, &good, bad) == refused && PAINT(EVERY_COLOUR_BLUE, &bad[2], bad) == refused);
	bad[2] = good;
	memset(&bad[2].lit, 2, 1);
	CHECK(PAINT(EVERY_COLOUR_BLUE, &good, bad) == refused && PAINT(EVERY_COLOUR_BLUE, &bad[2], bad) == refused);
	CHECK(every_colours(1, colours, 1, flags, 2, NULL, 0) == TSS_OK);
	CHECK(every_colours(1, colours, 2, flags, 2, NULL, 0) == refused);
	memset(&flags[1], 255, 1);
	CHECK(every_colours(1, colours, 1, flags, 2, NULL, 0) == refused);
	bad[2] = good;
	for (painted_wrong = 1; painted_wrong <= 4; painted_wrong++) {
		tss_status_t wanted = painted_wrong == 3   ? TSS_OK
				      : painted_wrong == 4 ? TSS_INTERFACE_ERROR(TSS_REPLY_FAILED)
							   : refused;
		CHECK(PAINT(EVERY_COLOUR_BLUE, &good, bad) == wanted);
	}
	painted_wrong = 0;
	CHECK(strcmp(painted[0].label, "xxxxxxxxx") == 0);
	CHECK(PAINT(EVERY_COLOUR_BLUE, &good, bad) == TSS_OK);
	for (unsigned text = 49; text <= 81; text += 32) { /* the last byte of a text; a stub would have cut it */
		tss_tag_t tag = TSS_TAG(EVERY_METHOD_PAINT, 56 + 3 * 32, 0);
		uint64_t w[4] = {0, 0, 3, pages[0].send[3]};
		((uint8_t *)pages[0].send)[text] = 'x';
		CHECK(tss_connection_call(1, &tag, w, 0) == TSS_OK && TSS_TAG_TYPE(tag) == TSS_REPLY_FORMAT);
		((uint8_t *)pages[0].send)[text] = 0;
	}
#undef PAINT
}

/* As long as the interface says, and no longer, though the message is whole: a stub would not have sent it. */
static void test_lengths(void)
{
	static const struct {
		uint64_t method, them, flags, status;
	} rows[] = {{EVERY_METHOD_COLOURS, 8, 9, 0},
		    {EVERY_METHOD_COLOURS, 9, 9, TSS_REPLY_FORMAT},
		    {EVERY_METHOD_COLOURS, 8, 10, TSS_REPLY_FORMAT},
		    {EVERY_METHOD_COLOURS, UINT64_MAX / 4 + 2, 0, TSS_REPLY_FORMAT}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const uint64_t length = 16 + tss_padded(rows[i].them * 4) + tss_padded(rows[i].flags);
		tss_tag_t tag = TSS_TAG(rows[i].method, length, 0);
		uint64_t w[4] = {rows[i].them, rows[i].flags, 0, 0};
		memset(pages, 0, sizeof(pages));
		CHECK(tss_connection_call(1, &tag, w, 0) == TSS_OK && TSS_TAG_TYPE(tag) == rows[i].status);
	}
}

/* A capability is of the type and has the rights that the interface says, or the message is refused and it is dropped. */
static void test_typed_capabilities(void)
{
	cap_t event = 0;
	deleted = 0;
	shared = 9;
	CHECK(every_share(1, 40, 8, &event, 0) == TSS_OK && event == 9 && deleted == 0);
	CHECK(every_share(1, 8, 7, &event, 0) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT) && deleted == 2);
	wrong_capabilities = 1; /* what the server is given */
	CHECK(every_share(1, 40, 8, &event, 0) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT) && deleted == 4);
	shared = 8; /* what the client is given */
	CHECK(every_share(1, 40, 8, &event, 0) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT) && deleted == 5 && event == 9);
}

#include "lend.h"

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
		tss_tag_t tag = TSS_TAG(rand() % 10, rand() % 2 ? rand() % 257 : rand() % 33 * 8, rand() % 5);
		tss_status_t status = tss_connection_call(1, &tag, w, 0);
		CHECK(status == TSS_OK || status == TSS_E_TIMEOUT);
		CHECK(status != TSS_OK || TSS_TAG_LENGTH(tag) <= TSS_MESSAGE_MAX);
	}
}

int main(void)
{
	RUN(test_scalars);
	RUN(test_buffers);
	RUN(test_structs);
	RUN(test_hostile_values);
	RUN(test_lengths);
	RUN(test_capabilities);
	RUN(test_typed_capabilities);
	RUN(test_shared_buffers);
	RUN(test_oneway_and_deferred);
	RUN(test_restarted);
	RUN(test_random);
	return tap_end();
}
