/* SPDX-License-Identifier: BSD-2-Clause */
/* stand_ins.h */
#pragma once
#include <link.h>
void *container_wait(const struct link *link);
void *container_link(const struct link *link);
struct sched;
struct sched *container_queue(const struct link *link);
void *container_all(const struct link *link);
#define __atomic_load_n(pointer, order) (*(pointer))
