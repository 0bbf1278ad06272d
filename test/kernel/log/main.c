/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the method of log.idl. */
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "log.h"
#include "test.h"
#include "wire.h"

enum { WEAK = TEST_SLOTS };

void l4_main(void)
{
    char text[256];
    memset(text, '.', sizeof text);
    text[255] = '\n';
    test_begin("log");
    test_ok("write nothing", log_write(L4_BOOT_LOG, l4_bytes(text, 0)));
    test_ok("write one byte", log_write(L4_BOOT_LOG, l4_bytes("\n", 1)));
    test_ok("write 256 bytes", log_write(L4_BOOT_LOG, l4_bytes(text, 256)));
    test_status("the stub refuses 257", log_write(L4_BOOT_LOG, l4_bytes(text, 257)), L4_BAD_MESSAGE);
    l4_utcb()->mr[4] = 0;
    test_status("so does the kernel", wire_call(L4_BOOT_LOG, l4_tag(LOG_METHOD_WRITE, 37, 0), 257, 0), L4_BAD_MESSAGE);
    test_status(
        "a length beyond the words", wire_call(L4_BOOT_LOG, l4_tag(LOG_METHOD_WRITE, 5, 0), 200, 0), L4_BAD_MESSAGE);
    test_status("a length of more than 32 bits",
        wire_call(L4_BOOT_LOG, l4_tag(LOG_METHOD_WRITE, 5, 0), 1ul << 32 | 8, 0), L4_BAD_MESSAGE);
    test_status("no words at all", wire_call(L4_BOOT_LOG, l4_tag(LOG_METHOD_WRITE, 0, 0), 0, 0), L4_BAD_MESSAGE);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_LOG, WEAK, L4_R));
    test_status("write needs W", log_write(WEAK, l4_bytes("not to be seen\n", 15)), L4_NO_RIGHT);
    test_drop(WEAK);
    test_end();
}
