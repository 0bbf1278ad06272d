/* SPDX-License-Identifier: BSD-2-Clause */
/* object.h: kinds of kernel objects (kind.h), the rights of capabilities, and the slots that the first two
 * tasks start with. The methods are in idl/interfaces/<kind>.idl. */
#pragma once
#include <abi/kind.h>
#include <abi/types.h>

/* Protocols that the kernel speaks to servers: it is the client of these interfaces. */
enum { L4_PROTOCOL_PAGER = 0xa, L4_PROTOCOL_EXCEPTION = 0xb };

/* Rights of a capability: bits 48-55 of a delivered tag, letters of `needs` in interface files.
 * On doors R W X O I mean what the server's interface says. C and M exist on kernel objects only. */
enum l4_rights {
    L4_R = 1,       /* read, observe, acknowledge */
    L4_W = 2,       /* write, change, ring */
    L4_X = 4,       /* execute; on a factory: may make hardware interrupt objects */
    L4_O = 8,       /* map_out: task.map may take from this task */
    L4_I = 16,      /* map_in: task.map and task.unmap may change this task */
    L4_M = 32,      /* mint doors of a gate */
    L4_C = 64,      /* control: bind, stop, set registers, destroy */
    L4_RIGHTS_ALL = 127,
};

/* Slots that the kernel fills for sigma0 and keeper before it starts them. */
enum l4_boot_slot {
    L4_BOOT_TASK = 1,       /* own task, all rights */
    L4_BOOT_THREAD = 2,     /* own thread, all rights */
    L4_BOOT_FACTORY = 3,    /* keeper: the root factory with X; sigma0: a factory for its own needs */
    L4_BOOT_LOG = 4,
    L4_BOOT_SIGMA0 = 5,     /* keeper: a door to sigma0 (label 1); sigma0: the control capability of its gate, bound */
    L4_BOOT_SCHED = 6,      /* keeper only, as are the following */
    L4_BOOT_DEBUG = 7,
    L4_BOOT_FREE = 16,      /* the first slot that is the task's own to use */
};

enum { L4_CAP_SLOTS = 32768 };  /* slots of a capability table: 512 pages of 64 */
