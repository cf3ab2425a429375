/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firmware.c - devices whose place only this machine's firmware knows: framebuffer, ports and tables of ACPI.
 *
 * What the boot loader and the tables say is a rumour. It is checked before a capability is made of it, and it never
 * takes away what the plan gives by address: then the device counts as absent. The kernel refuses RAM by itself.
 */
#include <tessera/firmware.h>
#include "acpi.h"
#include "init.h"

#define WINDOW 0x0000002800000000ull /* where init maps tables while it reads them */
#define SIDE_MAX 16384u /* pixels */

static struct tss_firmware_facts facts;
static cap_t window = TSS_CAP_NULL;

static void close_window(void)
{
	if (window == TSS_CAP_NULL)
		return;
	(void)tss_unit_unmap(TSS_SLOT_UNIT, window);
	while (TSS_CODE(tss_capability_delete(window)) == TSS_E_AGAIN)
		;
	window = TSS_CAP_NULL;
}

static uint64_t page_of(uint64_t address)
{
	return address & ~(TSS_PAGE_SIZE - 1);
}

/* Pages that [address, address + size) touches. */
static uint64_t pages_of(uint64_t address, uint64_t size)
{
	return (page_of(address + size + TSS_PAGE_SIZE - 1) - page_of(address)) / TSS_PAGE_SIZE;
}

static const uint8_t *map_table(uint64_t address, uint64_t size)
{
	uint64_t handle;
	close_window();
	if (address > 1ull << 46)
		return NULL;
	if (tss_memory_device(TSS_SLOT_SYSTEM, page_of(address), pages_of(address, size), &handle) != TSS_OK)
		return NULL;
	window = (cap_t)handle;
	if (tss_unit_map(TSS_SLOT_UNIT, window, WINDOW, TSS_RIGHT_READ) != TSS_OK)
		return NULL;
	/* Safety: the pages of [address, address + size) are mapped at WINDOW. */
	return (const uint8_t *)(WINDOW + address % TSS_PAGE_SIZE);
}

static bool framebuffer_good(const struct tss_framebuffer *f)
{
	uint64_t bytes = (f->bits + 7u) / 8;
	if (f->kind != TSS_FRAMEBUFFER_RGB || f->bits < 15 || f->bits > 32 || f->address == 0)
		return false;
	if (f->width == 0 || f->width > SIDE_MAX || f->height == 0 || f->height > SIDE_MAX)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (f->colours[i].size > 8 || f->colours[i].position > 32 - f->colours[i].size)
			return false;
	return f->pitch >= f->width * bytes && f->pitch <= SIDE_MAX * 8 && f->address < 1ull << 46;
}

void firmware_read(void)
{
	struct tss_inspect_machine machine = {0};
	uint64_t next;
	tss_status_t status = tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_MACHINE, 0, 0, &next);
	if (status != TSS_OK)
		return;
	memcpy(&machine, (const void *)tss_ipc()->recv, sizeof(machine));
	if (framebuffer_good(&machine.framebuffer))
		facts.framebuffer = machine.framebuffer;
	acpi_read(machine.rsdp, map_table, &facts);
	close_window();
}

/* Does the plan give something in [base, end) by its address? */
static bool planned(const struct build *build, uint32_t type, uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		const struct tss_table_object *o = &build->table->objects[i];
		bool port = type == TSS_TYPE_IOPORT && o->type == type && o->c == 0;
		bool memory = type == TSS_TYPE_MEMORY && o->type == type && o->a == TSS_MEMORY_DEVICE;
		uint64_t start = port ? o->a : o->c, size = port ? o->b : o->b * TSS_PAGE_SIZE;
		if ((port || memory) && start < end && base < start + size)
			return true;
	}
	return false;
}

static tss_status_t make_facts(cap_t unit, uint64_t *handle)
{
	tss_status_t status = tss_memory_create(unit, 1, handle);
	if (status == TSS_OK)
		status = tss_unit_map(TSS_SLOT_UNIT, (cap_t)*handle, WINDOW, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	if (status != TSS_OK)
		return status;
	memcpy((void *)WINDOW, &facts, sizeof(facts));
	return tss_unit_unmap(TSS_SLOT_UNIT, (cap_t)*handle);
}

tss_status_t firmware_memory(const struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	const struct tss_framebuffer *f = &facts.framebuffer;
	uint64_t address = o->c == TSS_FIRMWARE_DSDT ? facts.dsdt : f->address;
	uint64_t size = o->c == TSS_FIRMWARE_DSDT ? facts.dsdt_size : (uint64_t)f->pitch * f->height;
	uint64_t pages = pages_of(address, size) < o->b ? pages_of(address, size) : o->b;
	*handle = TSS_CAP_NULL;
	if (o->c == TSS_FIRMWARE_FACTS)
		return make_facts(unit, handle);
	if (address == 0 || planned(build, TSS_TYPE_MEMORY, page_of(address), page_of(address) + pages * TSS_PAGE_SIZE))
		return TSS_OK;
	if (tss_memory_device(TSS_SLOT_SYSTEM, page_of(address), pages, handle) != TSS_OK)
		*handle = TSS_CAP_NULL;
	return TSS_OK;
}

tss_status_t firmware_ioport(const struct build *build, const struct tss_table_object *o, uint64_t *handle)
{
	const uint16_t ports[TSS_FIRMWARE_COUNT] = {[TSS_FIRMWARE_PM1A] = facts.pm1a,
						    [TSS_FIRMWARE_PM1B] = facts.pm1b,
						    [TSS_FIRMWARE_SMI] = facts.smi,
						    [TSS_FIRMWARE_RESET] = facts.reset};
	uint64_t base = ports[o->c];
	*handle = TSS_CAP_NULL;
	if (base == 0 || planned(build, TSS_TYPE_IOPORT, base, base + o->b))
		return TSS_OK;
	if (tss_ioport_create(TSS_SLOT_SYSTEM, base, o->b, handle) != TSS_OK)
		*handle = TSS_CAP_NULL;
	return TSS_OK;
}
