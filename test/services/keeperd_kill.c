/* SPDX-License-Identifier: BSD-2-Clause */
/* keeperd_kill.c: kills keeper at every step of every method. What it does to services is played by
 * keeper_objects.c, to processes by keeper_machine.c. */
#include "keeperd_kill.h"

#include "keeper_machine.h"
#include "slots.h"

static void stopped(void) { kill_send(&(struct kill_request){ .method = KEEPERD_KILL_KEEPER_STOP, .word = { 2 } }); }

/* ---- defects ---- */
enum { RS = 1, DS = 2, PM = 4 };

static void defect(u64 service)
{
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_KEEPER_RESTART, .word = { service, KEEPER_HEARTBEAT } });
}
static void defect_twice(void)
{
    defect(DS);
    defect(DS);
}
/* The third without a completed request: it waits for rs. */
static void held(void)
{
    defect_twice();
    defect(DS);
}
static void watcher_twice(void)
{
    defect(RS);
    defect(RS);
}
static void struck(void) { kill_send(&(struct kill_request){ .method = KEEPERD_KILL_KEEPER_KILL, .word = { DS, KEEPER_LOOP } }); }
static void asks(void) { kill_send(&(struct kill_request){ .method = KEEPERD_KILL_KEEPER_SET_POLICY, .word = { DS, KEEPER_ASK } }); }

/* An exception that keeper has noted, and not yet looked at. */
static void noted(void)
{
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_EXCEPTION_RAISE, .label = KEEPER_EXCEPTION_LABEL | DS, .word = { 14, 4, 0 },
        .expect = L4_BAD_STATE });
}
static void noted_with_another(void)
{
    noted();
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_EXCEPTION_RAISE, .label = KEEPER_EXCEPTION_LABEL | PM, .word = { 6, 0, 0 },
        .expect = L4_BAD_STATE });
}
/* As many periods as rs may be silent. */
static void silent(void)
{
    kill_send(&(struct kill_request){ .late = true });
    kill_send(&(struct kill_request){ .late = true });
}

/* ---- places ---- */
enum { PLACE = 17, PROCESS = 0x50011 };

static void place_made(void)
{
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE, PROCESS } });
}
static void thread_made(void)
{
    place_made();
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_MAKE_THREAD, .word = { PLACE, 1 } });
}

static void first_dropped(void)
{
    thread_made();
    machine_live(PLACE, PROCESS);
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_DROP_THREAD, .word = { PLACE, 0 } });
}
static void first_dropped_and_full(void)
{
    first_dropped();
    machine()->pm_is_full = true;
}

/* A process was there, and has left what it had in its thread and its window. */
static void place_dropped(u64 place, u64 process)
{
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_MAKE, .word = { place, process } });
    machine_live((u32)place, process);
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_DROP, .word = { place } });
}
/* PLACE is the second spare one of three, then the last of all. */
static void places_spare(void)
{
    place_dropped(PLACE + 1, PROCESS + 1);
    place_dropped(PLACE, PROCESS);
    place_dropped(PLACE + 2, PROCESS + 2);
}
static void spares_full(void)
{
    place_dropped(PLACE, PROCESS);
    for (u64 i = 1; i < sizeof ((const struct keeperd_state *)0)->spare / sizeof(u64); i++) {
        place_dropped(PLACE + i, PROCESS + i);
    }
    kill_send(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 9, PROCESS + 9 } });
}

/* Spare places, and too little kernel memory for one process more: for nobody, or for one when a spare place has
 * gone. */
static void spares_of_no_use(void)
{
    places_spare();
    machine_fill(1 << 20);
}
static void spares_in_the_way(void)
{
    places_spare();
    machine_fill(MACHINE_PROCESS);
}
static void vm_is_full(void)
{
    places_spare();
    machine()->vm_is_full = true;
}
static void pm_is_full(void)
{
    place_made();
    machine()->pm_is_full = true;
}

/* Keeper has died when PLACE, a spare one, had no task any more: it is in the list. */
static bool has_no_task(void) { return !machine()->place[PLACE].task; }
static void spare_taken_apart(void)
{
    place_dropped(PLACE, PROCESS);
    machine_fill(MACHINE_PROCESS);
    kill_cut(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 1, PROCESS + 1 } }, has_no_task);
    machine_fill(-MACHINE_PROCESS);
}
/* PLACE was a spare one, and there was a newer one for each that is kept. */
static void spare_pushed_out(void)
{
    spares_full();
    place_dropped(PLACE + 9, PROCESS + 9);
}
/* Keeper has died when it had ended a thread of PLACE, whose process is to be dropped: it is in the state. */
static bool has_no_thread(void) { return !machine()->place[PLACE].thread[1].there; }
static void drop_cut_short(void)
{
    thread_made();
    kill_cut(&(struct kill_request){ .method = KEEPERD_KILL_PROCESS_DROP, .word = { PLACE } }, has_no_thread);
}
static void restarted_and_cut_short(void)
{
    defect(PM);
    drop_cut_short();
    machine()->ending = PLACE;
}
static void restarted_with_process(void)
{
    defect(PM);
    thread_made();
    place_dropped(PLACE + 1, PROCESS + 1);
}

