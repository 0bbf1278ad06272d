/* SPDX-License-Identifier: BSD-2-Clause */
/* windows.c: vfs's windows, where a file system finds them. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include <fs.h>

enum { WINDOWS = 512 };

__attribute__((constructor)) static void windows_map(void)
{
    void *at = (void *)FS_WINDOWS;
    size_t bytes = (size_t)WINDOWS * FS_WINDOW;
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0) != at) {
        abort();
    }
}
