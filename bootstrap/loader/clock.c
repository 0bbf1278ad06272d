/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c: the CMOS clock (MC146818 and its PC registers), read twice until two readings agree. */
#include "loader.h"

enum { SECOND = 0, MINUTE = 2, HOUR = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B = 11, CENTURY = 0x32 };
enum { UPDATING = 0x80, IS_BINARY = 4, IS_24_HOURS = 2, AFTERNOON = 0x80 };

struct reading {
    u8 second, minute, hour, day, month, year, century;
};

static u8 cmos(u8 index)
{
    outb(0x70, 0x80 | index);   /* bit 7: NMI stays off */
    return inb(0x71);
}

static struct reading clock_read(void)
{
    for (u32 i = 0; i < 1000000 && cmos(STATUS_A) & UPDATING; i++)
        continue;
    return (struct reading){
        cmos(SECOND), cmos(MINUTE), cmos(HOUR), cmos(DAY), cmos(MONTH), cmos(YEAR), cmos(CENTURY),
    };
}

static u32 decimal(u8 value, bool is_binary)
{
    return is_binary ? value : (value >> 4) * 10u + (value & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March so that the leap day is the last. */
static u64 days_since_1970(u32 year, u32 month, u32 day)
{
    year -= month <= 2;
    u32 day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return 365ul * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

u64 clock_seconds(void)
{
    struct reading now = clock_read(), before;
    for (u32 i = 0; i < 100; i++) {
        before = now;
        now = clock_read();
        if (!memcmp(&before, &now, sizeof now))
            break;
    }
    u8 mode = cmos(STATUS_B);
    bool is_binary = mode & IS_BINARY;
    u32 hour = decimal(now.hour & ~AFTERNOON, is_binary);
    if (!(mode & IS_24_HOURS))
        hour = hour % 12 + (now.hour & AFTERNOON ? 12 : 0);
    u32 century = decimal(now.century, is_binary);
    if (century < 19 || century > 21)
        century = 20;           /* no century register */
    u32 year = century * 100 + decimal(now.year, is_binary);
    u32 month = decimal(now.month, is_binary), day = decimal(now.day, is_binary);
    if (year < 1970 || month - 1 > 11 || day - 1 > 30)
        return 0;
    return days_since_1970(year, month, day) * 86400 + hour * 3600 + decimal(now.minute, is_binary) * 60
        + decimal(now.second, is_binary);
}
