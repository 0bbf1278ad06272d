/* SPDX-License-Identifier: BSD-2-Clause */
/* device.c: character devices by number. null, zero, full and random are answered here. */
#include "vfsd.h"

enum { MEMORY = 1, CONSOLES = 5, STREAMS = 240 };

enum device_kind device_kind(const struct process *p, u32 device, u32 *line, l4_err_t *err)
{
    static const u8 memory[] = {
        [3] = DEVICE_NULL, [5] = DEVICE_ZERO, [7] = DEVICE_FULL, [8] = DEVICE_RANDOM, [9] = DEVICE_RANDOM
    };
    u32 major = device >> 8, minor = device & 255;
    *err = VFS_NXIO;
    if (major == MEMORY && minor < sizeof memory) {
        return memory[minor];
    }
    if (major == CONSOLES && minor == 1) {
        *line = TTY_CONSOLE;
        return DEVICE_TERMINAL;
    }
    if (major == CONSOLES && minor == 0) {
        l4_err_t none = p->who.session && tty_door() ? tty_find(tty_door(), p->who.session, line) : VFS_NXIO;
        return none ? DEVICE_NONE : DEVICE_TERMINAL;
    }
    if (major == STREAMS && (minor < 3 || (minor >= TTY_STREAM_IN && minor <= TTY_STREAM_ERR))) {
        enum tty_kind is = TTY_NONE;
        u32 foreground, session;
        *line = minor < 3 ? TTY_STREAM_IN + minor : minor;
        return tty_door() && tty_look(tty_door(), *line, &is, &foreground, &session) == L4_OK ? DEVICE_TERMINAL : DEVICE_NONE;
    }
    return DEVICE_NONE;
}

/* A generator seeded by the clock: what its users need is that no two runs agree. */
static u64 random_next(void)
{
    static u64 state L4_VOLATILE_ZERO;
    state += 0x9e3779b97f4a7c15ul ^ l4_clock();
    u64 z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

void device_read(u32 device, u8 *data, u32 bytes, u32 *length)
{
    *length = device == DEVICE_NULL ? 0 : bytes;
    if (device != DEVICE_RANDOM) {
        memset(data, 0, *length);
        return;
    }
    for (u32 i = 0; i < bytes; i += 8) {
        u64 word = random_next();
        memcpy(data + i, &word, bytes - i < 8 ? bytes - i : 8);
    }
}
