/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.c - interrupt lines, messages, and I/O ports. An interrupt sets bits of the bound event; the driver serves the
 * device and says so with irq_ack. At most one object a line, no port in two objects.
 *
 * A level-triggered line is masked until the acknowledgement. An edge-triggered one stays open, since an edge on a
 * masked line is lost: the first edge is signalled, a second one before the acknowledgement masks the line and is
 * signalled again after it. So a device is looked at after its last edge, and a storm costs two interrupts.
 *
 * A message (MSI) is an edge that nothing masks: each that comes meanwhile costs the CPU that one interrupt. Who programs
 * devices can mask it there.
 */
#include <irq.h>
#include <trace.h>

static struct irq *irq_lines[TSS_IRQ_COUNT];

void trap_irq(unsigned line)
{
	struct irq *irq = irq_lines[line];
	if (!irq || !irq->event) {
		arch_irq_open(line, false);
		return;
	}
	if (!cpu_is_exclusive() && (irq->cpu != cpu_this() || !event_at_home(irq->event))) {
		cpu_exclusive();
		return trap_irq(line); /* or nobody's by now */
	}
	irq->count++;
	TRACE(INTERRUPT, line, irq->object.id, irq->event->waiter ? irq->event->waiter->object.id : 0);
	if (irq->in_service) {
		irq->again = true;
		arch_irq_open(line, false);
		return;
	}
	irq->in_service = true;
	event_signal(irq->event, irq->bits);
}

static void irq_release(struct irq *irq)
{
	arch_irq_open(irq->line, false);
	irq->event = NULL;
	irq->in_service = irq->again = false;
}

void irq_destroy(void *object)
{
	struct irq *irq = object;
	irq_release(irq);
	irq_lines[irq->line] = NULL;
}

void irq_forget_events(const struct event *event, const struct unit *payer)
{
	for (unsigned line = 0; line < TSS_IRQ_COUNT; line++) {
		const struct event *bound = irq_lines[line] ? irq_lines[line]->event : NULL;
		if (bound && (bound == event || bound->object.payer == payer))
			irq_release(irq_lines[line]);
	}
}

status_t sys_irq_create(struct thread *self, struct capability *cap)
{
	uint64_t line = ARG2(self);
	if (line >= TSS_IRQ_MESSAGES ? line >= TSS_IRQ_COUNT : !arch_irq_valid(line))
		return ERR(ARGUMENT, 2);
	if (irq_lines[line])
		return ERR(OCCUPIED, 2);
	struct irq *irq = irq_lines[line] = object_alloc(self->unit, TSS_TYPE_IRQ);
	if (!irq)
		return ERR(MEMORY, 0);
	irq->line = (uint32_t)line;
	return syscall_place(self, irq, NULL, TSS_RIGHT_ALL);
}

status_t sys_irq_bind(struct thread *self, struct capability *cap)
{
	struct irq *irq = (struct irq *)cap->object;
	struct event *event = ARGUMENT2(self, EVENT, SIGNAL);
	if (ARG3(self) == 0) {
		irq_release(irq);
		return TSS_OK;
	}
	if (irq->event)
		return ERR(BUSY, 1);
	irq->event = event;
	irq->bits = ARG3(self);
	irq->cpu = self->cpu;
	arch_irq_open(irq->line, true);
	return TSS_OK;
}

status_t sys_irq_ack(struct thread *self, struct capability *cap)
{
	struct irq *irq = (struct irq *)cap->object;
	if (!irq->event)
		return ERR(BUSY, 1);
	bool moved = irq->cpu != self->cpu;
	if (!cpu_is_exclusive() && (moved || !event_at_home(irq->event)))
		kernel_exclusive(self);
	irq->cpu = self->cpu;
	bool again = irq->again;
	irq->in_service = again;
	irq->again = false;
	if (again || moved || !arch_irq_is_edge(irq->line))
		arch_irq_open(irq->line, true);
	if (again)
		event_signal(irq->event, irq->bits);
	return TSS_OK;
}

status_t sys_irq_message(struct thread *self, struct capability *cap)
{
	const struct irq *irq = ARGUMENT2(self, IRQ, CONTROL);
	if (irq->line < TSS_IRQ_MESSAGES)
		return ERR(ARGUMENT, 2);
	return syscall_value(self, arch_irq_message(irq->line, irq->event ? irq->cpu : self->cpu));
}

static bool ioport_taken(uint64_t base, uint64_t count)
{
	OBJECTS_OF(IOPORT, ioport, range)
		if (base < range->base + range->count && range->base < base + count)
			return true;
	return false;
}

status_t sys_ioport_create(struct thread *self, struct capability *cap)
{
	uint64_t base = ARG2(self), count = ARG3(self);
	if (base > 0xffff)
		return ERR(ARGUMENT, 2);
	if (count == 0 || count > 0x10000 - base)
		return ERR(ARGUMENT, 3);
	if (arch_port_reserved(base, count) || ioport_taken(base, count))
		return ERR(OCCUPIED, 2);
	struct ioport *range = object_alloc(self->unit, TSS_TYPE_IOPORT);
	if (!range)
		return ERR(MEMORY, 0);
	range->base = (uint16_t)base;
	range->count = (uint32_t)count;
	return syscall_place(self, range, NULL, TSS_RIGHT_ALL);
}

static status_t ioport_check(struct thread *self, const struct ioport *range, uint64_t count)
{
	uint64_t offset = ARG2(self), width = ARG3(self);
	if (width != 1 && width != 2 && width != 4)
		return ERR(ARGUMENT, 3);
	if (offset >= range->count || width > range->count - offset)
		return ERR(ARGUMENT, 2);
	if (count == 0 || count > TSS_MESSAGE_MAX || count * width > TSS_MESSAGE_MAX)
		return ERR(ARGUMENT, 4);
	log_console_release(range->base, range->count);
	return TSS_OK;
}

status_t sys_ioport_read(struct thread *self, struct capability *cap)
{
	const struct ioport *range = (const struct ioport *)cap->object;
	status_t status = ioport_check(self, range, 1);
	if (status == TSS_OK)
		self->frame.rdx = arch_port_read((uint16_t)(range->base + ARG2(self)), (unsigned)ARG3(self));
	return status;
}

status_t sys_ioport_write(struct thread *self, struct capability *cap)
{
	const struct ioport *range = (const struct ioport *)cap->object;
	status_t status = ioport_check(self, range, 1);
	if (status == TSS_OK)
		arch_port_write((uint16_t)(range->base + ARG2(self)), (unsigned)ARG3(self), (uint32_t)ARG4(self));
	return status;
}

/* The same port again and again, to or from the IPC page. */
static status_t ioport_string(struct thread *self, const struct ioport *range, void *words, bool write)
{
	uint8_t *at = words;
	status_t status = ioport_check(self, range, ARG4(self));
	for (uint64_t left = ARG4(self); status == TSS_OK && left > 0; left--, at += ARG3(self)) {
		uint16_t port = (uint16_t)(range->base + ARG2(self));
		uint32_t value = write ? 0 : arch_port_read(port, (unsigned)ARG3(self));
		__builtin_memcpy(write ? (void *)&value : at, write ? at : (void *)&value, ARG3(self));
		if (write)
			arch_port_write(port, (unsigned)ARG3(self), value);
	}
	return status;
}

status_t sys_ioport_input(struct thread *self, struct capability *cap)
{
	return ioport_string(self, (const struct ioport *)cap->object, self->ipc->recv, false);
}

status_t sys_ioport_output(struct thread *self, struct capability *cap)
{
	return ioport_string(self, (const struct ioport *)cap->object, self->ipc->send, true);
}
