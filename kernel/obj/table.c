/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - which system calls a unit may make, and which its monitor is asked about. Each unit points to a table, whose
 * entries are all that this costs: a call that is allowed goes the same way in every table. Most units of a system are
 * like others, so tables are shared by the units of one parent, who pays and whom none of them outlives.
 */
#include <frame.h>
#include <syscall.h>

struct link syscall_tables = {&syscall_tables, &syscall_tables};

#define HAS(mask, call) ((mask)[(call) / 64] >> (call) % 64 & 1)

static void table_fill(struct syscall_table *table)
{
	static const struct syscall_row denied = {.handler = sys_denied}, asked = {.handler = sys_asked};
	for (unsigned i = 0; i < TSS_SYSCALL_COUNT; i++) {
		const struct syscall_row *plain = &syscall_table.row[i];
		const struct syscall_row *row = HAS(table->calls.asked, i) ? &asked : plain;
		row = HAS(table->calls.allowed, i) ? row : &denied;
		table->row[i] = *row;
		table->entry[i] = row == plain ? syscall_table.entry[i] : arch_syscall_general;
	}
}

const struct syscall_table *table_keep(const struct syscall_table *table)
{
	/* Safety: only this counter of a table ever changes; that of the one in read-only memory is not looked at. */
	if (table != &syscall_table)
		((struct syscall_table *)table)->users++;
	return table;
}

/* The one of those calls, kept. NULL: payer has no page for it. */
static const struct syscall_table *table_get(struct unit *payer, const struct tss_calls *calls)
{
	LINK_FOR_EACH(struct syscall_table, table, &syscall_tables, all)
		if (table->payer == payer && __builtin_memcmp(&table->calls, calls, sizeof(*calls)) == 0)
			return table_keep(table);
	static uint32_t tables;
	struct syscall_table *table = frame_alloc(payer);
	if (!table)
		return NULL;
	table->id = ++tables;
	table->calls = *calls;
	table->payer = payer;
	table_fill(table);
	link_append(&syscall_tables, &table->all);
	return table_keep(table);
}

static void pass(struct cpu *cpu, void *argument)
{
}

void table_put(const struct syscall_table *kept)
{
	/* Safety: as in table_keep(). */
	struct syscall_table *table = (struct syscall_table *)kept;
	if (!table || table == &syscall_table || --table->users)
		return;
	EACH_CPU(cpu)
		cpu_ask(cpu, pass, NULL); /* one may have read unit->table and not yet have its lock */
	link_remove(&table->all);
	frame_free(table->payer, table);
}

void table_use(struct unit *unit, const struct syscall_table *table)
{
	const struct syscall_table *before = unit->table;
	/* Another CPU finds its way by the table before it has a lock. */
	__atomic_store_n(&unit->table, table, __ATOMIC_RELEASE);
	table_put(before);
}

static status_t table_change(struct unit *unit, const struct tss_calls *calls)
{
	const struct syscall_table *table = table_get(unit->parent ? unit->parent : unit, calls);
	if (!table)
		return ERR(MEMORY, 0);
	table_use(unit, table);
	return TSS_OK;
}

/* (unit, mask0, mask1) */
status_t sys_unit_restrict(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	struct tss_calls calls = unit->table->calls;
	calls.allowed[0] &= ARG2(self);
	calls.allowed[1] &= ARG3(self);
	return table_change(unit, &calls);
}

/* (unit, connection, mask0, mask1) */
status_t sys_unit_interpose(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	struct tss_calls calls = unit->table->calls;
	status_t status;
	struct connection *monitor = ARGUMENT2(self, CONNECTION, CALL);
	if (unit->monitor && unit->monitor != monitor)
		return ERR(BUSY, 1);
	calls.asked[0] |= ARG3(self);
	calls.asked[1] |= ARG4(self);
	status = table_change(unit, &calls);
	if (status == TSS_OK)
		unit->monitor = monitor;
	return status;
}
