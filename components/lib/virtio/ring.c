/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.c - the split virtqueue (VIRTIO 1.1, 2.6), the driver's side.
 *
 * The device can write the used ring, and with DMA the rest as well; so nothing is read back from memory that it reaches but
 * the used ring, each word once. Which descriptors are free, what is in flight and how much of it may be written is kept
 * in chains[], here. A device that says what cannot be breaks the queue: nothing more is taken from it.
 */
#include <tessera/string.h>
#include <tessera/virtio.h>

#define FLAG_NEXT 1u
#define FLAG_WRITE 2u

struct virtq_descriptor {
	uint64_t physical;
	uint32_t size;
	uint16_t flags, next;
};
struct virtq_available {
	uint16_t flags, index, ring[];
};
struct virtq_used {
	uint16_t flags, index;
	struct {
		uint32_t id, written;
	} ring[];
};

static uint32_t used_offset(uint16_t size)
{
	return (sizeof(struct virtq_descriptor) * size + 2u * (3u + size) + 3) & ~3u;
}

uint32_t virtq_bytes(uint16_t size)
{
	return used_offset(size) + 2u * 3 + 8u * size;
}

enum virtio_status virtq_setup(struct virtio *v, struct virtq *q, uint16_t index, uint16_t size, void *memory,
			       uint64_t physical, uint32_t bytes, uint16_t vector)
{
	uint32_t most = v->transport->queue_select(v, index);
	if (size == 0 || size > VIRTQ_MAX || (size & (size - 1)) != 0)
		return VIRTIO_ARGUMENT;
	while (size > most)
		size /= 2;
	if (size == 0)
		return VIRTIO_REFUSED;
	if (bytes < virtq_bytes(size) || physical % 16 != 0)
		return VIRTIO_ARGUMENT;
	uint64_t available = sizeof(struct virtq_descriptor) * size, used = used_offset(size);
	memset(q, 0, sizeof(*q));
	q->index = index;
	q->size = q->free_count = size;
	q->descriptors = memory;
	q->available = (void *)((uint8_t *)memory + available);
	q->used = (void *)((uint8_t *)memory + used);
	for (uint16_t i = 0; i < size; i++)
		q->chains[i].next = (uint16_t)(i + 1);
	const uint64_t addresses[3] = {physical, physical + available, physical + used};
	v->transport->queue_set(v, size, addresses, vector);
	if (vector != VIRTIO_NO_VECTOR && !v->transport->vector_taken(v, vector))
		return VIRTIO_REFUSED;
	q->notify_offset = v->transport->notify_offset(v);
	return VIRTIO_OK;
}

enum virtio_status virtq_post(struct virtq *q, const struct virtq_buffer *buffers, unsigned reads, unsigned writes,
			      uint16_t *id)
{
	unsigned count = reads + writes;
	uint16_t head = q->free, at = head;
	uint64_t writable = 0;
	if (q->broken)
		return VIRTIO_BROKEN;
	if (count == 0 || count > q->size)
		return VIRTIO_ARGUMENT;
	if (count > q->free_count)
		return VIRTIO_FULL;
	for (unsigned i = 0; i < count; i++) {
		struct virtq_descriptor *d = &q->descriptors[at];
		bool write = i >= reads, last = i + 1 == count;
		uint16_t next = q->chains[at].next;
		d->physical = buffers[i].physical;
		d->size = buffers[i].size;
		d->flags = (uint16_t)((write ? FLAG_WRITE : 0) | (last ? 0 : FLAG_NEXT));
		d->next = last ? 0 : next;
		writable += write ? buffers[i].size : 0;
		q->free = next;
		at = next;
	}
	q->free_count = (uint16_t)(q->free_count - count);
	q->chains[head].count = (uint16_t)count;
	q->chains[head].writable = writable > UINT32_MAX ? UINT32_MAX : (uint32_t)writable;
	q->available->ring[q->posted % q->size] = head;
	q->posted++;
	__atomic_store_n(&q->available->index, q->posted, __ATOMIC_RELEASE);
	*id = head;
	return VIRTIO_OK;
}

void virtq_notify(const struct virtio *v, const struct virtq *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	v->transport->notify(v, q->index, q->notify_offset);
}

/* A chain's descriptors are free again. Their order is in chains[], which the device does not see. */
static void release(struct virtq *q, uint16_t head)
{
	uint16_t last = head;
	for (uint16_t i = 1; i < q->chains[head].count; i++)
		last = q->chains[last].next;
	q->free_count = (uint16_t)(q->free_count + q->chains[head].count);
	q->chains[head].count = 0;
	q->chains[last].next = q->free;
	q->free = head;
}

enum virtio_status virtq_take(struct virtq *q, uint16_t *id, uint32_t *written)
{
	if (q->broken)
		return VIRTIO_BROKEN;
	uint16_t index = __atomic_load_n(&q->used->index, __ATOMIC_ACQUIRE);
	if (index == q->taken)
		return VIRTIO_NONE;
	const volatile uint32_t *entry = (const volatile uint32_t *)&q->used->ring[q->taken % q->size];
	uint32_t head = entry[0], size = entry[1];
	/* It cannot be done with more than was posted, nor with what is not in flight, nor have written more than there was. */
	q->broken = (uint16_t)(index - q->taken) > (uint16_t)(q->posted - q->taken) || head >= q->size ||
		    q->chains[head].count == 0 || size > q->chains[head].writable;
	if (q->broken)
		return VIRTIO_BROKEN;
	release(q, (uint16_t)head);
	q->taken++;
	*id = (uint16_t)head;
	*written = size;
	return VIRTIO_OK;
}
