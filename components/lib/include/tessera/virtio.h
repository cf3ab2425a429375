/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio.h - devices as Virtual I/O Device (VIRTIO) Version 1.1 describes them: modern ones, on PCI and as MMIO, with
 * split virtqueues. No device is trusted: what it writes is checked before it is used, and a device that breaks a rule
 * is broken for good, until it is set up anew. No system calls here: who uses it brings memory and registers.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum virtio_status {
	VIRTIO_OK = 0,
	VIRTIO_NONE, /* nothing is there yet */
	VIRTIO_FULL, /* no descriptors are free */
	VIRTIO_ARGUMENT, /* the caller's mistake */
	VIRTIO_REFUSED, /* the device does not take the features, or has not what is needed */
	VIRTIO_BROKEN, /* it broke a rule */
};

/* Features beside the device's own; 1.1, 6. */
#define VIRTIO_FEATURE_VERSION_1 (1ull << 32)
#define VIRTIO_FEATURE_PLATFORM (1ull << 33)

#define VIRTIO_NO_VECTOR 0xffffu

/* How registers are reached. `window` is one of enum virtio_window; offset and width have been checked against its size. */
enum virtio_window { VIRTIO_COMMON, VIRTIO_NOTIFY, VIRTIO_ISR, VIRTIO_DEVICE, VIRTIO_WINDOWS };
struct virtio_bus {
	uint32_t (*read)(void *context, enum virtio_window window, uint32_t offset, unsigned width);
	void (*write)(void *context, enum virtio_window window, uint32_t offset, unsigned width, uint32_t value);
	void *context;
};

struct virtio;
/* What differs between PCI and MMIO. */
struct virtio_transport {
	uint8_t (*status_get)(const struct virtio *v);
	void (*status_set)(const struct virtio *v, uint8_t status);
	uint32_t (*features_get)(const struct virtio *v, uint32_t half);
	void (*features_set)(const struct virtio *v, uint32_t half, uint32_t features);
	uint32_t (*queue_select)(const struct virtio *v, uint16_t queue); /* entries at most, 0: there is none */
	void (*queue_set)(const struct virtio *v, uint16_t size, const uint64_t addresses[3], uint16_t vector);
	bool (*vector_taken)(const struct virtio *v, uint16_t vector);
	uint32_t (*notify_offset)(const struct virtio *v); /* of the selected queue */
	void (*notify)(const struct virtio *v, uint16_t queue, uint32_t offset);
	uint32_t (*generation)(const struct virtio *v);
	uint32_t (*config)(const struct virtio *v, uint32_t offset);
	uint32_t (*interrupted)(
		const struct virtio *v); /* and acknowledges; bit 0: a queue, bit 1: the configuration */
};

struct virtio {
	struct virtio_bus bus;
	const struct virtio_transport *transport;
	uint32_t size[VIRTIO_WINDOWS]; /* bytes */
	uint32_t notify_step; /* PCI */
	uint64_t features; /* agreed upon */
};

/*
 * PCI: where the windows are, from the device's capabilities (4.1.4). `read` gives 1, 2 or 4 bytes of configuration space.
 * The caller maps them, and gives registers through v->bus.
 */
struct virtio_place {
	uint8_t bar;
	uint32_t offset, size;
};
struct virtio_places {
	struct virtio_place windows[VIRTIO_WINDOWS];
	uint32_t notify_step;
};
enum virtio_status virtio_pci_places(struct virtio_places *places,
				     uint32_t (*read)(void *context, unsigned offset, unsigned width), void *context);
void virtio_pci(struct virtio *v, const struct virtio_places *places);
/* MMIO: all registers are in VIRTIO_COMMON, `size` bytes. REFUSED: no modern device of that kind (4.2.2). */
enum virtio_status virtio_mmio(struct virtio *v, uint32_t size, uint32_t device);

/*
 * Resets the device and agrees on features (3.1.1): `needed` and VERSION_1, or it is REFUSED; of `wanted` those that it has.
 * Queues are set up then, and virtio_ready() lets it begin.
 */
enum virtio_status virtio_begin(struct virtio *v, uint64_t needed, uint64_t wanted);
enum virtio_status virtio_ready(struct virtio *v);
void virtio_fail(struct virtio *v); /* gives up on it, and says so to it */
/* `size` bytes of its configuration, from one generation. BROKEN: it changes all the time; ARGUMENT: it has not so many. */
enum virtio_status virtio_config(const struct virtio *v, uint32_t offset, void *to, uint32_t size);
uint32_t virtio_interrupted(const struct virtio *v);

/* A virtqueue: descriptors are ours alone, what the device may write is looked at once and believed never. */
#define VIRTQ_MAX 128u
struct virtq_buffer {
	uint64_t physical;
	uint32_t size;
};
struct virtq {
	uint16_t index, size;
	uint16_t free, free_count; /* first free descriptor, and how many there are */
	uint16_t posted, taken; /* counters, as the rings have them */
	bool broken;
	uint32_t notify_offset;
	struct virtq_descriptor *descriptors;
	struct virtq_available *available;
	struct virtq_used *used;
	struct {
		uint32_t writable; /* bytes that the device may have written */
		uint16_t next; /* free: the next free one; in a chain: the next of it */
		uint16_t count; /* of descriptors; 0: no chain in flight begins here */
	} chains[VIRTQ_MAX];
};

/* Bytes that the rings take, for up to VIRTQ_MAX entries. */
uint32_t virtq_bytes(uint16_t size);
/*
 * Sets up queue `index` with up to `size` entries (a power of two) in cleared memory at `memory`, which the device finds at
 * `physical`, of `bytes`. Interrupts come by `vector`, or VIRTIO_NO_VECTOR.
 */
enum virtio_status virtq_setup(struct virtio *v, struct virtq *q, uint16_t index, uint16_t size, void *memory,
			       uint64_t physical, uint32_t bytes, uint16_t vector);
/* Buffers that the device reads, then those that it writes. *id names them until they are taken. */
enum virtio_status virtq_post(struct virtq *q, const struct virtq_buffer *buffers, unsigned reads, unsigned writes,
			      uint16_t *id);
void virtq_notify(const struct virtio *v, const struct virtq *q);
/* The next that the device is done with: NONE, BROKEN, or its id and how many bytes were written, at most what it had. */
enum virtio_status virtq_take(struct virtq *q, uint16_t *id, uint32_t *written);
