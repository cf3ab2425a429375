/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - ten of Linux's system calls, by the numbers of its x86-64 table (arch/x86/entry/syscalls in its sources). A
 * result from -4095 to -1 is an error. Pointers are the program's: it is in this unit, and a wrong one is its own fault.
 */
#include <interfaces/log.h>
#include "linux_hello.h"
#include "slots.h"

#define MAPPINGS_AT 0x500000000ull /* upwards, a page left free between two */
#define MAP_PRIVATE_ANONYMOUS 0x22
#define ARCH_SET_FS 0x1002
#define PID 1
enum { E_BADF = 9, E_NOMEM = 12, E_INVAL = 22, E_NOTTY = 25, E_NOSYS = 38 };
#define FAILED(e) (-(uint64_t)(e))
#define CHUNK 200u /* bytes of a message to the log */

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static uint64_t call_write(uint64_t file, uint64_t text, uint64_t size)
{
	if (file != 1 && file != 2)
		return FAILED(E_BADF);
	for (uint64_t done = 0; done < size; done += CHUNK) {
		uint64_t part = size - done < CHUNK ? size - done : CHUNK;
		/* Safety: the program's own memory, or the unit faults. */
		tss_output((const char *)text + done, part);
	}
	return size;
}

static uint64_t call_writev(uint64_t file, uint64_t vector, uint64_t count)
{
	/* Safety: as above. */
	const struct {
		uint64_t base, size;
	} *parts = (const void *)vector;
	uint64_t done = 0;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t written = call_write(file, parts[i].base, parts[i].size);
		if (written != parts[i].size)
			return written;
		done += written;
	}
	return done;
}

static uint64_t call_mmap(const uint64_t *arguments)
{
	static uint64_t next = MAPPINGS_AT;
	uint64_t pages = (arguments[1] + PAGE - 1) / PAGE, address = next;
	cap_t memory;
	if (arguments[0] != 0 || (uint32_t)arguments[3] != MAP_PRIVATE_ANONYMOUS || pages == 0)
		return FAILED(E_INVAL);
	if (pages > UINT32_MAX || !memory_at(address, pages, &memory))
		return FAILED(E_NOMEM);
	next += (pages + 1) * PAGE;
	return address;
}

static uint64_t call_arch_prctl(uint64_t what, uint64_t address)
{
	return what == ARCH_SET_FS && tss_self_fs_base(address) == TSS_OK ? 0 : FAILED(E_INVAL);
}

static _Noreturn uint64_t call_exit(uint64_t code)
{
	printf("ended with %u\n", (unsigned)code & 0xff);
	for (;;)
		(void)tss_self_exit(code & 0xff);
}

uint64_t linux_call(uint64_t number, uint64_t arguments[6])
{
	enum {
		WRITE = 1,
		MMAP = 9,
		BRK = 12,
		IOCTL = 16,
		WRITEV = 20,
		GETPID = 39,
		EXIT = 60,
		ARCH_PRCTL = 158,
		SET_TID_ADDRESS = 218,
		EXIT_GROUP = 231
	};
	switch (number) {
	case WRITE:
		return call_write(arguments[0], arguments[1], arguments[2]);
	case WRITEV:
		return call_writev(arguments[0], arguments[1], arguments[2]);
	case MMAP:
		return call_mmap(arguments);
	case BRK:
		return 0; /* there is no heap of that kind; the C library takes mmap then */
	case IOCTL:
		return FAILED(E_NOTTY);
	case GETPID:
	case SET_TID_ADDRESS:
		return PID;
	case ARCH_PRCTL:
		return call_arch_prctl(arguments[0], arguments[1]);
	case EXIT:
	case EXIT_GROUP:
		call_exit(arguments[0]);
	default:
		return FAILED(E_NOSYS);
	}
}
