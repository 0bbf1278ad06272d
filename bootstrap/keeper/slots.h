/* SPDX-License-Identifier: BSD-2-Clause */
/* slots.h: keeper's capability slots: a place for each object of each service, so that making it again finds it.
 *
 *   16          keeper's gate            64 + 16 n ...   objects of service n (1 to 47)
 *   18, 19      task `frames`, factory of processes     4096 + 16 p ...   objects of place p
 *   1024...     libl4's volatile slots   20480 + d       door d of the manifest        24576 + d   its event irq
 *   28672 + l   line l of the manifest */
#pragma once
#include <abi/types.h>

enum service_object {
    OBJECT_FACTORY, OBJECT_TASK, OBJECT_THREAD, OBJECT_GATE, OBJECT_WAKE, OBJECT_PULSE, OBJECT_EVENT, OBJECT_EXCEPTION,
};

enum { KEEPER_GATE = 16, KEEPER_SELF = 17, FRAMES_IN_KEEPER = 18, PROCESS_FACTORY = 19 };

/* A place of a process: its task, doors to pm, vm and vfs, threads and their irq objects. */
enum place_object { PLACE_TASK, PLACE_DOOR = 4, PLACE_THREAD = 8, PLACE_IRQ = 12, PLACE_OBJECTS = 16 };
enum { PLACE_DOORS_ORDER = 2, PLACE_ORDER = 4 };    /* of flexpages of slots */
static inline cap_t place_slot(u32 place, u32 object) { return 4096 + PLACE_OBJECTS * place + object; }

static inline cap_t object_slot(u32 service, enum service_object object) { return 64 + 16 * service + object; }
static inline cap_t door_slot(u32 door) { return 20480 + door; }
static inline cap_t event_slot(u32 door) { return 24576 + door; }
static inline cap_t line_slot(u32 line) { return 28672 + line; }

/* Where a service's exceptions go: a door to keeper with this label. */
#define KEEPER_EXCEPTION_LABEL (1ul << 62)
/* Rings when keeper has a defect to look at. */
#define KEEPER_SELF_LABEL 1ul
/* The watcher's heartbeat. */
#define KEEPER_PULSE_LABEL 2ul
