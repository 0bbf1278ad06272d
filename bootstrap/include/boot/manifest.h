/* SPDX-License-Identifier: BSD-2-Clause */
/* manifest.h: the compiled system manifest: what keeper reads, what bootstrap/manifest/table.py writes.
 *
 *   struct manifest | service[services] | door[doors] | ports[ports] | line[lines]
 *
 * Little endian, no pointers. A service is a number from 1 in the order of the text; 0 is keeper. Each service names its
 * doors, ports and lines as a range of the tables. All strings are zero terminated and padded. Whoever changes a struct
 * changes MANIFEST_VERSION and the format strings of table.py; the sizes asserted here are asserted there, too. */
#pragma once
#include <abi/types.h>

#define MANIFEST_MAGIC 0x74736566696e616dul     /* "manifest" */
/* Durable slots of a service beside those that the manifest numbers (16 to 255): what keeper adds. */
enum {
    MANIFEST_SLOT_CLIENTS = 256,    /* named `clients`: + client index, the irq object that tells that client of events */
    MANIFEST_SLOT_WATCH = 512,      /* named `watch`, the watcher's: + service number, rings its heartbeat */
    MANIFEST_SLOT_VOLATILE_END = 4096,  /* slots from here on are durable again: tasks at vm, threads at pm */
    MANIFEST_SLOT_HEARTBEAT = 768,  /* named `heartbeat`: rings the watcher */
    MANIFEST_SLOT_DEBUG = 769,      /* named `debug`: the kernel's debug object, for whom the manifest gives it */
    MANIFEST_SLOT_MONITORED = 770,  /* named `monitored`, a monitor's: the gate of whom it monitors, with W: gate.pass */
};

enum { MANIFEST_VERSION = 5, MANIFEST_NAME = 24, MANIFEST_ARGUMENTS = 256 };

struct manifest {
    u64 magic;
    u32 version, services, doors, ports, lines, spare;
    char name[MANIFEST_NAME];
    u64 bytes;                      /* of the whole table */
};

enum manifest_flag {
    MANIFEST_BOOT = 1,              /* keeper starts it before rs decides: rs itself and what rs needs */
    MANIFEST_WATCHER = 2,           /* rings the heartbeat of every service and hears the answers: rs */
    MANIFEST_ASK = 4,               /* at a defect keeper waits for rs: only where no policy script depends on it */
    MANIFEST_FPU = 8,
    MANIFEST_DOWN = 16,             /* rs does not start it by itself */
};

struct manifest_service {
    char name[MANIFEST_NAME];
    char program[MANIFEST_NAME];    /* member of the boot archive */
    u64 memory;                     /* bytes of RAM that it may hold: its private pages, state and windows */
    u64 objects;                    /* bytes of kernel memory for its task and threads, beside its share */
    u32 flags, priority, rank, heartbeat_ms;
    u32 first_door, doors, first_ports, ports, first_line, lines;
    u32 debug;                      /* rights on the kernel's debug object (debug.idl); 0: it does not get it */
    u32 share;                      /* of all kernel memory, in hundredths */
    u32 budget_us, period_us;       /* it may run so long in each period; all of it: no limit */
    u32 monitors;                   /* service number: each message to that one comes here first; 0: it monitors nobody */
    u32 spare;
    char arguments[MANIFEST_ARGUMENTS];
};

/* A capability on another service's gate, minted with this label, in this slot of the holder. */
struct manifest_door {
    u32 server;                     /* service number, 0: keeper */
    u32 rights;                     /* enum l4_rights */
    u64 slot;
    u64 label;                      /* generation << 16 | index among the server's clients; with L4_LABEL_OWN if the server is a monitor */
    u64 event;                      /* label with which the server's event irq reaches the holder */
    char name[MANIFEST_NAME];       /* in the holder's startup page */
};

struct manifest_ports {
    u32 first, count;               /* a power of two, naturally aligned */
};

/* A hardware interrupt line: an irq object bound to the service's thread with `label`, acknowledged through `slot`. */
struct manifest_line {
    u32 line, level;
    u64 slot, label;
    char name[MANIFEST_NAME];
};

_Static_assert(sizeof(struct manifest) == 64 && sizeof(struct manifest_service) == 384 && sizeof(struct manifest_door) == 56
               && sizeof(struct manifest_ports) == 8 && sizeof(struct manifest_line) == 48, "table.py writes these sizes");

static inline const struct manifest_service *manifest_service(const struct manifest *m, u32 number)
{
    return (const struct manifest_service *)(m + 1) + number - 1;
}
static inline const struct manifest_door *manifest_door(const struct manifest *m, u32 index)
{
    return (const struct manifest_door *)(manifest_service(m, 1) + m->services) + index;
}
static inline const struct manifest_ports *manifest_ports(const struct manifest *m, u32 index)
{
    return (const struct manifest_ports *)manifest_door(m, m->doors) + index;
}
static inline const struct manifest_line *manifest_line(const struct manifest *m, u32 index)
{
    return (const struct manifest_line *)manifest_ports(m, m->ports) + index;
}
