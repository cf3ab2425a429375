/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.c - interrupt lines and I/O ports. An interrupt sets bits of the bound event; the driver serves the device and
 * says so with irq_ack. At most one object a line, no port in two objects.
 *
 * A level-triggered line is masked until the acknowledgement. An edge-triggered one stays open, since an edge on a
 * masked line is lost: the first edge is signalled, a second one before the acknowledgement masks the line and is
 * signalled again after it. So a device is looked at after its last edge, and a storm costs two interrupts.
 */
#include <irq.h>
#include <trace.h>

static struct irq *irq_lines[IRQ_LINES];

void trap_irq(unsigned line)
{
	struct irq *irq = line < IRQ_LINES ? irq_lines[line] : NULL;
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

void irq_destroy(void *object)
{
	const struct irq *irq = object;
	arch_irq_open(irq->line, false);
	irq_lines[irq->line] = NULL;
}

void irq_forget_event(struct event *event)
{
	for (unsigned line = 0; line < IRQ_LINES; line++)
		if (irq_lines[line] && irq_lines[line]->event == event) {
			arch_irq_open(line, false);
			irq_lines[line]->event = NULL;
			irq_lines[line]->in_service = irq_lines[line]->again = false;
		}
}

status_t sys_irq_create(struct thread *self, struct capability *cap)
{
	uint64_t line = ARG2(self);
	if (line >= IRQ_LINES || !arch_irq_valid(line))
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
	status_t status;
	struct event *event = syscall_argument2(self, TSS_TYPE_EVENT, TSS_RIGHT_SIGNAL, &status);
	if (!event)
		return status;
	if (ARG3(self) == 0)
		return ERR(ARGUMENT, 3);
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

static status_t ioport_check(struct thread *self, const struct ioport *range)
{
	uint64_t offset = ARG2(self), width = ARG3(self);
	if (width != 1 && width != 2 && width != 4)
		return ERR(ARGUMENT, 3);
	if (offset >= range->count || width > range->count - offset)
		return ERR(ARGUMENT, 2);
	log_console_release(range->base, range->count);
	return TSS_OK;
}

status_t sys_ioport_read(struct thread *self, struct capability *cap)
{
	const struct ioport *range = (const struct ioport *)cap->object;
	status_t status = ioport_check(self, range);
	if (status == TSS_OK)
		self->frame.rdx = arch_port_read((uint16_t)(range->base + ARG2(self)), (unsigned)ARG3(self));
	return status;
}

status_t sys_ioport_write(struct thread *self, struct capability *cap)
{
	const struct ioport *range = (const struct ioport *)cap->object;
	status_t status = ioport_check(self, range);
	if (status == TSS_OK)
		arch_port_write((uint16_t)(range->base + ARG2(self)), (unsigned)ARG3(self), (uint32_t)ARG4(self));
	return status;
}
