/* SPDX-License-Identifier: BSD-2-Clause */
/* log.c - the ring of kernel/core/log.c: from whatever offset it is read, no index is outside. */
#include "stand_ins.h"
#include "kernel/core/log.c"

/*@ requires \valid(offset) && \valid(out + (0 .. size - 1)) && kernel_log.written < 0x8000000000000000;
	requires \separated(offset, out + (0 .. size - 1)) && \separated(offset, &kernel_log) &&
		\separated(out + (0 .. size - 1), &kernel_log);
	assigns *offset, out[0 .. size - 1];
	ensures \result <= size; */
size_t log_read(uint64_t *offset, char *out, size_t size);
