/* SPDX-License-Identifier: BSD-2-Clause */
/* controller.h - the 8042 keyboard controller (IBM PS/2 Technical Reference, keyboard and auxiliary device controller). */
#pragma once
#include <tessera/tessera.h>

/* Tests and starts controller and keyboard: scancodes of set 1, interrupt on, auxiliary device off. False: none there. */
bool controller_start(void);

/* The next byte if there is one. Bytes of the auxiliary device are dropped. */
bool controller_read(uint8_t *byte);

/* Hands one byte to the keyboard, which answers with an acknowledgement among the scancodes. */
#define KEYBOARD_ACKNOWLEDGE 0xfau
#define KEYBOARD_RESEND 0xfeu
#define KEYBOARD_SET_LIGHTS 0xedu
bool keyboard_send(uint8_t byte);
