/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_virtio.c - components/lib/virtio against a model of a device, which also misbehaves.
 *
 * sources: components/lib/virtio/ring.c components/lib/virtio/device.c components/lib/virtio/pci.c components/lib/virtio/mmio.c
 * flags: -Itests/unit/lib
 */
#include "model.h"
#include "tap.h"

#define BUFFERS 2048u /* in ram, behind the rings */
#define ENTRIES 8u

static struct model model;
static struct virtio device;
static struct virtq queue;

static void new_model(void)
{
	memset(&model, 0, sizeof(model));
	model.offered = VIRTIO_FEATURE_VERSION_1 | 0x30;
	model.size_max = 64;
	model.vector = VIRTIO_NO_VECTOR;
}

static void over_pci(void)
{
	static const struct virtio_places places = {
		.windows = {{0, 0, 56}, {0, 64, 16}, {0, 80, 4}, {0, 96, CONFIG_SIZE}}, .notify_step = 4};
	new_model();
	device.bus = (struct virtio_bus){pci_model_read, pci_model_write, &model};
	virtio_pci(&device, &places);
}

static void over_mmio(void)
{
	new_model();
	device.bus = (struct virtio_bus){mmio_model_read, mmio_model_write, &model};
	CHECK(virtio_mmio(&device, 0x100 + CONFIG_SIZE, 4) == VIRTIO_OK);
}

static enum virtio_status set_up_queue(void)
{
	return virtq_setup(&device, &queue, 0, ENTRIES, model.ram, 0, BUFFERS, VIRTIO_NO_VECTOR);
}

/* A device with a queue, over PCI. */
static void working(void)
{
	over_pci();
	CHECK(virtio_begin(&device, 0, 0) == VIRTIO_OK);
	CHECK(set_up_queue() == VIRTIO_OK);
	CHECK(virtio_ready(&device) == VIRTIO_OK);
}

static uint16_t post(unsigned reads, unsigned writes)
{
	struct virtq_buffer buffers[ENTRIES];
	uint16_t id = UINT16_MAX;
	for (unsigned i = 0; i < reads + writes; i++)
		buffers[i] = (struct virtq_buffer){BUFFERS + 100 * i, 100};
	CHECK(virtq_post(&queue, buffers, reads, writes, &id) == VIRTIO_OK);
	return id;
}

static enum virtio_status take(uint16_t *id, uint32_t *written)
{
	*id = UINT16_MAX;
	*written = UINT32_MAX;
	return virtq_take(&queue, id, written);
}

static void one_life(void)
{
	uint16_t id, posted;
	uint32_t written;
	CHECK(virtio_begin(&device, 0x10, 0x40) == VIRTIO_OK);
	CHECK(model.accepted == (VIRTIO_FEATURE_VERSION_1 | 0x10));
	CHECK(device.features == model.accepted);
	CHECK(set_up_queue() == VIRTIO_OK);
	CHECK(queue.size == ENTRIES && model.size == ENTRIES && model.enabled == 1);
	CHECK(model.addresses[0] == 0 && model.addresses[1] == 128 && model.addresses[2] == 152);
	CHECK(virtio_ready(&device) == VIRTIO_OK && (model.status & 4));
	CHECK(take(&id, &written) == VIRTIO_NONE);
	for (unsigned i = 0; i < 70000; i++) { /* the counters go round */
		posted = post(i % 3, 1 + i % 2);
		CHECK(take(&id, &written) == VIRTIO_NONE);
		CHECK(model_serve(&model) == 1);
		CHECK(take(&id, &written) == VIRTIO_OK && id == posted && written == 100 * (1 + i % 2));
		CHECK(queue.free_count == ENTRIES);
	}
	virtq_notify(&device, &queue);
	CHECK(model.notified == 1 && virtio_interrupted(&device) == 1);
}

static void test_pci(void)
{
	over_pci();
	model.notify_offset = 2;
	one_life();
	CHECK(model.seen == 8);
}

static void test_mmio(void)
{
	over_mmio();
	one_life();
	CHECK(virtio_mmio(&device, 0xff, 4) == VIRTIO_ARGUMENT);
	CHECK(virtio_mmio(&device, 0x100, 5) == VIRTIO_REFUSED);
}

