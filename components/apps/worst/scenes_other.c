/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes_other.c - what is plain, devices, records, other CPUs. */
#include "scenes.h"

#define RANGES 60u
#define COM2_INTERRUPTS 1u
#define COM2_SCRATCH 7
#define COM2_MODEM 4u
#define WANT_TRANSMIT 0x02u
#define MODEM_OUT2 0x08u

static const uint64_t none[4];

static void plain_self(void)
{
	uint64_t value = 0;
	(void)tss_self_version(&value);
	(void)tss_self_clock(&value);
	(void)tss_self_yield();
	(void)tss_self_sleep(10);
	(void)tss_self_fault_handler(0, 0);
	(void)tss_self_fault_return(0);
	(void)tss_self_redirect(0, 0);
	(void)thread_of(SELF, URGENT, DO(self_fs_base, 0), DO(self_exit, 0), NOTHING);
}

static void plain_objects(void)
{
	uint64_t value = 0;
	cap_t event = event_of(SELF), port = port_of(SELF, 4);
	(void)tss_event_bind(event, port);
	(void)tss_event_signal(event, 1);
	(void)tss_event_wait(event, 0, &value);
	(void)tss_capability_inspect(event, &value);
	(void)tss_capability_check(event, TSS_TYPE_EVENT, 0);
	(void)tss_capability_move(copy_of(event, TSS_RIGHT_WAIT), 100, &value);
	(void)tss_capability_delete((cap_t)value);
}

/* Answers are given and the next call received in one. */
static void plain_calls(void)
{
	struct tss_request request;
	cap_t port = port_of(SELF, 4), connection = connection_of(port, SELF);
	(void)reply_of(port, SELF);
	for (unsigned i = 0; i < 2; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connection, TSS_TAG(1, 256, 0), FOREVER), NOTHING,
				NOTHING);
	(void)tss_port_receive(port, &request, FOREVER);
	(void)tss_port_reply_receive(port, &request, FOREVER);
	(void)tss_reply_send(request.reply, 0, none);
	(void)tss_connection_send(connection, 0, none);
}

void scene_plain(void)
{
	plain_self();
	plain_objects();
	plain_calls();
	pause_us(1000);
}

static void interrupts(void)
{
	uint64_t bits;
	cap_t event = event_of(SELF);
	(void)tss_irq_bind(SLOT_COM2_LINE, event, 1);
	(void)tss_ioport_write(SLOT_COM2, COM2_MODEM, 1, MODEM_OUT2);
	(void)tss_ioport_write(SLOT_COM2, COM2_INTERRUPTS, 1, WANT_TRANSMIT);
	if (tss_event_wait(event, 100000, &bits) != TSS_OK)
		printf("worst: no interrupt\n");
	(void)tss_ioport_read(SLOT_COM2, 2, 1, &bits);
	(void)tss_ioport_write(SLOT_COM2, COM2_INTERRUPTS, 1, 0);
	(void)tss_irq_ack(SLOT_COM2_LINE);
}

void scene_devices(void)
{
	uint64_t handle = 0, value;
	for (unsigned i = 0; i < RANGES; i++)
		made(tss_ioport_create(SYSTEM, 0x4000 + 8 * i, 8, &handle), &handle, "range");
	made(tss_irq_create(SYSTEM, 5, &handle), &handle, "line");
	made(tss_memory_device(SYSTEM, 0xfeb00000, 4, &handle), &handle, "device");
	(void)tss_memory_address(SYSTEM, (cap_t)handle, 3, &value);
	made(tss_irq_create(SYSTEM, TSS_IRQ_COUNT - 1, &handle), &handle, "message");
	(void)tss_irq_message(SYSTEM, (cap_t)handle, &value);
	(void)tss_ioport_input(SLOT_COM2, COM2_SCRATCH, 1, TSS_MESSAGE_MAX);
	(void)tss_ioport_output(SLOT_COM2, COM2_SCRATCH, 1, TSS_MESSAGE_MAX);
	interrupts();
}

static void look_at_everything(void)
{
	static const uint64_t all[] = {TSS_INSPECT_UNIT,    TSS_INSPECT_THREAD, TSS_INSPECT_CONNECTION,
				       TSS_INSPECT_MEMORY,  TSS_INSPECT_IRQ,    TSS_INSPECT_COUNTERS,
				       TSS_INSPECT_MACHINE, TSS_INSPECT_LOG};
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (uint64_t next = 0, index = 0; index < 300; index++)
			if (tss_system_inspect(SYSTEM, all[i], next, 1, &next) != TSS_OK || !next)
				break;
}

static void recorded(void)
{
	uint64_t count, number = 0;
	cap_t event = event_of(SELF), port = port_of(SELF, 16), connection = connection_of(port, SELF);
	if (tss_capability_set_mode(connection, 2) != TSS_OK)
		printf("worst: not PARANOID\n");
	for (unsigned i = 0; i < 16; i++)
		(void)tss_connection_send(connection, TSS_TAG(1, 256, 0), none);
	while (tss_system_audit(SYSTEM, event, number, &count) == TSS_OK && count)
		number += count;
}

void scene_record(void)
{
	cap_t memory = memory_of(SELF, 256);
	if (tss_system_trace(SYSTEM, memory, TSS_TRACING_ALL) != TSS_OK)
		printf("worst: no trace\n");
	recorded();
	look_at_everything();
	scene_plain();
	destroy(memory);
}

static uint64_t cpus(void)
{
	(void)tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL);
	return ((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus;
}

/* With one CPU there is nowhere to go, and with two every step asks the other. */
void scene_spread(void)
{
	uint64_t sched = 0, to = cpus() - 1;
	cap_t port = port_of(SELF, 0), connection = connection_of(port, SELF), memory = memory_of(SELF, 512);
	(void)reply_of(port, SELF);
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connection, 0, FOREVER), NOTHING, NOTHING);
	made(tss_sched_create(SYSTEM, SELF, PATIENT, 1000, &sched), &sched, "sched");
	pause_us(20000);
	for (unsigned i = 0; i < 8; i++) {
		(void)tss_sched_place(SYSTEM, TSS_SLOT_SCHED, i % 2 ? 0 : to);
		(void)tss_sched_place(SYSTEM, (cap_t)sched, i % 2 ? 0 : to);
		(void)tss_sched_configure(SYSTEM, (cap_t)sched, PATIENT | 1000ull << 32, 0, 0);
		(void)tss_sched_watch((cap_t)sched, event_of(SELF), 1);
		(void)tss_unit_map(SELF, memory, MAP_AT + TSS_PAGE_SIZE, RW);
		(void)tss_unit_unmap(SELF, memory);
	}
	pause_us(20000);
}
