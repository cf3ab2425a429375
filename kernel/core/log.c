/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - the kernel's log and its panic. COM1 is the kernel's until an I/O-port object over it is used; from then on
 * the log keeps to its ring, and only a panic takes the port back.
 */
#include <arch.h>
#include <log.h>
#include <trace.h>

#define LOG_SIZE CONFIG_LOG_SIZE
#define COM1_BASE 0x3f8
#define COM1_PORTS 8

static struct {
	char ring[LOG_SIZE];
	uint64_t written; /* bytes since boot */
	bool released;
} kernel_log;

void log_printf(const char *format, ...)
{
	char line[200];
	va_list arguments;
	va_start(arguments, format);
	size_t size = format_text(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < size; i++)
		kernel_log.ring[kernel_log.written++ % LOG_SIZE] = line[i];
	if (!kernel_log.released)
		arch_console_write(line, size);
}

void log_console_release(uint64_t base, uint64_t count)
{
	if (!kernel_log.released && base < COM1_BASE + COM1_PORTS && COM1_BASE < base + count)
		kernel_log.released = true;
}

size_t log_read(uint64_t *offset, char *out, size_t size)
{
	size_t count = 0;
	if (kernel_log.written > LOG_SIZE && *offset < kernel_log.written - LOG_SIZE)
		*offset = kernel_log.written - LOG_SIZE;
	/*@ loop invariant count <= size;
	    loop assigns count, *offset, out[0 .. size - 1];
	    loop variant size - count; */
	for (; count < size && *offset < kernel_log.written; count++)
		out[count] = kernel_log.ring[(*offset)++ % LOG_SIZE];
	return count;
}

static void panic_frame(uint64_t address)
{
	log_printf("  kernel+%#lx\n", arch_image_offset(address));
}

void panic(const char *format, ...)
{
	static struct cpu *panicking;
	struct cpu *none = NULL, *self = cpu_this();
	char line[200];
	va_list arguments;
	if (!__atomic_compare_exchange_n(&panicking, &none, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (none != self)
			arch_stop(); /* another CPU's, which has sent this one an NMI */
		arch_halt(2);
	}
	arch_stop_others();
	kernel_log.released = false;
	va_start(arguments, format);
	(void)format_text(line, sizeof(line), format, arguments);
	va_end(arguments);
	log_printf("\nPANIC: %s\n", line);
	arch_backtrace(panic_frame);
	trace_panic();
	arch_halt(1);
}