static void test_out_of_order(void)
{
	uint16_t ids[3], id;
	uint32_t written;
	working();
	for (unsigned i = 0; i < 3; i++)
		ids[i] = post(1, 1);
	CHECK(queue.free_count == 2);
	struct virtq_buffer three[3] = {{BUFFERS, 1}, {BUFFERS, 1}, {BUFFERS, 1}};
	CHECK(virtq_post(&queue, three, 3, 0, &id) == VIRTIO_FULL);
	CHECK(virtq_post(&queue, three, 0, 0, &id) == VIRTIO_ARGUMENT);
	CHECK(virtq_post(&queue, three, 3, ENTRIES - 2, &id) == VIRTIO_ARGUMENT);
	model_use(&model, ids[1], 7, 1);
	model_use(&model, ids[2], 0, 1);
	CHECK(take(&id, &written) == VIRTIO_OK && id == ids[1] && written == 7);
	CHECK(take(&id, &written) == VIRTIO_OK && id == ids[2] && written == 0);
	CHECK(take(&id, &written) == VIRTIO_NONE && queue.free_count == 6);
	(void)post(3, 3); /* made of what came back, in an order of its own */
	CHECK(queue.free_count == 0);
	model_use(&model, ids[0], 100, 1);
	CHECK(take(&id, &written) == VIRTIO_OK && id == ids[0]);
}

/* Each of these breaks the queue, and it stays broken whatever comes then. */
static void broken(void)
{
	uint16_t id;
	uint32_t written;
	const struct virtq_buffer buffer = {BUFFERS, 1};
	CHECK(take(&id, &written) == VIRTIO_BROKEN);
	CHECK(id == UINT16_MAX && written == UINT32_MAX);
	model_use(&model, 0, 0, 1);
	CHECK(take(&id, &written) == VIRTIO_BROKEN);
	CHECK(virtq_post(&queue, &buffer, 0, 1, &id) == VIRTIO_BROKEN);
}

static void test_id_out_of_range(void)
{
	static const uint32_t ids[] = {ENTRIES, ENTRIES + 1, 0xffff, 0x10000, 0x80000000u, UINT32_MAX};
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		working();
		(void)post(0, 1);
		model_use(&model, ids[i], 1, 1);
		broken();
	}
}

/* The first id that is none has no place behind the last either. */
static void test_id_behind_the_largest_queue(void)
{
	over_pci();
	model.size_max = 256;
	CHECK(virtq_setup(&device, &queue, 0, VIRTQ_MAX, model.ram, 0, RAM_SIZE, VIRTIO_NO_VECTOR) == VIRTIO_OK);
	CHECK(queue.size == VIRTQ_MAX);
	(void)post(0, 1);
	model_use(&model, VIRTQ_MAX, 0, 1);
	broken();
}

static void test_id_not_in_flight(void)
{
	for (uint32_t id = 0; id < ENTRIES; id++) {
		working();
		uint16_t posted = post(1, 1);
		model_use(&model, id, 0, 1);
		if (id != posted)
			broken(); /* the second of its chain, or none */
	}
}

static void test_id_twice(void)
{
	uint16_t id, first;
	uint32_t written;
	working();
	first = post(0, 1);
	(void)post(0, 1);
	model_use(&model, first, 1, 1);
	model_use(&model, first, 1, 1);
	CHECK(take(&id, &written) == VIRTIO_OK && id == first);
	broken();
}

static void test_length_too_long(void)
{
	static const uint32_t lengths[] = {101, 200, 0x7fffffff, UINT32_MAX};
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		working();
		uint16_t id = post(2, 1); /* what it may read does not count */
		model_use(&model, id, lengths[i], 1);
		broken();
	}
	working();
	uint16_t id = post(1, 0);
	model_use(&model, id, 1, 1);
	broken();
}

