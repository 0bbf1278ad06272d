/* SPDX-License-Identifier: BSD-2-Clause */
/* pic.c: the two 8259s, moved off the exception vectors and masked for good; and the 8254's channel 2, against which other clocks
 * are measured once. */
#include "cpu.h"

enum { PIC_1 = 0x20, PIC_2 = 0xa0, PIT_CHANNEL_2 = 0x42, PIT_MODE = 0x43, SPEAKER = 0x61, SPEAKER_GATE = 1, SPEAKER_OUT = 0x20 };
enum { PIT_HZ = 1193182, PIT_COUNT = 11932 };

void pic_off(void)
{
    outb(PIC_1, 0x11), outb(PIC_2, 0x11);               /* ICW1: ICW4 follows */
    outb(PIC_1 + 1, 0x20), outb(PIC_2 + 1, 0x28);       /* ICW2: vectors */
    outb(PIC_1 + 1, 4), outb(PIC_2 + 1, 2);             /* ICW3: cascade */
    outb(PIC_1 + 1, 1), outb(PIC_2 + 1, 1);             /* ICW4: 8086 */
    outb(PIC_1 + 1, 0xff), outb(PIC_2 + 1, 0xff);
}

/* Wait for about 10 ms of the 8254; `before` runs right before. Returns the nanoseconds, 0 if the 8254 does not count. */
u64 pit_wait_10ms(void (*before)(void))
{
    outb(SPEAKER, (inb(SPEAKER) & ~3) | SPEAKER_GATE);
    outb(PIT_MODE, 0xb0);                               /* channel 2, low then high byte, mode 0 */
    outb(PIT_CHANNEL_2, PIT_COUNT & 255);
    before();
    outb(PIT_CHANNEL_2, PIT_COUNT >> 8);
    for (u32 i = 0; !(inb(SPEAKER) & SPEAKER_OUT); i++) {
        if (i == 10000000)
            return 0;
    }
    return PIT_COUNT * 1000000000ul / PIT_HZ;
}
