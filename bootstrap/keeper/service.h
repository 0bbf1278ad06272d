/* SPDX-License-Identifier: BSD-2-Clause */
/* service.h: what keeper does to a service's kernel objects. keeper.c decides when, and remembers; here nothing is decided.
 *
 * Everything may be done again: objects are made into slots that are named beforehand, maps succeed twice.
 * Order: what takes away (stop, reset) is called before the commit, what gives (run, strike) after it. */
#pragma once
#include <abi/ipc.h>
#include <l4/crash.h>

#include "suspect.h"

/* Of the boot: make gates, irq objects, places and tasks of all services in the manifest. Panics if it cannot. */
void services_make(void);
u32 service_count(void);

/* What the manifest says about a service. */
struct manifest_service;
const struct manifest_service *service_manifest(u32 service);
/* The one that watches all others, 0 if there is none: keeper watches it. */
u32 service_watcher(void);
/* Its door number `index`. */
struct manifest_door;
const struct manifest_door *service_door(u32 service, u32 index);
/* Whether its task was made. */
bool service_has_task(u32 service);
/* Map the window of (client, slot) of a service at `at` in `task`; made now if it was not needed before. It may still hold what another
 * process sent, until it is cleared. */
l4_err_t service_window(u32 service, u32 client, u32 slot, u64 task, u64 at);
void service_window_clear(u32 service, u32 client, u32 slot);
/* A service by its name, 0 if there is none. */
u32 service_find(const u8 *name, u32 length);

/* Requests that it has completed since its state was made. */
u64 service_completed(u32 service);
/* A number that changes while it gets on with long work: steps that it tells of (l4_step), and those of a long invocation. */
u64 service_steps(u32 service);
/* What it is busy with. */
struct l4_request service_request(u32 service);

/* Stop its thread; its callers get peer_restarted. The registers where it stood are kept for the crash page. */
void service_stop(u32 service);
/* Reset private memory and volatile capabilities, fill crash and startup page for the next incarnation. `fresh`: in a task made anew. */
l4_err_t service_reset(u32 service, u32 incarnation, const struct l4_crash *crash, bool fresh);
/* Let the stopped, reset thread begin; one that runs is left alone. */
void service_run(u32 service);
/* Move its thread to crash routine `way`. False: it has none. */
bool service_strike(u32 service, u32 way);
/* Use another program at the next, fresh reset. */
l4_err_t service_load(u32 service, const u8 *module, u32 length);

/* The crash page of the running incarnation, and the backtrace of what it tells. */
const struct l4_crash *service_crash(u32 service);
const u64 *service_backtrace(u32 service);
/* Ask for its heartbeat. */
void service_wake(u32 service);
/* What its thread does, and with STANCE_CALLS the service at whose gate, or for whose answer, it waits. */
enum stance service_stance(u32 service, u32 *on);
/* Tell the clients of keeper that something changed. */
void service_tell(void);
