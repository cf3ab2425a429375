/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fibber.c - a client of a sound server: what structs, enums and arrays of a request may be, and then, by hand, what they
 * may not. Everything that cannot be must be refused, and the server must be there afterwards.
 */
#include "faulty.h"

#define PATIENCE_US 20000000u
#define POINTS 3u
#define WORDS (2 + 3 + POINTS * 3) /* how, the count, a point, and the points */

static const struct faulty_point points[POINTS] = {
	{.label = "one", .good = true, .value = 7},
	{.label = "sixsix", .good = false, .value = 90},
	{.label = "", .good = true, .way = FAULTY_WAY_SMALLEST, .value = 2},
};

static uint64_t judged(enum faulty_way how)
{
	const struct faulty_point more = {.label = "more", .good = true, .value = 5};
	struct faulty_point verdict = {.value = 0}, taken[FAULTY_JUDGE_TAKEN_MAX];
	size_t count = 0;
	tss_status_t status = faulty_judge(SLOT_PEER, how, &more, points, POINTS, &verdict, taken,
					   FAULTY_JUDGE_TAKEN_MAX, &count, PATIENCE_US);
	bool right = status == TSS_OK && count == 2 && memcmp(&taken[0], &points[0], sizeof(points[0])) == 0 &&
		     memcmp(&taken[1], &points[2], sizeof(points[2])) == 0 && verdict.way == how &&
		     strcmp(verdict.label, "more") == 0;
	return right ? verdict.value : 0;
}

/* The request of a stub with `length` bytes instead, and the byte at offset `at` changed to `value`. */
static tss_status_t twisted(uint32_t length, unsigned at, uint8_t value)
{
	uint64_t words[WORDS] = {FAULTY_WAY_SUM, POINTS};
	memcpy(&words[5], points, sizeof(points));
	((uint8_t *)words)[at] = value;
	memcpy(tss_ipc()->send, words, sizeof(words));
	tss_tag_t tag = TSS_TAG(FAULTY_METHOD_JUDGE, length, 0);
	tss_status_t status = tss_connection_call(SLOT_PEER, &tag, words, PATIENCE_US);
	return status != TSS_OK ? status : TSS_TAG_TYPE(tag) == 0 ? TSS_OK : TSS_INTERFACE_ERROR(TSS_TAG_TYPE(tag));
}

void fibber(void)
{
	static const struct {
		const char *what;
		uint32_t length;
		unsigned at;
		uint8_t value;
	} lies[] = {
		{"nothing", WORDS * 8, 0, 0},
		{"one more than fit", WORDS * 8, 8, 7},
		{"many more", WORDS * 8, 15, 0x80},
		{"count without points", WORDS * 8, 8, 4},
		{"points without count", WORDS * 8, 8, 2},
		{"half a point", WORDS * 8 - 8, 0, 0},
		{"an enum", WORDS * 8, 0, 3},
		{"an enum in the struct", WORDS * 8, 16 + 8, 3},
		{"an enum in the array", WORDS * 8, 40 + 2 * 24 + 11, 1},
		{"a bool in the array", WORDS * 8, 40 + 24 + 7, 2},
		{"a text without end", WORDS * 8, 40 + 6, 'x'},
	};
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		tss_status_t status = twisted(lies[i].length, lies[i].at, lies[i].value);
		printf("%s: %s\n", lies[i].what,
		       status == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT) ? "refused" : tss_error_name(status));
	}
	printf("judged: %lu %lu %lu\n", judged(FAULTY_WAY_SUM), judged(FAULTY_WAY_LARGEST),
	       judged(FAULTY_WAY_SMALLEST));
}
