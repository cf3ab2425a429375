/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes.h - the scenes' numbers and functions. */
#pragma once
#include "worst.h"

enum scene {
	SCENE_none, /* until the first begins */
#define SCENE(name, text) SCENE_##name,
#include "scenes.def"
#undef SCENE
};

#define SCENE(name, text) void scene_##name(void);
#include "scenes.def"
#undef SCENE
