/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faulty.c - what an instance does follows from its name: `crash` crashes, `spin` hangs, `good` is a client, and a name
 * that means nothing belongs to a server without a fault. manifests/faulty.yaml says what is to become of each.
 */
#include <interfaces/log.h>
#include "faulty.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static char name[TSS_NAME_SIZE + 1];
static unsigned works_left = 2; /* in this life: a restart begins with 2 again, in .data */

static tss_status_t on_work(void *state, struct tss_request *request, uint64_t number)
{
	(void)state, (void)request, (void)number;
	if (--works_left == 0)
		fault_work(name);
	return TSS_OK;
}

static tss_status_t on_ask(void *state, struct tss_request *request, uint64_t number, uint64_t *back)
{
	(void)state, (void)request;
	*back = number + 1;
	return TSS_OK;
}

/* The dispatcher has seen to it that no count, no enum and no bool is one that cannot be. */
static tss_status_t on_judge(void *state, struct tss_request *request, enum faulty_way how,
			     const struct faulty_point *more, const struct faulty_point *points, size_t points_count,
			     struct faulty_point *verdict, struct faulty_point *taken, size_t *taken_count)
{
	(void)state, (void)request;
	*verdict = *more;
	verdict->way = how;
	for (size_t i = 0; i < points_count; i++) {
		if (!points[i].good)
			continue;
		taken[(*taken_count)++] = points[i];
		if (how == FAULTY_WAY_SUM)
			verdict->value += points[i].value;
		else if ((how == FAULTY_WAY_LARGEST) == (points[i].value > verdict->value))
			verdict->value = points[i].value;
	}
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct faulty_operations operations = {.work = on_work, .ask = on_ask, .judge = on_judge};
	tss_status_t status = faulty_dispatch(&operations, state, request);
	fault_answer(name, request);
	return status;
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	memcpy(name, tss_ipc()->unit, TSS_NAME_SIZE);
	if (client_run(name))
		return 0;
	fault_start(name);
	return (int)tss_serve(SLOT_PORT_FAULTY, &server, NULL);
}
