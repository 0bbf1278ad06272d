/* SPDX-License-Identifier: BSD-2-Clause */
/* pic.c: the two 8259s, moved off the exception vectors and masked for good; and the 8254's channel 2, against which
 * other clocks are measured once: it counts down 65535 times in 55 ms, then its output rises. */
#include "cpu.h"

enum { PIC_1 = 0x20, PIC_2 = 0xa0 };
enum { PIT_CHANNEL_2 = 0x42, PIT_MODE = 0x43, SPEAKER = 0x61, SPEAKER_GATE = 1, SPEAKER_OUT = 0x20 };
enum { PIT_ONE_SHOT = 0xb0, PIT_LATCH = 0x80 };

void pic_off(void)
{
    outb(PIC_1, 0x11), outb(PIC_2, 0x11);               /* ICW1: ICW4 follows */
    outb(PIC_1 + 1, 0x20), outb(PIC_2 + 1, 0x28);       /* ICW2: vectors */
    outb(PIC_1 + 1, 4), outb(PIC_2 + 1, 2);             /* ICW3: cascade */
    outb(PIC_1 + 1, 1), outb(PIC_2 + 1, 1);             /* ICW4: 8086 */
    outb(PIC_1 + 1, 0xff), outb(PIC_2 + 1, 0xff);
}

void pit_start(void)
{
    outb(SPEAKER, (inb(SPEAKER) & ~3) | SPEAKER_GATE);
    outb(PIT_MODE, PIT_ONE_SHOT);
    outb(PIT_CHANNEL_2, 0xff);
    outb(PIT_CHANNEL_2, 0xff);
}

/* Ticks of 1/PIT_HZ since pit_start, ~0 once they are more than 65535. */
u32 pit_ticks(void)
{
    outb(PIT_MODE, PIT_LATCH);
    u32 low = inb(PIT_CHANNEL_2), high = inb(PIT_CHANNEL_2);
    return inb(SPEAKER) & SPEAKER_OUT ? ~0u : 0xffff - (high << 8 | low);
}
