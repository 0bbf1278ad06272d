/* SPDX-License-Identifier: BSD-2-Clause */
/* file.h: Linux's other flags and structures around files and memory maps. */
#pragma once
#include <abi/types.h>

#include "mode.h"
#include "open.h"

enum { F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030 };
enum { IOV_MAX = 1024, PATH_MAX = 4096 };

enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_TYPE = 15, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_GROWSDOWN = 0x100,
       MAP_POPULATE = 0x8000, MAP_FIXED_NOREPLACE = 0x100000 };
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };
enum { MADV_DONTNEED = 4, MADV_FREE = 8 };

struct linux_timespec { i64 seconds, nanoseconds; };
struct linux_timeval { i64 seconds, microseconds; };
struct linux_iovec { u64 base, bytes; };
struct linux_pollfd { i32 fd; i16 events, revents; };
struct linux_winsize { u16 rows, columns, width, height; };

struct linux_stat {
    u64 dev, ino, nlink;
    u32 mode, uid, gid, pad;
    u64 rdev;
    i64 size, blksize, blocks;
    struct linux_timespec atime, mtime, ctime;
    i64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_statfs {
    u64 type, bsize, blocks, bfree, bavail, files, ffree;
    i32 fsid[2];
    u64 namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

struct linux_utsname { char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65]; };

struct linux_sysinfo {
    i64 uptime;
    u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    u16 procs, pad;
    u64 totalhigh, freehigh;
    u32 unit;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");

struct linux_rusage { struct linux_timeval user, system; i64 rest[14]; };
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage");
