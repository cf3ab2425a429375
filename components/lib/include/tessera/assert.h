/* SPDX-License-Identifier: BSD-2-Clause */
/* assert.h - giving up: both say why through printf, then end the unit with TSS_EXIT_ABORT. */
#pragma once

#define TSS_EXIT_ABORT 134u /* the exit code of an aborted unit */

_Noreturn void abort(void);
_Noreturn void tss_assert_failed(const char *what, const char *file, int line);

#define assert(condition) ((condition) ? (void)0 : tss_assert_failed(#condition, __FILE_NAME__, __LINE__))
