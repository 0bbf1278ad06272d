/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h: frames of docs/exec-stream.md as bytes on the line. No state. */
#pragma once
#include <abi/types.h>

enum { FRAME_FLAG = 0x7e, FRAME_ESCAPE = 0x7d, FRAME_FLIP = 0x20 };
enum { FRAME_PAYLOAD = 1024, FRAME_HEAD = 5, FRAME_TAIL = 4, FRAME_PLAIN = FRAME_HEAD + FRAME_PAYLOAD + FRAME_TAIL };
enum { FRAME_MOST = 2 * FRAME_PLAIN + 2 };      /* bytes on the line, with flags */
enum frame_kind { FRAME_IN = 0, FRAME_OUT = 1, FRAME_ERR = 2, FRAME_END = 3, FRAME_STATUS = 4, FRAME_ACK = 5, FRAME_SIZE = 6, FRAME_DEAF = 7 };

/* Each repetition begins a new turn; the kind on the line has it in its upper four bits. */
enum { FRAME_KINDS = 15, FRAME_TURN_SHIFT = 4, FRAME_TURNS = 16 };

/* CRC-32 as in zlib, of `bytes` more after a text whose crc is `crc` (0: none yet). */
u32 frame_crc(u32 crc, const u8 *at, u32 bytes);
/* Write the frame at `to`, FRAME_MOST bytes; how many they are. */
u32 frame_encode(u8 *to, u8 kind, u32 number, const u8 *payload, u32 bytes);
/* Take what stood between two flags as it is; in place. The payload's length; -1: no frame. */
i32 frame_decode(u8 *body, u32 bytes, u8 *kind, u32 *number, const u8 **payload);
