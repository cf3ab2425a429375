/* SPDX-License-Identifier: BSD-2-Clause */
/* admin.c - the interface `supervision`. Every client may look; what else it may, the table says by badge. */
#include <interfaces/supervision.h>
#include "reincarnation.h"

static bool may(const struct supervisor *s, const struct tss_request *request, uint32_t what)
{
	for (unsigned n = 0; n < s->administrator_count; n++)
		if (s->administrators[n].badge == request->badge)
			return s->administrators[n].may & what;
	return false;
}

static tss_status_t find(struct supervisor *s, const char *label, size_t size, struct instance **found)
{
	for (unsigned n = 0; n < s->count; n++) {
		const char *name = (const char *)s->instances[n].row->name;
		if (strnlen(name, TSS_NAME_SIZE) != size || memcmp(name, label, size) != 0)
			continue;
		*found = &s->instances[n];
		return s->instances[n].state == STATE_DEAD ? SUPERVISION_ERROR_DEAD : TSS_OK;
	}
	return SUPERVISION_ERROR_UNKNOWN;
}

static tss_status_t on_list(void *state, struct tss_request *request, uint32_t index, uint8_t *its_state,
			    uint8_t *policy, uint64_t *restarts, void *label, size_t *label_size)
{
	const struct supervisor *s = state;
	(void)request;
	if (index >= s->count)
		return SUPERVISION_ERROR_END;
	const struct instance *i = &s->instances[index];
	(void)unit_state(i, restarts);
	*its_state = (uint8_t)i->state;
	*policy = (uint8_t)i->row->policy;
	*label_size = strnlen((const char *)i->row->name, TSS_NAME_SIZE);
	memcpy(label, i->row->name, *label_size);
	return TSS_OK;
}

static tss_status_t on_kill(void *state, struct tss_request *request, const char *label, size_t size)
{
	struct supervisor *s = state;
	struct instance *i = NULL;
	if (!may(s, request, TSS_MAY_KILL))
		return SUPERVISION_ERROR_REFUSED;
	tss_status_t status = find(s, label, size, &i);
	if (status != TSS_OK)
		return status;
	printf("unit %.16s: killed on request\n", (const char *)i->row->name);
	return unit_end(i, false) == TSS_OK ? TSS_OK : SUPERVISION_ERROR_FAILED;
}

static tss_status_t on_restart(void *state, struct tss_request *request, const char *label, size_t size)
{
	struct supervisor *s = state;
	struct instance *i = NULL;
	if (!may(s, request, TSS_MAY_RESTART))
		return SUPERVISION_ERROR_REFUSED;
	tss_status_t status = find(s, label, size, &i);
	if (status != TSS_OK)
		return status;
	if (i->row->policy == TSS_RESTART_NEVER)
		return SUPERVISION_ERROR_REFUSED;
	policy_restart(s, i, clock_now_us());
	return i->state == STATE_RUNNING ? TSS_OK : SUPERVISION_ERROR_FAILED;
}

/* The kernel decides what may become of it: only something stricter. */
static tss_status_t on_mode(void *state, struct tss_request *request, uint8_t mode, const char *client, size_t size,
			    const char *label, size_t label_size)
{
	const struct supervisor *s = state;
	if (!may(s, request, TSS_MAY_MODE))
		return SUPERVISION_ERROR_REFUSED;
	for (unsigned n = 0; n < s->control_count; n++) {
		const struct tss_supervision_control *c = &s->controls[n];
		if (strnlen((const char *)c->client, sizeof(c->client)) != size || memcmp(c->client, client, size) != 0)
			continue;
		if (strnlen((const char *)c->name, sizeof(c->name)) != label_size ||
		    memcmp(c->name, label, label_size) != 0)
			continue;
		tss_status_t status = cap_set_security_mode(c->slot, (enum tss_mode)mode);
		printf("connection %.32s of %.16s: mode %u on request: %s\n", (const char *)c->name,
		       (const char *)c->client, mode, tss_error_name(status));
		return status == TSS_OK                     ? TSS_OK
		       : TSS_CODE(status) == TSS_E_ARGUMENT ? SUPERVISION_ERROR_LOOSER
		       : TSS_CODE(status) == TSS_E_BUSY     ? SUPERVISION_ERROR_SHARED
							    : SUPERVISION_ERROR_FAILED;
	}
	return SUPERVISION_ERROR_UNKNOWN;
}

tss_status_t admin_request(struct supervisor *s, struct tss_request *request)
{
	static const struct supervision_operations operations = {
		.list = on_list,
		.kill = on_kill,
		.restart = on_restart,
		.mode = on_mode,
	};
	return supervision_dispatch(&operations, s, request);
}
