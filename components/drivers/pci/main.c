/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the manager of PCI. Each device of the manifest is a connection, whose badge stands for it: a client cannot even
 * name another's device. What a client holds of a device (pages of its memory, interrupts, memory for DMA) descends from
 * what is held here, and is taken back whole when the device is opened again, which a driver does when it starts.
 *
 * Memory for DMA comes from a pool that is the manager's for ever, its own restarts included: what a device that nobody has
 * stopped yet writes there hurts nobody. Who restarts finds every device stopped before it hands anything out.
 */
#include <interfaces/pci.h>
#include <tessera/tessera.h>
#include "manager.h"
#include "slots.h"

#define OWNERS_MAX 16u
#define TABLE_WINDOW 0x0000000500000000ull /* tables of interrupts are mapped here, one after the other */
#define TABLE_SIZE 0x10000ull

static struct machine machine;
static struct owner owners[OWNERS_MAX];
static unsigned owner_count;

/* An owner for each connection that is a device: the table behind the directory's end. */
static bool read_owners(void)
{
	const struct tss_directory_entry *entries = (const void *)TSS_LAYOUT_DIRECTORY, *end = entries;
	while (end->badge != 0)
		end++;
	const struct tss_directory_device *rows = (const void *)(end + 1);
	for (; rows->badge != 0 && owner_count < OWNERS_MAX; rows++) {
		struct owner *o = &owners[owner_count];
		o->row = rows;
		o->entries = (volatile uint32_t *)(TABLE_WINDOW + TABLE_SIZE * owner_count++);
		for (const struct tss_directory_entry *e = entries; e < end; e++)
			if (e->badge == rows->badge)
				o->name = e->client;
	}
	return rows->badge == 0;
}

/* The device that the row names, stopped and measured; nothing if it is another's already. */
static void find_device(struct owner *o)
{
	unsigned before = o->row->which >> 48 & 0xff;
	for (unsigned i = 0; i < machine.count; i++) {
		struct function *f = &machine.functions[i];
		if (!which_fits(o->row->which, f) || before-- > 0)
			continue;
		o->taken = f->owner != NULL;
		if (o->taken)
			return;
		f->owner = o;
		o->function = f;
		function_stop(f);
		function_measure(f);
		return;
	}
}

static struct owner *owner_of(uint64_t badge)
{
	for (unsigned i = 0; i < owner_count; i++)
		if (owners[i].row->badge == badge)
			return &owners[i];
	return NULL;
}

/* Its owner, if the device is there and open; else why not. */
static struct owner *opened(const struct tss_request *request, tss_status_t *error)
{
	struct owner *o = owner_of(request->badge);
	*error = !o || !o->function ? (o && o->taken ? PCI_ERROR_TAKEN : PCI_ERROR_ABSENT)
		 : !o->open         ? PCI_ERROR_CLOSED
				    : TSS_OK;
	return *error == TSS_OK ? o : NULL;
}

static tss_status_t on_open(void *state, struct tss_request *request, uint32_t *identity, uint32_t *kind,
			    uint32_t *place)
{
	(void)state;
	struct owner *o = owner_of(request->badge);
	if (!o || !o->function)
		return o && o->taken ? PCI_ERROR_TAKEN : PCI_ERROR_ABSENT;
	function_stop(o->function);
	take_back(o);
	function_measure(o->function);
	o->open = true;
	*identity = o->function->identity;
	*kind = o->function->kind;
	*place = o->function->place;
	return TSS_OK;
}

static tss_status_t on_read(void *state, struct tss_request *request, uint32_t offset, uint32_t width, uint32_t *value)
{
	(void)state;
	tss_status_t status;
	const struct owner *o = opened(request, &status);
	if (!o)
		return status;
	if ((width != 1 && width != 2 && width != 4) || offset >= 256 || offset % width != 0)
		return PCI_ERROR_RANGE;
	*value = config_read(o->function->place, offset, width);
	return TSS_OK;
}

static tss_status_t on_region(void *state, struct tss_request *request, uint32_t bar, uint32_t first, uint32_t pages,
			      cap_t *memory)
{
	(void)state;
	tss_status_t status;
	struct owner *o = opened(request, &status);
	return o ? give_region(o, bar, first, pages, memory) : status;
}

static tss_status_t on_vector(void *state, struct tss_request *request, uint32_t number, cap_t *irq)
{
	(void)state;
	tss_status_t status;
	struct owner *o = opened(request, &status);
	return o ? give_vector(o, number, irq) : status;
}

static tss_status_t on_arm(void *state, struct tss_request *request, uint32_t number)
{
	(void)state;
	tss_status_t status;
	struct owner *o = opened(request, &status);
	return o ? arm_vector(o, number) : status;
}

static tss_status_t on_dma(void *state, struct tss_request *request, uint32_t pages, uint64_t *physical, cap_t *memory)
{
	(void)state;
	tss_status_t status;
	struct owner *o = opened(request, &status);
	return o ? give_run(o, pages, physical, memory) : status;
}

static tss_status_t on_dma_free(void *state, struct tss_request *request, uint64_t physical)
{
	(void)state;
	tss_status_t status;
	struct owner *o = opened(request, &status);
	return o ? take_run(o, physical) : status;
}

static tss_status_t on_start(void *state, struct tss_request *request)
{
	(void)state;
	tss_status_t status;
	const struct owner *o = opened(request, &status);
	if (o)
		function_start(o->function);
	return status;
}

static tss_status_t on_list(void *state, struct tss_request *request, uint32_t number, uint32_t *next, char *text,
			    size_t *size)
{
	(void)state, (void)request;
	if (number >= machine.count)
		return PCI_ERROR_RANGE;
	const struct function *f = &machine.functions[number];
	int length = snprintf(text, PCI_LIST_TEXT_MAX, "%02x:%02x.%x %04x:%04x class %02x.%02x.%02x, %u vectors, %.16s",
			      f->place >> 8, f->place >> 3 & 31, f->place & 7, f->identity & 0xffff, f->identity >> 16,
			      f->kind >> 16, f->kind >> 8 & 0xff, f->kind & 0xff, f->vectors,
			      f->owner ? (const char *)f->owner->name : "nobody's");
	*size = (size_t)length;
	*next = number + 1 < machine.count ? number + 1 : 0;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct pci_operations operations = {.open = on_open,
							 .read = on_read,
							 .region = on_region,
							 .vector = on_vector,
							 .arm = on_arm,
							 .dma = on_dma,
							 .dma_free = on_dma_free,
							 .start = on_start,
							 .list = on_list};
	return pci_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	if (!read_owners())
		return 1;
	scan(&machine);
	for (unsigned i = 0; i < owner_count; i++)
		find_device(&owners[i]);
	return (int)tss_serve(SLOT_PORT_PCI, &server, NULL);
}