static void test_index_runs_ahead(void)
{
	static const uint16_t steps[] = {3, ENTRIES, ENTRIES + 1, 0x7fff, 0x8000, 0xffff};
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		working();
		uint16_t id = post(0, 1);
		(void)post(0, 1);
		model_use(&model, id, 1, steps[i]);
		broken();
	}
	working(); /* nothing was posted at all */
	model_use(&model, 0, 0, 1);
	broken();
}

/* What it does to memory that is only ours to write does not reach us. */
static void test_rings_scribbled(void)
{
	uint16_t id, first;
	uint32_t written;
	working();
	first = post(1, 2);
	memset(model.ram, 0xff, 152);
	model_use(&model, first, 200, 1);
	CHECK(take(&id, &written) == VIRTIO_OK && id == first && written == 200 && queue.free_count == ENTRIES);
	first = post(2, 2);
	CHECK(model_posted(&model, 1) == first);
}

static void test_never_answers(void)
{
	uint16_t id;
	uint32_t written;
	working();
	(void)post(0, 1);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(take(&id, &written) == VIRTIO_NONE);
	CHECK(queue.free_count == ENTRIES - 1);
	over_pci();
	model.never_resets = true;
	model.status = 15;
	CHECK(virtio_begin(&device, 0, 0) == VIRTIO_BROKEN);
	CHECK(model.accesses < 200000);
}

static void test_features(void)
{
	over_pci();
	model.offered = 0x30; /* a legacy device */
	CHECK(virtio_begin(&device, 0, 0) == VIRTIO_REFUSED && model.status == 128);
	over_pci();
	CHECK(virtio_begin(&device, 0x100, 0) == VIRTIO_REFUSED && model.status == 128);
	over_pci();
	model.drops_features_ok = true;
	CHECK(virtio_begin(&device, 0, 0) == VIRTIO_REFUSED && model.status == 128);
	over_pci();
	model.needs_reset = true;
	CHECK(virtio_begin(&device, 0, ~0ull) == VIRTIO_OK && device.features == model.offered);
	CHECK(virtio_ready(&device) == VIRTIO_BROKEN);
}

static void test_queues(void)
{
	over_pci();
	CHECK(virtq_setup(&device, &queue, 0, 3, model.ram, 0, BUFFERS, VIRTIO_NO_VECTOR) == VIRTIO_ARGUMENT);
	CHECK(virtq_setup(&device, &queue, 0, 256, model.ram, 0, BUFFERS, VIRTIO_NO_VECTOR) == VIRTIO_ARGUMENT);
	CHECK(virtq_setup(&device, &queue, 0, 8, model.ram, 8, BUFFERS, VIRTIO_NO_VECTOR) == VIRTIO_ARGUMENT);
	CHECK(virtq_setup(&device, &queue, 0, 8, model.ram, 0, virtq_bytes(8) - 1, VIRTIO_NO_VECTOR) ==
	      VIRTIO_ARGUMENT);
	CHECK(virtq_setup(&device, &queue, 1, 8, model.ram, 0, BUFFERS, VIRTIO_NO_VECTOR) == VIRTIO_REFUSED);
	model.size_max = 5; /* no power of two */
	CHECK(set_up_queue() == VIRTIO_OK && queue.size == 4 && queue.free_count == 4);
	model.size_max = 0;
	CHECK(set_up_queue() == VIRTIO_REFUSED);
	model.size_max = 64;
	model.refuses_vector = true;
	CHECK(virtq_setup(&device, &queue, 0, 8, model.ram, 0, BUFFERS, 1) == VIRTIO_REFUSED);
	model.notify_offset = 4; /* 16 bytes from the start, where the window ends */
	CHECK(set_up_queue() == VIRTIO_OK);
	virtq_notify(&device, &queue);
	CHECK(model.notified == 0);
}

