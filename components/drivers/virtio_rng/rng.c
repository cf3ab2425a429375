/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng.c - random bytes from a virtio entropy device (VIRTIO 1.1, 5.4), which nobody gets twice.
 *
 * One buffer is with the device at any time, unless the pool is full. What comes is copied into the pool, which the device
 * cannot reach, and wiped where it lay. A request that the pool cannot serve waits for its reply; each client has
 * one place at most. A device that is not there, or breaks a rule, makes every request ABSENT; it is tried again when the
 * driver restarts.
 */
#include <interfaces/entropy.h>
#include <interfaces/log.h>
#include <interfaces/pci.h>
#include <tessera/tessera.h>
#include <tessera/virtio_device.h>
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#define KIND_ENTROPY 4u
#define QUEUE_SIZE 8u
#define CHUNK 256u /* bytes asked for at once */
#define POOL 512u
#define WAITERS_MAX (REPLIES_ENTROPY / 2)
#define INTERRUPT 1u

struct waiter {
	uint64_t badge;
	cap_t reply;
	uint32_t count;
};
struct rng {
	struct virtio_device device;
	struct virtq queue;
	bool works, asked; /* the device has a buffer */
	uint8_t *buffer; /* that it writes */
	cap_t irq;
	uint32_t stored, waiting;
	uint8_t pool[POOL];
	struct waiter waiters[WAITERS_MAX];
};

/* The newest bytes go first; where they were is wiped. */
static void take_bytes(struct rng *r, uint8_t *to, uint32_t count)
{
	r->stored -= count;
	memcpy(to, r->pool + r->stored, count);
	memset(r->pool + r->stored, 0, count);
}

/* Whoever waits hears that there will be nothing. */
static void give_up(struct rng *r, const char *why)
{
	printf("virtio_rng: %s\n", why);
	r->works = false;
	for (uint32_t i = 0; i < r->waiting; i++)
		(void)entropy_read_reply(r->waiters[i].reply, ENTROPY_ERROR_ABSENT, NULL, 0);
	r->waiting = 0;
	virtio_fail(&r->device.virtio);
}

static void ask(struct rng *r)
{
	uint16_t id;
	const struct virtq_buffer buffer = {virt_to_phys(&r->device.device, r->buffer), CHUNK};
	if (!r->works || r->asked || r->stored + CHUNK > POOL)
		return;
	if (virtq_post(&r->queue, &buffer, 0, 1, &id) != VIRTIO_OK)
		return give_up(r, "the queue takes no buffer");
	r->asked = true;
	virtq_notify(&r->device.virtio, &r->queue);
}

static void answer_waiters(struct rng *r)
{
	uint8_t bytes[ENTROPY_READ_BYTES_MAX];
	uint32_t served = 0;
	for (; served < r->waiting && r->waiters[served].count <= r->stored; served++) {
		take_bytes(r, bytes, r->waiters[served].count);
		(void)entropy_read_reply(r->waiters[served].reply, TSS_OK, bytes, r->waiters[served].count);
	}
	r->waiting -= served;
	memmove(r->waiters, r->waiters + served, r->waiting * sizeof(r->waiters[0]));
	memset(bytes, 0, sizeof(bytes));
}

/* The rings tell what came, interrupts only that it is worth looking. */
static void on_event(void *state, uint64_t bits)
{
	struct rng *r = state;
	uint16_t id;
	uint32_t written = 0;
	if (!r->works || !(bits & INTERRUPT))
		return;
	enum virtio_status status = virtq_take(&r->queue, &id, &written);
	if (status == VIRTIO_OK) {
		r->asked = false;
		memcpy(r->pool + r->stored, r->buffer, written);
		memset(r->buffer, 0, CHUNK);
		r->stored += written;
		answer_waiters(r);
		ask(r);
	} else if (status == VIRTIO_BROKEN) {
		give_up(r, "the device breaks the rules");
	}
	(void)irq_ack(r->irq);
}

static tss_status_t on_read(void *state, struct tss_request *request, uint32_t count, void *bytes, size_t *size)
{
	struct rng *r = state;
	if (count == 0 || count > ENTROPY_READ_BYTES_MAX)
		return ENTROPY_ERROR_COUNT;
	if (!r->works)
		return ENTROPY_ERROR_ABSENT;
	if (r->waiting == 0 && count <= r->stored) {
		take_bytes(r, bytes, count);
		*size = count;
		ask(r);
		return TSS_OK;
	}
	struct waiter *w = r->waiters;
	while (w < r->waiters + r->waiting && w->badge != request->badge)
		w++;
	if (w == r->waiters + WAITERS_MAX)
		return ENTROPY_ERROR_BUSY;
	if (w < r->waiters + r->waiting) /* it has given up its older call */
		(void)entropy_read_reply(w->reply, ENTROPY_ERROR_BUSY, NULL, 0);
	else
		r->waiting++;
	*w = (struct waiter){request->badge, request->reply, count};
	return TSS_DEFER;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct entropy_operations operations = {.read = on_read};
	return entropy_dispatch(&operations, state, request);
}

/* Rings in the first page, the buffer in the second. NULL: it works, else what does not. */
static const char *set_up(struct rng *r)
{
	struct virtio *v = &r->device.virtio;
	void *memory = NULL;
	tss_status_t status = virtio_device_open(&r->device, TSS_SLOT_UNIT, SLOT_RNG, SLOTS_END, KIND_ENTROPY);
	if (status != TSS_OK)
		return status == PCI_ERROR_ABSENT ? "there is no such device" : "the device cannot be opened";
	if (dma_alloc(&r->device.device, 2 * TSS_PAGE_SIZE, &memory) != TSS_OK)
		return "there is no memory for it";
	r->buffer = (uint8_t *)memory + TSS_PAGE_SIZE;
	if (irq_register(&r->device.device, 0, SLOT_EVENT_INTERRUPT, INTERRUPT, &r->irq) != TSS_OK)
		return "there is no interrupt for it";
	if (virtio_begin(v, 0, 0) != VIRTIO_OK)
		return "the device is not understood";
	if (virtq_setup(v, &r->queue, 0, QUEUE_SIZE, memory, virt_to_phys(&r->device.device, memory), TSS_PAGE_SIZE,
			0) != VIRTIO_OK)
		return "the device has no queue";
	if (device_start(&r->device.device) != TSS_OK || virtio_ready(v) != VIRTIO_OK)
		return "the device does not start";
	return NULL;
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .event = on_event};
	static struct rng rng;
	if (tss_event_bind(SLOT_EVENT_INTERRUPT, SLOT_PORT_ENTROPY) != TSS_OK)
		return 1;
	const char *wrong = set_up(&rng);
	rng.works = wrong == NULL;
	if (wrong != NULL)
		printf("virtio_rng: %s\n", wrong);
	ask(&rng);
	return (int)tss_serve(SLOT_PORT_ENTROPY, &server, &rng);
}
