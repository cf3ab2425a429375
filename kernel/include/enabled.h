/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enabled.h - IS_ENABLED(CONFIG_X): 1 if that bool option is on, else 0; a constant, so that both branches of an
 * `if` compile and one of them costs nothing. An option that is on is a macro that stands for 1.
 */
#pragma once

#define ENABLED_PASTE_1 0,
#define ENABLED_SECOND(ignored, value, ...) value
#define ENABLED_PICK(...) ENABLED_SECOND(__VA_ARGS__ 1, 0, 0)
#define ENABLED_PASTE(value) ENABLED_PICK(ENABLED_PASTE_##value)
#define IS_ENABLED(option) ENABLED_PASTE(option)
