/* SPDX-License-Identifier: BSD-2-Clause */
/* errno.h: Linux's error numbers, as handlers return them (negative). Those from 512 on never reach a program: call.c turns them
 * into a restart or into EINTR. */
#pragma once

enum {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7, ENOEXEC = 8, EBADF = 9, ECHILD = 10,
    EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EBUSY = 16, EEXIST = 17, EXDEV = 18, ENODEV = 19, ENOTDIR = 20,
    EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOTTY = 25, ETXTBSY = 26, EFBIG = 27, ENOSPC = 28, ESPIPE = 29,
    EROFS = 30, EMLINK = 31, EPIPE = 32, EDOM = 33, ERANGE = 34, EDEADLK = 35, ENAMETOOLONG = 36, ENOSYS = 38, ENOTEMPTY = 39,
    ELOOP = 40, EOVERFLOW = 75, ELIBBAD = 80, EOPNOTSUPP = 95, ETIMEDOUT = 110,
    ESTOPPED = 513,         /* the thread was stopped in its wait, and runs again */
    EINTERRUPTED = 512,     /* a signal ended the wait: what follows is the call's restart class */
};
