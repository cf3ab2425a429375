/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps.c - the capability space of a unit, one line a capability:
 *
 *   SLOT TYPE RIGHTS GENERATION DEPTH ID name=value...; used=1 at the end if the kernel tracks uses
 *
 * Tests compare these lines with plan.json; `caps all` puts the unit's name in front of each.
 */
#include <abi/inspect.h>
#include "shell.h"
#include "slots.h"

#define DETAIL_MAX 80

static void memory_detail(const struct tss_inspect_capability *c, char text[DETAIL_MAX])
{
	char protection[TSS_RIGHTS_TEXT];
	snprintf(text, DETAIL_MAX, " pages=%lu phys=%#lx at=%#lx prot=%s", c->a, c->b, c->c,
		 tss_rights_text((unsigned)c->protection, protection));
}

static void detail(const struct tss_inspect_capability *c, char text[DETAIL_MAX])
{
	text[0] = '\0';
	switch (c->type) {
	case TSS_TYPE_THREAD:
		snprintf(text, DETAIL_MAX, " unit=%lu", c->a);
		break;
	case TSS_TYPE_SCHED:
		snprintf(text, DETAIL_MAX, " priority=%lu slice_us=%lu", c->a, c->b);
		break;
	case TSS_TYPE_PORT:
		snprintf(text, DETAIL_MAX, " unit=%lu depth=%lu", c->a, c->b);
		break;
	case TSS_TYPE_CONNECTION:
		snprintf(text, DETAIL_MAX, " port=%lu badge=%lu payer=%lu", c->a, c->b, c->c);
		break;
	case TSS_TYPE_REPLY:
		snprintf(text, DETAIL_MAX, " port=%lu", c->a);
		break;
	case TSS_TYPE_MEMORY:
		memory_detail(c, text);
		break;
	case TSS_TYPE_IRQ:
		snprintf(text, DETAIL_MAX, " line=%lu", c->a);
		break;
	case TSS_TYPE_IOPORT:
		snprintf(text, DETAIL_MAX, " base=%#lx count=%lu", c->a, c->b);
		break;
	}
}

static void show_space(const struct tss_inspect_unit *unit, bool with_name)
{
	char rights[TSS_RIGHTS_TEXT], text[DETAIL_MAX];
	struct tss_inspect_capability c;
	struct cursor cursor = {0, false};
	while (inspect_next(&cursor, TSS_INSPECT_CAPABILITY, unit->id, &c, sizeof(c))) {
		detail(&c, text);
		printf("%.16s%s%lu %s %s %lu %lu %lu%s%s\n", with_name ? (const char *)unit->name : "",
		       with_name ? " " : "", c.slot, tss_type_name((unsigned)c.type),
		       tss_rights_text((unsigned)c.rights, rights), c.generation, c.depth, c.id, text,
		       c.exercised ? " used=1" : "");
	}
}

void show_capabilities(const char *argument)
{
	struct tss_inspect_unit unit;
	struct cursor cursor = {0, false};
	bool all = strcmp(argument, "all") == 0, found = false;
	if (*argument == '\0') {
		printf("usage: caps UNIT|all\n");
		return;
	}
	while (inspect_next(&cursor, TSS_INSPECT_UNIT, 0, &unit, sizeof(unit))) {
		if (!all && strncmp(argument, (const char *)unit.name, TSS_NAME_SIZE) != 0)
			continue;
		found = true;
		show_space(&unit, all);
	}
	if (!found)
		printf("no unit %s\n", argument);
}
