/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - a virtio device for tests: registers as VIRTIO 1.1 has them for PCI (4.1.4.3) and MMIO (4.2.2), a queue that it
 * serves from guest memory, which is `ram` here, at physical address 0.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tessera/virtio.h>

#define RAM_SIZE 8192u
#define CONFIG_SIZE 16u

struct model {
	_Alignas(16) uint8_t ram[RAM_SIZE];
	uint64_t offered, accepted;
	uint32_t half[2]; /* device's, driver's */
	uint8_t status;
	uint16_t selected, size, size_max, vector, enabled;
	uint64_t addresses[3];
	uint16_t notify_offset;
	uint8_t config[CONFIG_SIZE];
	uint32_t generation;
	unsigned notified, accesses, seen;
	uint16_t used; /* entries that it has put into the used ring */
	uint32_t written;
	/* misbehaviour */
	bool never_resets, drops_features_ok, refuses_vector, needs_reset,
		mutters; /* its configuration changes all the time */
	unsigned generation_changes; /* so many more times */
};

static uint16_t ram16(const struct model *m, uint64_t at)
{
	uint16_t value;
	if (at + 2 > RAM_SIZE)
		abort();
	memcpy(&value, m->ram + at, 2);
	return value;
}

static void ram_put(struct model *m, uint64_t at, const void *from, uint32_t size)
{
	if (at + size > RAM_SIZE)
		abort();
	memcpy(m->ram + at, from, size);
}

/* Puts an entry into the used ring, whatever it says, and moves the index on by `step`. */
static void model_use(struct model *m, uint32_t id, uint32_t length, uint16_t step)
{
	uint64_t at = m->addresses[2] + 4 + 8u * (m->used % m->size);
	uint16_t index = m->used = (uint16_t)(m->used + step);
	ram_put(m, at, &id, 4);
	ram_put(m, at + 4, &length, 4);
	ram_put(m, m->addresses[2] + 2, &index, 2);
}

/* The head of the n-th chain that the driver has posted. */
static uint16_t model_posted(const struct model *m, uint16_t n)
{
	return ram16(m, m->addresses[1] + 4 + 2u * (n % m->size));
}

/* Serves what was posted as a device should: fills what it may write with 0x5a. Returns how many chains there were. */
static unsigned model_serve(struct model *m)
{
	unsigned served = 0;
	for (uint16_t end = ram16(m, m->addresses[1] + 2); m->used != end; served++) {
		uint16_t head = model_posted(m, m->used);
		uint32_t written = 0;
		for (uint16_t at = head, flags = 1; flags & 1; at = ram16(m, m->addresses[0] + 16u * at + 14)) {
			uint64_t physical;
			uint32_t size;
			memcpy(&physical, m->ram + m->addresses[0] + 16u * at, 8);
			memcpy(&size, m->ram + m->addresses[0] + 16u * at + 8, 4);
			flags = ram16(m, m->addresses[0] + 16u * at + 12);
			if (!(flags & 2))
				continue;
			if (physical + size > RAM_SIZE)
				abort();
			memset(m->ram + physical, 0x5a, size);
			written += size;
		}
		model_use(m, head, written, 1);
	}
	return served;
}

static void model_status(struct model *m, uint8_t status)
{
	if (status == 0 && m->never_resets)
		return;
	if (status == 0) {
		m->enabled = 0;
		m->used = 0;
		m->accepted = 0;
	}
	m->status = status;
	if ((status & 8) && m->drops_features_ok)
		m->status = (uint8_t)(status & ~8);
	if ((status & 4) && m->needs_reset)
		m->status |= 64;
}

static uint32_t model_features(const struct model *m)
{
	return m->half[0] < 2 ? (uint32_t)(m->offered >> 32 * m->half[0]) : 0;
}

static void model_accept(struct model *m, uint32_t features)
{
	if (m->half[1] < 2)
		m->accepted |= (uint64_t)features << 32 * m->half[1];
}

