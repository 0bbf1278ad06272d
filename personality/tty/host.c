/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c: see host.h. No state: a message that has not come whole stays in the ring. */
#include "host.h"

#include <l4/string.h>

#include "frame.h"

enum { MARK = 0xff, MESSAGE_MOST = 64 };

static void body_understand(struct host_word *word, u8 *body, u32 bytes)
{
    u8 kind;
    u32 number;
    const u8 *payload;
    i32 length = frame_decode(body, bytes, &kind, &number, &payload);
    word->kind = HOST_NOISE;
    if (length < 0) {
        return;
    }
    if (kind == FRAME_SIZE && length == sizeof word->size) {
        word->kind = HOST_SIZE;
        memcpy(&word->size, payload, sizeof word->size);
    } else if (kind == FRAME_END && length == 1) {
        word->kind = HOST_END;
    }
}

/* A frame that begins with its flag `behind` bytes on; one that does not end is noise. */
static bool frame_hear(u32 behind, u32 there, struct host_word *word)
{
    u8 body[MESSAGE_MOST];
    u32 n = 0;
    while (n < MESSAGE_MOST && behind + 1 + n < there && port_byte(behind + 1 + n) != FRAME_FLAG) {
        body[n] = port_byte(behind + 1 + n);
        n++;
    }
    if (n < MESSAGE_MOST && behind + 1 + n == there) {
        return false;
    }
    word->bytes = 2 + n + (n < MESSAGE_MOST);
    body_understand(word, body, n);
    return true;
}

bool host_hear(u32 behind, u32 there, struct host_word *word)
{
    *word = (struct host_word){ .kind = HOST_TYPED, .bytes = 1, .byte = port_byte(behind) };
    if (word->byte != MARK) {
        return true;
    }
    if (behind + 1 == there) {
        return false;
    }
    u8 next = port_byte(behind + 1);
    word->bytes = next == MARK ? 2 : 1;
    return next == FRAME_FLAG ? frame_hear(behind + 1, there, word) : true;
}

void host_tell_status(struct port_batch *out, u32 status)
{
    u8 frame[FRAME_MOST];
    port_put(out, MARK);
    port_put_all(out, frame, frame_encode(frame, FRAME_STATUS, 0, (const u8 *)&status, sizeof status));
}
