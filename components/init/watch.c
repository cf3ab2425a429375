/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - what init does for the rest of its life: it waits for units to fault or end and says so, and guards the supervisor. */
#include "init.h"

/* Copied from the table, which is gone by then. */
static struct known {
	char name[TSS_NAME_SIZE + 1];
	char module[33]; /* the last part of the component's name */
	uint64_t image_base;
} instances[INSTANCES_MAX];

void watch_remember(const struct table *table)
{
	for (uint32_t i = 0; i < table->header->instance_count; i++) {
		const struct tss_table_instance *from = &table->instances[i];
		char component[sizeof(from->component) + 1] = {0};
		memcpy(instances[i].name, from->name, sizeof(from->name));
		memcpy(component, from->component, sizeof(from->component));
		const char *last = strrchr(component, '/');
		strlcpy(instances[i].module, last != NULL ? last + 1 : component, sizeof(instances[i].module));
		instances[i].image_base = from->image_base;
	}
}

static void fault(const struct known *unit, const uint64_t words[TSS_MESSAGE_REGISTERS])
{
	uint64_t kind = words[0], address = words[1], ip = words[2];
	say("unit %s: fault %s at %#lx ip %s+%#lx\n", unit->name, tss_fault_name((unsigned)kind), address, unit->module,
	    (uint64_t)(ip % TSS_LAYOUT_MOVED) - unit->image_base);
}

static void hear(const struct tss_request *request)
{
	const struct known *unit = request->badge < INSTANCES_MAX ? &instances[request->badge] : &instances[0];
	if (TSS_TAG_TYPE(request->tag) == TSS_MSG_FAULT)
		fault(unit, request->words);
	else if (TSS_TAG_TYPE(request->tag) == TSS_MSG_HEARTBEAT)
		guard_heartbeat();
	if (TSS_TAG_TYPE(request->tag) != TSS_MSG_ENDED)
		return;
	say("unit %s: ended with code %lu\n", unit->name, request->words[0]);
	guard_ended(request->badge);
}

_Noreturn void watch(cap_t port)
{
	struct tss_request request;
	for (unsigned failures = 0; failures < 16;) {
		tss_status_t status = tss_port_receive(port, &request, guard_wait());
		failures = status == TSS_OK || TSS_CODE(status) == TSS_E_TIMEOUT ? 0 : failures + 1;
		if (status == TSS_OK)
			hear(&request);
		guard_due();
	}
	for (;;)
		(void)tss_self_exit(EXIT_WATCH);
}
