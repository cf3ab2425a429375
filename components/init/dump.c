/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump.c - every unit's capability table as the kernel tells it, printed on COM1 before any other unit runs: what the
 * generator's --dump asks for. Nobody listens yet, so init drives the port itself, polled, at what the kernel has set
 * it to. The two capabilities that this takes are in the tables while they are printed, and gone afterwards.
 */
#include <abi/inspect.h>
#include "init.h"

#define COM1 0x3f8
#define COM1_PORTS 8
#define UART_DATA 0
#define UART_STATUS 5
#define STATUS_CAN_SEND 0x20
#define POLLS_MAX 100000 /* for one byte; at 115200 baud one takes about 87 us */

static cap_t ports, inspector;
static uint64_t com1; /* offset in ports */

/* The driver's own ports if the system has one, else new ones. */
static void take_ports(const struct build *build)
{
	uint64_t handle;
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		const struct tss_table_object *object = &build->table->objects[i];
		if (object->type != TSS_TYPE_IOPORT || object->a > COM1 || COM1 + COM1_PORTS > object->a + object->b)
			continue;
		if (tss_capability_derive(build->handles[i], TSS_RIGHT_READ | TSS_RIGHT_WRITE, &handle) != TSS_OK)
			continue;
		ports = (cap_t)handle;
		com1 = COM1 - object->a;
		return;
	}
	if (tss_ioport_create(TSS_SLOT_SYSTEM, COM1, COM1_PORTS, &handle) == TSS_OK)
		ports = (cap_t)handle;
}

void dump_prepare(const struct build *build)
{
	uint64_t handle;
	if (!(build->table->header->flags & TSS_TABLE_DUMP))
		return;
	take_ports(build);
	if (tss_capability_derive(TSS_SLOT_SYSTEM, TSS_RIGHT_INSPECT, &handle) == TSS_OK)
		inspector = (cap_t)handle;
}

static void put(char c)
{
	uint64_t status = 0;
	for (unsigned i = 0; i < POLLS_MAX && !(status & STATUS_CAN_SEND); i++)
		(void)tss_ioport_read(ports, com1 + UART_STATUS, 1, &status);
	(void)tss_ioport_write(ports, com1 + UART_DATA, 1, (uint8_t)c);
}

static void __attribute__((format(printf, 1, 2))) print(const char *format, ...)
{
	char line[256];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (const char *at = line; *at; at++) {
		if (*at == '\n')
			put('\r');
		put(*at);
	}
}

/* The next record goes to `record`; *index is 0 before the first and after the last. */
static bool inspect(uint64_t what, uint64_t detail, uint64_t *index, void *record, size_t size)
{
	if (tss_system_inspect(inspector, what, *index, detail, index) != TSS_OK)
		return false;
	memcpy(record, tss_ipc()->recv, size);
	return true;
}

static void print_capabilities(const struct tss_inspect_unit *unit)
{
	static const char types[][12] = {
#define OBJECT(number, name, lower, rights, text) [number] = #name,
#include <abi/objects.def>
#undef OBJECT
	};
	struct tss_inspect_capability c;
	char rights[TSS_RIGHTS_TEXT], protection[TSS_RIGHTS_TEXT];
	uint64_t slot = 0;
	do {
		if (!inspect(TSS_INSPECT_CAPABILITY, unit->id, &slot, &c, sizeof(c)))
			return;
		print("cap %.16s slot %lu %s rights %s gen %lu id %lu a %#lx b %#lx c %#lx prot %s\n",
		      (const char *)unit->name, c.slot, types[c.type], tss_rights_text((unsigned)c.rights, rights),
		      c.generation, c.id, c.a, c.b, c.c, tss_rights_text((unsigned)c.protection, protection));
	} while (slot != 0);
}

static void print_connections(void)
{
	struct tss_inspect_connection c;
	uint64_t index = 0;
	do {
		if (!inspect(TSS_INSPECT_CONNECTION, 0, &index, &c, sizeof(c)))
			return;
		print("connection %lu mode %lu methods %#lx\n", c.id, c.mode, c.methods);
	} while (index != 0);
}

void dump(void)
{
	struct tss_inspect_unit unit;
	uint64_t index = 0;
	if (inspector == TSS_CAP_NULL)
		return;
	do {
		if (!inspect(TSS_INSPECT_UNIT, 0, &index, &unit, sizeof(unit)))
			break;
		print("unit %.16s id %lu budget %lu used %lu\n", (const char *)unit.name, unit.id, unit.budget_pages,
		      unit.used_pages);
		print("calls %.16s allowed %#lx %#lx asked %#lx %#lx monitor %lu table %lu\n", (const char *)unit.name,
		      unit.calls.allowed[0], unit.calls.allowed[1], unit.calls.asked[0], unit.calls.asked[1],
		      unit.monitor, unit.table);
		print_capabilities(&unit);
	} while (index != 0);
	print_connections();
	print("dump end\n");
	(void)tss_capability_delete(ports);
	(void)tss_capability_delete(inspector);
}
