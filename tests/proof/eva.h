/* SPDX-License-Identifier: BSD-2-Clause */
/* eva.h - what harnesses for Eva share. PROVE(): shown to hold on every path that reaches it, or it counts as an alarm. */
#pragma once
#include <stdint.h>
#define PROVE(x) prove(x)
/*@ assigns \nothing; */
static inline void prove(_Bool holds)
{
	//@ assert holds;
}
