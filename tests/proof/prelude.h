/* SPDX-License-Identifier: BSD-2-Clause */
/* prelude.h - before each file that Frama-C reads: what its C lacks. */
#pragma once
#define _Alignas(boundary) /* no proof speaks of where the linker puts a variable */