static const struct kill_request requests[] = {
    { .method = KEEPERD_KILL_KEEPER_START, .word = { 3 } },
    { .name = "is up", .method = KEEPERD_KILL_KEEPER_START, .word = { 1 }, .expect = KEEPER_IS_UP },
    { .name = "none", .method = KEEPERD_KILL_KEEPER_START, .word = { 9 }, .expect = KEEPER_NO_SERVICE },
    { .name = "after stop", .method = KEEPERD_KILL_KEEPER_START, .word = { 2 }, .prepare = stopped },
    { .method = KEEPERD_KILL_KEEPER_STOP, .word = { 1 } },
    { .name = "is down", .method = KEEPERD_KILL_KEEPER_STOP, .word = { 3 }, .expect = KEEPER_IS_DOWN },
    { .method = KEEPERD_KILL_KEEPER_RESTART, .word = { 1, KEEPER_HEARTBEAT } },
    { .name = "update", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { 1, KEEPER_UPDATE } },
    { .name = "is down", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { 3, KEEPER_HEARTBEAT }, .expect = KEEPER_IS_DOWN },
    { .name = "anew", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { RS, KEEPER_HEARTBEAT }, .prepare = watcher_twice },
    { .name = "the third", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { DS, KEEPER_HEARTBEAT }, .prepare = defect_twice },
    { .name = "held", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { DS, KEEPER_HEARTBEAT }, .prepare = held },
    { .name = "as it was ordered", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { DS, KEEPER_KILLED }, .prepare = struck },
    { .name = "held", .method = KEEPERD_KILL_KEEPER_START, .word = { DS }, .prepare = held },
    { .name = "held", .method = KEEPERD_KILL_KEEPER_STOP, .word = { DS }, .prepare = held },
    { .name = "held", .method = KEEPERD_KILL_KEEPER_KILL, .word = { DS, KEEPER_LOOP }, .prepare = held, .expect = KEEPER_IS_DOWN },
    { .name = "an exception", .event = KEEPER_SELF_LABEL, .again = noted },
    { .name = "an exception, the third defect", .event = KEEPER_SELF_LABEL, .again = noted, .prepare = defect_twice },
    { .name = "an exception, rs is asked", .event = KEEPER_SELF_LABEL, .again = noted, .prepare = asks },
    { .name = "an exception that was ordered", .event = KEEPER_SELF_LABEL, .again = noted, .prepare = struck },
    { .name = "two exceptions", .event = KEEPER_SELF_LABEL, .again = noted_with_another },
    { .name = "an exception of nobody who is up", .event = KEEPER_SELF_LABEL, .again = noted, .prepare = stopped },
    { .name = "the pulse of rs", .event = KEEPER_PULSE_LABEL, .again = silent },
    { .name = "rs is silent for the first time", .late = true },
    { .name = "rs is silent, since ds is", .late = true, .again = silent },
    { .name = "rs is silent", .late = true, .again = silent, .prepare = stopped },
    { .method = KEEPERD_KILL_KEEPER_KILL, .word = { 1, KEEPER_LOOP } },
    { .name = "is down", .method = KEEPERD_KILL_KEEPER_KILL, .word = { 3, KEEPER_LOOP }, .expect = KEEPER_IS_DOWN },
    { .method = KEEPERD_KILL_KEEPER_SET_POLICY, .word = { 1, KEEPER_ASK } },
    { .method = KEEPERD_KILL_KEEPER_UPDATE, .words = 5, .word = { 1, 6, [4] = 0x6c6169726573 } },
    { .name = "no module", .method = KEEPERD_KILL_KEEPER_UPDATE, .words = 5, .word = { 1, 4, [4] = 0x656e6f6e }, .expect = KEEPER_NO_MODULE },
    { .method = KEEPERD_KILL_KEEPER_LOOK, .word = { 1 } },
    { .method = KEEPERD_KILL_KEEPER_MEMORY, .word = { 1 } },
    { .name = "of everybody", .method = KEEPERD_KILL_KEEPER_MEMORY, .word = { 0 } },
    { .name = "of nobody", .method = KEEPERD_KILL_KEEPER_MEMORY, .word = { 1000 }, .expect = KEEPER_NO_SERVICE },
    { .name = "halts it", .method = KEEPERD_KILL_EXCEPTION_RAISE, .label = KEEPER_EXCEPTION_LABEL | 1, .word = { 14, 4, 0 },
      .expect = L4_BAD_STATE },
    { .name = "of nobody", .method = KEEPERD_KILL_EXCEPTION_RAISE, .word = { 14, 4, 0 }, .expect = L4_NO_RIGHT },
    { .method = KEEPERD_KILL_KEEPER_SUSPECT, .word = { 1 } },
    { .method = KEEPERD_KILL_KEEPER_FIND, .words = 5, .word = { 6, [4] = 0x6c6169726573 } },
    { .method = KEEPERD_KILL_KEEPER_CRASH, .word = { 1 } },
    { .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 1, PROCESS + 1 } },
    { .name = "of a service", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { 2, 2 }, .expect = PROCESS_INVAL },
    { .name = "taken", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE, PROCESS + 0x10000 }, .prepare = place_made,
      .expect = PROCESS_EXIST },
    { .method = KEEPERD_KILL_PROCESS_MAKE_THREAD, .word = { PLACE, 1 }, .prepare = place_made },
    { .method = KEEPERD_KILL_PROCESS_DROP_THREAD, .word = { PLACE, 1 }, .prepare = thread_made },
    { .method = KEEPERD_KILL_PROCESS_DROP, .word = { PLACE }, .prepare = thread_made },
    { .name = "the first thread", .method = KEEPERD_KILL_PROCESS_DROP_THREAD, .word = { PLACE, 0 }, .prepare = thread_made },
    { .name = "without the first thread", .method = KEEPERD_KILL_PROCESS_DROP, .word = { PLACE }, .prepare = first_dropped },
    { .name = "without the first thread", .method = KEEPERD_KILL_PROCESS_RENEW, .word = { PLACE }, .prepare = first_dropped },
    { .name = "no room for the first thread", .method = KEEPERD_KILL_PROCESS_RENEW, .word = { PLACE }, .prepare = first_dropped_and_full,
      .expect = PROCESS_NOMEM },
    { .name = "one more than are kept", .method = KEEPERD_KILL_PROCESS_DROP, .word = { PLACE + 9 }, .steps = true, .prepare = spares_full },
    { .name = "a spare one", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE, PROCESS }, .prepare = places_spare },
    { .name = "where somebody was", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE, PROCESS + 0x10000 }, .prepare = spare_pushed_out },
    { .name = "a spare one without a task", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE, PROCESS + 0x10000 }, .steps = true,
      .prepare = spare_taken_apart },
    { .name = "in place of a spare one", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 3, PROCESS + 3 }, .steps = true,
      .prepare = spares_in_the_way },
    { .name = "no room", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 3, PROCESS + 3 }, .steps = true,
      .prepare = spares_of_no_use, .expect = PROCESS_NOMEM },
    { .name = "no room at vm", .method = KEEPERD_KILL_PROCESS_MAKE, .word = { PLACE + 3, PROCESS + 3 }, .prepare = vm_is_full,
      .expect = PROCESS_NOMEM },
    { .name = "no room at pm", .method = KEEPERD_KILL_PROCESS_MAKE_THREAD, .word = { PLACE, 1 }, .prepare = pm_is_full,
      .expect = PROCESS_NOMEM },
    { .name = "cut short", .method = KEEPERD_KILL_PROCESS_DROP, .word = { PLACE }, .prepare = drop_cut_short },
    { .name = "pm, anew", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { PM, KEEPER_HEARTBEAT }, .prepare = restarted_with_process },
    { .name = "pm, anew, after a drop cut short", .method = KEEPERD_KILL_KEEPER_RESTART, .word = { PM, KEEPER_HEARTBEAT },
      .prepare = restarted_and_cut_short },
    { .method = KEEPERD_KILL_PROCESS_RENEW, .word = { PLACE }, .prepare = thread_made },
    { .name = "nobody's", .method = KEEPERD_KILL_PROCESS_RENEW, .word = { PLACE }, .expect = PROCESS_INVAL },
    { 0 },
};

int main(int count, char **words)
{
    static struct kill_server server;
    server = keeperd_kill;
    server.world.state_bytes = MACHINE_AT - L4_STATE_ADDRESS + sizeof *machine();
    kill_machine_at = MACHINE_AT;
    kill_machine_check = machine_check;
    return kill_main(count, words, &server, requests, NULL, NULL);
}
