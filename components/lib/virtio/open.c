/* SPDX-License-Identifier: BSD-2-Clause */
/* open.c - a virtio device on PCI: its windows found in configuration space, mapped, and reached. */
#include <interfaces/pci.h>
#include <tessera/virtio_device.h>

#define VENDOR 0x1af4u
#define DEVICE_MODERN 0x1040u /* + kind; VIRTIO 1.1, 4.1.2 */
#define DEVICE_SUBSYSTEM 0x2eu /* of a transitional one: its kind */

static uint32_t config_read(void *context, unsigned offset, unsigned width)
{
	const struct device *d = context;
	uint32_t value = 0;
	return pci_read(d->connection, offset, width, &value, TSS_INFINITE) == TSS_OK ? value : 0;
}

static uint32_t register_read(void *context, enum virtio_window window, uint32_t offset, unsigned width)
{
	const volatile uint8_t *at = ((struct virtio_device *)context)->windows[window] + offset;
	return width == 1 ? *at : width == 2 ? *(const volatile uint16_t *)at : *(const volatile uint32_t *)at;
}

static void register_write(void *context, enum virtio_window window, uint32_t offset, unsigned width, uint32_t value)
{
	volatile uint8_t *at = ((struct virtio_device *)context)->windows[window] + offset;
	if (width == 1)
		*at = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else
		*(volatile uint32_t *)at = value;
}

/* Windows often share a page; each is mapped with a mapping of its own, what is larger only at its beginning. */
static tss_status_t map_window(struct virtio_device *v, struct virtio_place *place, unsigned window)
{
	const uint32_t page = (uint32_t)TSS_PAGE_SIZE, inside = place->offset % page, room = 4 * page - inside;
	void *at = NULL;
	if (place->size == 0)
		return TSS_OK;
	if (place->size > room)
		place->size = room;
	tss_status_t status =
		map_device(&v->device, place->bar, place->offset / page, (inside + place->size + page - 1) / page, &at);
	v->windows[window] = (volatile uint8_t *)at + inside;
	return place->offset % 4 == 0 ? status : PCI_ERROR_RANGE;
}

tss_status_t virtio_device_open(struct virtio_device *v, cap_t unit, cap_t connection, uint32_t slot, uint32_t kind)
{
	struct virtio_places places;
	tss_status_t status = device_open(&v->device, unit, connection, slot);
	if (status != TSS_OK)
		return status;
	uint32_t device = v->device.identity >> 16;
	bool known = device == DEVICE_MODERN + kind ||
		     (device < DEVICE_MODERN && config_read(&v->device, DEVICE_SUBSYSTEM, 2) == kind);
	if ((v->device.identity & 0xffff) != VENDOR || !known ||
	    virtio_pci_places(&places, config_read, &v->device) != VIRTIO_OK)
		return PCI_ERROR_RANGE;
	for (unsigned i = 0; i < VIRTIO_WINDOWS && status == TSS_OK; i++)
		status = map_window(v, &places.windows[i], i);
	v->virtio.bus = (struct virtio_bus){register_read, register_write, v};
	virtio_pci(&v->virtio, &places);
	return status;
}
