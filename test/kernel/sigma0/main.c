/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of sigma0.idl: each thing once, the same asked again, and all of the RAM in the end. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "sigma0.h"
#include "task.h"
#include "test.h"

#define WINDOW 0x80000000ul
enum { SIGMA0 = L4_BOOT_SIGMA0 };

static u64 window(u32 order) { return l4_fpage_memory(WINDOW, order, 7); }

static void forget(u32 order) { l4_must(l4_unmap_range(L4_BOOT_TASK, WINDOW, 1ul << order, 7, false)); }

static void test_ram(void)
{
    u64 left, then, first = 0, again = 0, next = 0;
    u32 largest;
    test_ok("what is left", sigma0_left(SIGMA0, &left, &largest));
    test_true("some", left > 8 << 20 && largest > 20);
    test_ok("a page", sigma0_ram(SIGMA0, 1, 12, &first, window(12)));
    *(volatile u64 *)WINDOW = 0x1234;
    test_ok("asked again", sigma0_ram(SIGMA0, 1, 12, &again, window(12)));
    test_is("the same page", again, first);
    test_is("what was written is there", *(volatile u64 *)WINDOW, 0x1234);
    forget(12);
    test_ok("the next one", sigma0_ram(SIGMA0, 2, 12, &next, window(12)));
    test_true("another page", next != first);
    l4_must(sigma0_left(SIGMA0, &then, &largest));
    test_is("two pages less", left - then, 8192);
    forget(12);
    test_ok("2 MB", sigma0_ram(SIGMA0, 3, 21, &next, window(21)));
    test_is("aligned", next & 0x1fffff, 0);
    forget(21);
    test_status("less than a page", sigma0_ram(SIGMA0, 4, 11, &next, window(12)), L4_BAD_ARGUMENT);
    test_status("more than 1 GB", sigma0_ram(SIGMA0, 4, 31, &next, window(12)), L4_BAD_ARGUMENT);
    test_status("no window for it", sigma0_ram(SIGMA0, 4, 12, &next, 0), L4_MAP_FAILED);
    test_ok("asked again with one", sigma0_ram(SIGMA0, 4, 12, &next, window(12)));
    forget(12);
}

static void test_devices(void)
{
    enum { VIDEO = 0xb8000 };
    test_ok("the text screen", sigma0_device(SIGMA0, VIDEO, 12, window(12)));
    *(volatile u16 *)WINDOW = 0x0741;
    test_is("it is there", *(volatile u16 *)WINDOW & 0xff, 0x41);
    forget(12);
    test_ok("asked again", sigma0_device(SIGMA0, VIDEO, 12, window(12)));
    forget(12);
    test_status("a range around it", sigma0_device(SIGMA0, VIDEO, 15, window(15)), SIGMA0_TAKEN);
    test_status("RAM is no device", sigma0_device(SIGMA0, 0x1000000, 12, window(12)), SIGMA0_NOT_HERE);
    test_status("nor is the interrupt controller ours", sigma0_device(SIGMA0, 0xfee00000, 12, window(12)), SIGMA0_NOT_HERE);
    test_status("not aligned", sigma0_device(SIGMA0, VIDEO, 16, window(16)), L4_BAD_ARGUMENT);
    test_status("beyond everything", sigma0_device(SIGMA0, 1ul << 50, 12, window(12)), L4_BAD_ARGUMENT);
}

static void test_ports(void)
{
    test_ok("ports", sigma0_ports(SIGMA0, 0x60, 3, l4_fpage_ports(0x60, 3)));
    test_ok("asked again", sigma0_ports(SIGMA0, 0x60, 3, l4_fpage_ports(0x60, 3)));
    test_status("a part of them", sigma0_ports(SIGMA0, 0x64, 0, l4_fpage_ports(0x64, 0)), SIGMA0_TAKEN);
    test_status("not aligned", sigma0_ports(SIGMA0, 0x71, 1, l4_fpage_ports(0x70, 1)), L4_BAD_ARGUMENT);
    test_status("beyond all ports", sigma0_ports(SIGMA0, 0x10000, 0, l4_fpage_ports(0, 0)), L4_BAD_ARGUMENT);
}

static void test_look(void)
{
    const struct l4_kip *kip = l4_kip();
    test_ok("the archive", sigma0_look(SIGMA0, kip->archive, 12, window(12)));
    test_is("it is one", *(volatile u32 *)WINDOW, 0x37303730);
    forget(12);
    test_status("RAM is not for looking", sigma0_look(SIGMA0, 0x1000000, 12, window(12)), SIGMA0_NOT_HERE);
}

/* Take all there is, largest blocks first. */
static void test_all(void)
{
    u64 left, physical, ask = 100, taken = 0, total;
    u32 largest;
    l4_must(sigma0_left(SIGMA0, &total, &largest));
    for (left = total; left; ask++) {
        l4_must(sigma0_left(SIGMA0, &left, &largest));
        if (!left)
            break;
        l4_must(sigma0_ram(SIGMA0, ask, largest, &physical, l4_fpage_memory(1ul << 40, largest, 7)));
        l4_must(l4_unmap_range(L4_BOOT_TASK, 1ul << 40, 1ul << largest, 7, false));
        taken += 1ul << largest;
    }
    test_is("all of it can be had", taken, total);
    test_status("then no page is left", sigma0_ram(SIGMA0, ask, 12, &physical, window(12)), SIGMA0_EXHAUSTED);
    test_true("in few blocks", ask < 300);
}

void l4_main(void)
{
    test_begin("first-pager");
    test_ram();
    test_devices();
    test_ports();
    test_look();
    test_all();
    test_end();
}
