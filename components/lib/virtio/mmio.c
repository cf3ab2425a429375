/* SPDX-License-Identifier: BSD-2-Clause */
/* mmio.c - modern virtio as memory-mapped registers (VIRTIO 1.1, 4.2), all of 32 bits. */
#include <tessera/virtio.h>

#define MAGIC 0x74726976u /* "virt" */
#define VERSION 2u

/* 4.2.2 */
enum {
	REGISTER_MAGIC = 0x00,
	REGISTER_VERSION = 0x04,
	REGISTER_DEVICE = 0x08,
	DEVICE_FEATURES = 0x10,
	DEVICE_HALF = 0x14,
	DRIVER_FEATURES = 0x20,
	DRIVER_HALF = 0x24,
	QUEUE_SELECT = 0x30,
	QUEUE_SIZE_MAX = 0x34,
	QUEUE_SIZE = 0x38,
	QUEUE_READY = 0x44,
	QUEUE_NOTIFY = 0x50,
	INTERRUPT = 0x60,
	INTERRUPT_DONE = 0x64,
	STATUS = 0x70,
	QUEUE_ADDRESSES = 0x80,
	GENERATION = 0xfc,
	CONFIG = 0x100
};

static uint32_t vmmio_get(const struct virtio *v, uint32_t offset)
{
	return v->bus.read(v->bus.context, VIRTIO_COMMON, offset, 4);
}

static void vmmio_set(const struct virtio *v, uint32_t offset, uint32_t value)
{
	v->bus.write(v->bus.context, VIRTIO_COMMON, offset, 4, value);
}

static uint8_t vmmio_status_get(const struct virtio *v)
{
	return (uint8_t)vmmio_get(v, STATUS);
}

static void vmmio_status_set(const struct virtio *v, uint8_t status)
{
	vmmio_set(v, STATUS, status);
}

static uint32_t vmmio_features_get(const struct virtio *v, uint32_t half)
{
	vmmio_set(v, DEVICE_HALF, half);
	return vmmio_get(v, DEVICE_FEATURES);
}

static void vmmio_features_set(const struct virtio *v, uint32_t half, uint32_t features)
{
	vmmio_set(v, DRIVER_HALF, half);
	vmmio_set(v, DRIVER_FEATURES, features);
}

/* A queue that is in use already is none: the device was reset just now. */
static uint32_t vmmio_queue_select(const struct virtio *v, uint16_t queue)
{
	vmmio_set(v, QUEUE_SELECT, queue);
	return vmmio_get(v, QUEUE_READY) ? 0 : vmmio_get(v, QUEUE_SIZE_MAX);
}

static void vmmio_queue_set(const struct virtio *v, uint16_t size, const uint64_t addresses[3], uint16_t vector)
{
	(void)vector; /* there is one line for all */
	vmmio_set(v, QUEUE_SIZE, size);
	for (unsigned i = 0; i < 3; i++) {
		vmmio_set(v, QUEUE_ADDRESSES + 0x10 * i, (uint32_t)addresses[i]);
		vmmio_set(v, QUEUE_ADDRESSES + 0x10 * i + 4, (uint32_t)(addresses[i] >> 32));
	}
	vmmio_set(v, QUEUE_READY, 1);
}

static bool vmmio_vector_taken(const struct virtio *v, uint16_t vector)
{
	(void)v;
	return vector == VIRTIO_NO_VECTOR;
}

static uint32_t vmmio_notify_offset(const struct virtio *v)
{
	(void)v;
	return QUEUE_NOTIFY;
}

static void vmmio_notify(const struct virtio *v, uint16_t queue, uint32_t offset)
{
	vmmio_set(v, offset, queue);
}

static uint32_t vmmio_generation(const struct virtio *v)
{
	return vmmio_get(v, GENERATION);
}

static uint32_t vmmio_config(const struct virtio *v, uint32_t offset)
{
	return v->bus.read(v->bus.context, VIRTIO_COMMON, CONFIG + offset, 1);
}

static uint32_t vmmio_interrupted(const struct virtio *v)
{
	uint32_t causes = vmmio_get(v, INTERRUPT) & 3;
	vmmio_set(v, INTERRUPT_DONE, causes);
	return causes;
}

enum virtio_status virtio_mmio(struct virtio *v, uint32_t size, uint32_t device)
{
	static const struct virtio_transport transport = {vmmio_status_get,   vmmio_status_set,    vmmio_features_get,
							  vmmio_features_set, vmmio_queue_select,  vmmio_queue_set,
							  vmmio_vector_taken, vmmio_notify_offset, vmmio_notify,
							  vmmio_generation,   vmmio_config,        vmmio_interrupted};
	if (size < CONFIG)
		return VIRTIO_ARGUMENT;
	v->transport = &transport;
	v->features = 0;
	v->size[VIRTIO_COMMON] = size;
	v->size[VIRTIO_DEVICE] = size - CONFIG;
	bool good = vmmio_get(v, REGISTER_MAGIC) == MAGIC && vmmio_get(v, REGISTER_VERSION) == VERSION &&
		    vmmio_get(v, REGISTER_DEVICE) == device;
	return good ? VIRTIO_OK : VIRTIO_REFUSED;
}
