/* SPDX-License-Identifier: BSD-2-Clause */
/* pci.c - modern virtio on PCI (VIRTIO 1.1, 4.1): windows found by vendor capabilities, then registers in them. */
#include <tessera/string.h>
#include <tessera/virtio.h>

#define CAPABILITIES 0x34u
#define CAPABILITY_VENDOR 0x09u
#define CAPABILITIES_MAX 48u
#define CAPABILITY_NOTIFY_STEP 16u
#define CAPABILITY_SIZE 16u
#define BARS 6u

/* Of the common window, 4.1.4.3. */
enum {
	DEVICE_HALF = 0,
	DEVICE_FEATURES = 4,
	DRIVER_HALF = 8,
	DRIVER_FEATURES = 12,
	STATUS = 20,
	GENERATION = 21,
	QUEUE_SELECT = 22,
	QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY = 30,
	QUEUE_ADDRESSES = 32,
	COMMON_SIZE = 56
};

/* cfg_type, from 1, in the order of enum virtio_window; PCI access (5) and later ones are of no use here. */
static void take_capability(struct virtio_places *places, uint32_t at, uint32_t length,
			    uint32_t (*read)(void *context, unsigned offset, unsigned width), void *context)
{
	static const uint8_t windows[] = {VIRTIO_WINDOWS, VIRTIO_COMMON, VIRTIO_NOTIFY, VIRTIO_ISR, VIRTIO_DEVICE};
	uint32_t type = read(context, at + 3, 1), bar = read(context, at + 4, 1);
	struct virtio_place place = {(uint8_t)bar, read(context, at + 8, 4), read(context, at + 12, 4)};
	if (type == 0 || type >= sizeof(windows) || bar >= BARS || length < CAPABILITY_SIZE)
		return;
	if (type == 2 && length < CAPABILITY_SIZE + 4)
		return;
	/* The first of each kind counts; what ends beyond 32 bits is none. */
	struct virtio_place *known = &places->windows[windows[type]];
	if (known->size != 0 || place.size == 0 || place.offset > UINT32_MAX - place.size)
		return;
	*known = place;
	if (type == 2)
		places->notify_step = read(context, at + CAPABILITY_NOTIFY_STEP, 4);
}

enum virtio_status virtio_pci_places(struct virtio_places *places,
				     uint32_t (*read)(void *context, unsigned offset, unsigned width), void *context)
{
	memset(places, 0, sizeof(*places));
	uint32_t at = read(context, CAPABILITIES, 1) & 0xfc;
	for (unsigned i = 0; i < CAPABILITIES_MAX && at >= 0x40 && at <= 0xec; i++) {
		uint32_t head = read(context, at, 4);
		if ((head & 0xff) == CAPABILITY_VENDOR)
			take_capability(places, at, head >> 16 & 0xff, read, context);
		at = head >> 8 & 0xfc;
	}
	const struct virtio_place *w = places->windows;
	bool good = w[VIRTIO_COMMON].size >= COMMON_SIZE && w[VIRTIO_NOTIFY].size >= 2 && w[VIRTIO_ISR].size >= 1;
	return good ? VIRTIO_OK : VIRTIO_REFUSED;
}

static uint32_t vpci_get(const struct virtio *v, uint32_t offset, unsigned width)
{
	return v->bus.read(v->bus.context, VIRTIO_COMMON, offset, width);
}

static void vpci_set(const struct virtio *v, uint32_t offset, unsigned width, uint32_t value)
{
	v->bus.write(v->bus.context, VIRTIO_COMMON, offset, width, value);
}

static uint8_t vpci_status_get(const struct virtio *v)
{
	return (uint8_t)vpci_get(v, STATUS, 1);
}

static void vpci_status_set(const struct virtio *v, uint8_t status)
{
	vpci_set(v, STATUS, 1, status);
}

static uint32_t vpci_features_get(const struct virtio *v, uint32_t half)
{
	vpci_set(v, DEVICE_HALF, 4, half);
	return vpci_get(v, DEVICE_FEATURES, 4);
}

static void vpci_features_set(const struct virtio *v, uint32_t half, uint32_t features)
{
	vpci_set(v, DRIVER_HALF, 4, half);
	vpci_set(v, DRIVER_FEATURES, 4, features);
}

static uint32_t vpci_queue_select(const struct virtio *v, uint16_t queue)
{
	vpci_set(v, QUEUE_SELECT, 2, queue);
	return vpci_get(v, QUEUE_SELECT, 2) == queue ? vpci_get(v, QUEUE_SIZE, 2) & 0xffff : 0;
}

static void vpci_queue_set(const struct virtio *v, uint16_t size, const uint64_t addresses[3], uint16_t vector)
{
	vpci_set(v, QUEUE_SIZE, 2, size);
	for (unsigned i = 0; i < 3; i++) {
		vpci_set(v, QUEUE_ADDRESSES + 8 * i, 4, (uint32_t)addresses[i]);
		vpci_set(v, QUEUE_ADDRESSES + 8 * i + 4, 4, (uint32_t)(addresses[i] >> 32));
	}
	vpci_set(v, QUEUE_VECTOR, 2, vector);
	vpci_set(v, QUEUE_ENABLE, 2, 1);
}

static bool vpci_vector_taken(const struct virtio *v, uint16_t vector)
{
	return (vpci_get(v, QUEUE_VECTOR, 2) & 0xffff) == vector;
}

static uint32_t vpci_notify_offset(const struct virtio *v)
{
	return (vpci_get(v, QUEUE_NOTIFY, 2) & 0xffff) * v->notify_step;
}

/* Where the device says that its bell is; outside of the window nobody rings. */
static void vpci_notify(const struct virtio *v, uint16_t queue, uint32_t offset)
{
	if (offset <= v->size[VIRTIO_NOTIFY] - 2)
		v->bus.write(v->bus.context, VIRTIO_NOTIFY, offset, 2, queue);
}

static uint32_t vpci_generation(const struct virtio *v)
{
	return vpci_get(v, GENERATION, 1) & 0xff;
}

static uint32_t vpci_config(const struct virtio *v, uint32_t offset)
{
	return v->bus.read(v->bus.context, VIRTIO_DEVICE, offset, 1);
}

static uint32_t vpci_interrupted(const struct virtio *v)
{
	return v->bus.read(v->bus.context, VIRTIO_ISR, 0, 1) & 3;
}

void virtio_pci(struct virtio *v, const struct virtio_places *places)
{
	static const struct virtio_transport transport = {vpci_status_get,   vpci_status_set,    vpci_features_get,
							  vpci_features_set, vpci_queue_select,  vpci_queue_set,
							  vpci_vector_taken, vpci_notify_offset, vpci_notify,
							  vpci_generation,   vpci_config,        vpci_interrupted};
	v->transport = &transport;
	v->notify_step = places->notify_step;
	v->features = 0;
	for (unsigned i = 0; i < VIRTIO_WINDOWS; i++)
		v->size[i] = places->windows[i].size;
}
