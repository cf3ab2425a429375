/* SPDX-License-Identifier: BSD-2-Clause */
/* device.c - what a device goes through before it works (VIRTIO 1.1, 3.1), and its configuration, for both transports. */
#include <tessera/virtio.h>

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED 128u
#define RESET_TRIES 100000u
#define CONFIG_TRIES 16u

static enum virtio_status give_up(struct virtio *v)
{
	virtio_fail(v);
	return VIRTIO_REFUSED;
}

enum virtio_status virtio_begin(struct virtio *v, uint64_t needed, uint64_t wanted)
{
	const struct virtio_transport *t = v->transport;
	unsigned tries = RESET_TRIES;
	t->status_set(v, 0);
	while (t->status_get(v) != 0)
		if (--tries == 0)
			return VIRTIO_BROKEN;
	t->status_set(v, STATUS_ACKNOWLEDGE);
	t->status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	needed |= VIRTIO_FEATURE_VERSION_1;
	uint64_t offered = t->features_get(v, 0) | (uint64_t)t->features_get(v, 1) << 32;
	if ((offered & needed) != needed)
		return give_up(v);
	v->features = offered & (needed | wanted);
	t->features_set(v, 0, (uint32_t)v->features);
	t->features_set(v, 1, (uint32_t)(v->features >> 32));
	t->status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(t->status_get(v) & STATUS_FEATURES_OK))
		return give_up(v);
	return VIRTIO_OK;
}

enum virtio_status virtio_ready(struct virtio *v)
{
	const struct virtio_transport *t = v->transport;
	t->status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return t->status_get(v) & (STATUS_NEEDS_RESET | STATUS_FAILED) ? VIRTIO_BROKEN : VIRTIO_OK;
}

void virtio_fail(struct virtio *v)
{
	v->transport->status_set(v, STATUS_FAILED);
}

enum virtio_status virtio_config(const struct virtio *v, uint32_t offset, void *to, uint32_t size)
{
	uint8_t *bytes = to;
	if (size > v->size[VIRTIO_DEVICE] || offset > v->size[VIRTIO_DEVICE] - size)
		return VIRTIO_ARGUMENT;
	for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
		uint32_t generation = v->transport->generation(v);
		for (uint32_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)v->transport->config(v, offset + i);
		if (v->transport->generation(v) == generation)
			return VIRTIO_OK;
	}
	return VIRTIO_BROKEN;
}

uint32_t virtio_interrupted(const struct virtio *v)
{
	return v->transport->interrupted(v);
}