static void test_configuration(void)
{
	uint8_t bytes[CONFIG_SIZE];
	over_pci();
	memset(model.config, 7, sizeof(model.config));
	CHECK(virtio_config(&device, 4, bytes, 8) == VIRTIO_OK && bytes[0] == 7 && bytes[7] == 7);
	model.generation_changes = 5;
	CHECK(virtio_config(&device, 0, bytes, CONFIG_SIZE) == VIRTIO_OK);
	for (unsigned i = 0; i < CONFIG_SIZE; i++)
		CHECK(bytes[i] == model.config[i]);
	CHECK(virtio_config(&device, 0, bytes, CONFIG_SIZE + 1) == VIRTIO_ARGUMENT);
	CHECK(virtio_config(&device, CONFIG_SIZE, bytes, 1) == VIRTIO_ARGUMENT);
	CHECK(virtio_config(&device, UINT32_MAX, bytes, 2) == VIRTIO_ARGUMENT);
	model.mutters = true;
	CHECK(virtio_config(&device, 0, bytes, 4) == VIRTIO_BROKEN);
}

/* Configuration space, as bytes; reads beyond it end the program. */
static uint8_t space[256];

static uint32_t space_read(void *context, unsigned offset, unsigned width)
{
	uint32_t value = 0;
	(void)context;
	if (offset + width > sizeof(space))
		abort();
	memcpy(&value, space + offset, width);
	return value;
}

static void put_capability(uint8_t at, uint8_t next, uint8_t type, uint8_t bar, uint32_t offset, uint32_t size)
{
	const uint8_t head[8] = {9, next, type == 2 ? 20 : 16, type, bar};
	memcpy(space + at, head, sizeof(head));
	memcpy(space + at + 8, &offset, 4);
	memcpy(space + at + 12, &size, 4);
	if (type == 2)
		memset(space + at + 16, 1, 1);
}

static void put_all(void)
{
	memset(space, 0, sizeof(space));
	space[0x34] = 0x40;
	put_capability(0x40, 0x54, 1, 4, 0, 56);
	put_capability(0x54, 0x70, 2, 4, 0x3000, 0x1000);
	put_capability(0x70, 0x80, 3, 4, 0x1000, 4);
	put_capability(0x80, 0, 4, 4, 0x2000, 8);
}

static void test_capabilities(void)
{
	struct virtio_places places;
	put_all();
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_OK);
	CHECK(places.windows[VIRTIO_COMMON].size == 56 && places.windows[VIRTIO_NOTIFY].offset == 0x3000 &&
	      places.windows[VIRTIO_DEVICE].size == 8 && places.notify_step == 1);
	put_all();
	space[0x71] = 0x40; /* in a circle */
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_OK && places.windows[VIRTIO_DEVICE].size == 0);
	put_all();
	put_capability(0x40, 0x54, 1, 4, 0, 55); /* too short for its registers */
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_REFUSED);
	put_all();
	put_capability(0x40, 0x54, 1, 6, 0, 56); /* there is no such register */
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_REFUSED);
	put_all();
	put_capability(0x40, 0x54, 1, 4, UINT32_MAX - 10, 56); /* beyond the end */
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_REFUSED);
	put_all();
	space[0x56] = 16; /* without the step of its bells */
	CHECK(virtio_pci_places(&places, space_read, NULL) == VIRTIO_REFUSED);
}

/* Whatever a device has in its configuration space, nothing is read beyond it and an end is found. */
static void test_capabilities_by_chance(void)
{
	struct virtio_places places;
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < sizeof(space); i++)
			space[i] = (uint8_t)(rand() % 4 == 0 ? 9 : rand());
		if (virtio_pci_places(&places, space_read, NULL) != VIRTIO_OK)
			continue;
		for (unsigned i = 0; i < VIRTIO_WINDOWS; i++)
			CHECK(places.windows[i].bar < 6 &&
			      places.windows[i].offset <= UINT32_MAX - places.windows[i].size);
	}
}

int main(void)
{
	RUN(test_pci);
	RUN(test_mmio);
	RUN(test_out_of_order);
	RUN(test_id_out_of_range);
	RUN(test_id_behind_the_largest_queue);
	RUN(test_id_not_in_flight);
	RUN(test_id_twice);
	RUN(test_length_too_long);
	RUN(test_index_runs_ahead);
	RUN(test_rings_scribbled);
	RUN(test_never_answers);
	RUN(test_features);
	RUN(test_queues);
	RUN(test_configuration);
	RUN(test_capabilities);
	RUN(test_capabilities_by_chance);
	return tap_end();
}
