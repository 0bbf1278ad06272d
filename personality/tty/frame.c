/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c: see frame.h. */
#include "frame.h"

#include <l4/string.h>

/* The remainder of each half byte under the reflected polynomial 0xedb88320. */
static const u32 half[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

u32 frame_crc(u32 crc, const u8 *at, u32 bytes)
{
    crc = ~crc;
    for (u32 i = 0; i < bytes; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

static u32 escape(u8 *to, const u8 *from, u32 bytes)
{
    u32 n = 0;
    for (u32 i = 0; i < bytes; i++) {
        bool special = from[i] == FRAME_FLAG || from[i] == FRAME_ESCAPE;
        if (special) {
            to[n++] = FRAME_ESCAPE;
        }
        to[n++] = special ? from[i] ^ FRAME_FLIP : from[i];
    }
    return n;
}

u32 frame_encode(u8 *to, u8 kind, u32 number, const u8 *payload, u32 bytes)
{
    u8 head[FRAME_HEAD] = { kind };
    memcpy(head + 1, &number, sizeof number);
    u32 crc = frame_crc(frame_crc(0, head, sizeof head), payload, bytes), n = 0;
    to[n++] = FRAME_FLAG;
    n += escape(to + n, head, sizeof head);
    n += escape(to + n, payload, bytes);
    n += escape(to + n, (const u8 *)&crc, sizeof crc);
    to[n++] = FRAME_FLAG;
    return n;
}

/* In place; -1: an escape that escapes nothing. */
static i32 unescape(u8 *at, u32 bytes)
{
    u32 n = 0;
    for (u32 i = 0; i < bytes; i++) {
        u8 byte = at[i];
        if (byte == FRAME_ESCAPE) {
            if (++i == bytes || at[i] == FRAME_ESCAPE) {
                return -1;
            }
            byte = at[i] ^ FRAME_FLIP;
        }
        at[n++] = byte;
    }
    return (i32)n;
}

i32 frame_decode(u8 *body, u32 bytes, u8 *kind, u32 *number, const u8 **payload)
{
    i32 n = unescape(body, bytes), length = n - FRAME_HEAD - FRAME_TAIL;
    u32 crc;
    if (n < FRAME_HEAD + FRAME_TAIL || length > FRAME_PAYLOAD) {
        return -1;
    }
    memcpy(&crc, body + n - FRAME_TAIL, sizeof crc);
    if (crc != frame_crc(0, body, (u32)n - FRAME_TAIL)) {
        return -1;
    }
    *kind = body[0];
    memcpy(number, body + 1, sizeof *number);
    *payload = body + FRAME_HEAD;
    return length;
}
