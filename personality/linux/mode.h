/* SPDX-License-Identifier: BSD-2-Clause */
/* mode.h: what kind of file a mode tells, and its special bits (inode(7)). */
#pragma once

enum {
    S_IFMT = 0170000, S_IFIFO = 0010000, S_IFCHR = 0020000, S_IFDIR = 0040000, S_IFBLK = 0060000, S_IFREG = 0100000,
    S_IFLNK = 0120000, S_IFSOCK = 0140000, S_ISUID = 04000, S_ISGID = 02000, S_ISVTX = 01000, S_IXGRP = 010,
};