static uint32_t model_generation(struct model *m)
{
	if (m->mutters || m->generation_changes > 0) {
		m->generation_changes -= m->generation_changes > 0;
		m->generation++;
		memset(m->config, (int)m->generation, sizeof(m->config));
	}
	return m->generation & 0xff;
}

static void model_address(struct model *m, unsigned word, uint32_t value)
{
	uint64_t *at = &m->addresses[word / 2];
	*at = word & 1 ? (*at & UINT32_MAX) | (uint64_t)value << 32 : (*at & ~(uint64_t)UINT32_MAX) | value;
}

static uint32_t pci_model_read(void *context, enum virtio_window window, uint32_t offset, unsigned width)
{
	struct model *m = context;
	(void)width;
	m->accesses++;
	if (window == VIRTIO_DEVICE)
		return offset < CONFIG_SIZE ? m->config[offset] : (abort(), 0);
	if (window == VIRTIO_ISR)
		return 1;
	switch (offset) {
	case 4:
		return model_features(m);
	case 20:
		return m->status;
	case 21:
		return model_generation(m);
	case 22:
		return m->selected;
	case 24:
		return m->selected == 0 ? m->size_max : 0;
	case 26:
		return m->refuses_vector ? VIRTIO_NO_VECTOR : m->vector;
	case 30:
		return m->notify_offset;
	default:
		abort();
	}
}

static void pci_model_write(void *context, enum virtio_window window, uint32_t offset, unsigned width, uint32_t value)
{
	struct model *m = context;
	(void)width;
	m->accesses++;
	if (window == VIRTIO_NOTIFY) {
		m->notified++;
		m->seen = offset;
		return;
	}
	switch (offset) {
	case 0:
	case 8:
		m->half[offset / 8] = value;
		return;
	case 12:
		return model_accept(m, value);
	case 20:
		return model_status(m, (uint8_t)value);
	case 22:
		m->selected = (uint16_t)value;
		return;
	case 24:
		m->size = (uint16_t)value;
		return;
	case 26:
		m->vector = (uint16_t)value;
		return;
	case 28:
		m->enabled = (uint16_t)value;
		return;
	default:
		if (offset < 32 || offset >= 56)
			abort();
		model_address(m, (offset - 32) / 4, value);
	}
}

static uint32_t mmio_model_read(void *context, enum virtio_window window, uint32_t offset, unsigned width)
{
	struct model *m = context;
	(void)window, (void)width;
	if (offset >= 0x100)
		return offset - 0x100 < CONFIG_SIZE ? m->config[offset - 0x100] : (abort(), 0);
	switch (offset) {
	case 0x00:
		return 0x74726976;
	case 0x04:
		return 2;
	case 0x08:
		return 4;
	case 0x10:
		return model_features(m);
	case 0x34:
		return m->selected == 0 ? m->size_max : 0;
	case 0x44:
		return m->enabled;
	case 0x60:
		return 1;
	case 0x70:
		return m->status;
	case 0xfc:
		return model_generation(m);
	default:
		abort();
	}
}

static void mmio_model_write(void *context, enum virtio_window window, uint32_t offset, unsigned width, uint32_t value)
{
	struct model *m = context;
	(void)window, (void)width;
	switch (offset) {
	case 0x14:
	case 0x24:
		m->half[offset == 0x24] = value;
		return;
	case 0x20:
		return model_accept(m, value);
	case 0x30:
		m->selected = (uint16_t)value;
		return;
	case 0x38:
		m->size = (uint16_t)value;
		return;
	case 0x44:
		m->enabled = (uint16_t)value;
		return;
	case 0x50:
		m->notified++;
		return;
	case 0x64:
		return;
	case 0x70:
		return model_status(m, (uint8_t)value);
	default:
		if (offset < 0x80 || offset > 0xa4 || (offset & 0xf) > 4)
			abort();
		model_address(m, (offset - 0x80) / 16 * 2 + (offset & 4) / 4, value);
	}
}
