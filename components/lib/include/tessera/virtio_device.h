/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio_device.h - a virtio device on PCI, from the connection that it is to registers: device.h and virtio.h together. */
#pragma once
#include <tessera/device.h>
#include <tessera/virtio.h>

struct virtio_device {
	struct device device;
	struct virtio virtio;
	volatile uint8_t *windows[VIRTIO_WINDOWS];
};

/*
 * Opens the device behind `connection` and maps its registers; `unit` and `slot` as for device_open(). The device is silent and knows
 * nothing yet: virtio_begin() is next. A device that is no modern virtio one of kind `kind` is INTERFACE error RANGE.
 */
tss_status_t virtio_device_open(struct virtio_device *v, cap_t unit, cap_t connection, uint32_t slot, uint32_t kind);
