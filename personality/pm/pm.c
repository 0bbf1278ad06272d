/* SPDX-License-Identifier: BSD-2-Clause */
/* pm.c: the process manager: its start, its peers' events, its table of methods.
 * Lost in a crash: nothing; parked callers ask again. A new incarnation derives from the state what every thread
 * should be doing, kicks all, who may have signals or another parent, and resends open ops (libl4). */
#include <l4/invoke.h>
#include <l4/log.h>
#include "processes.h"

/* Ask the server behind door `use` for its events; what it had raised. */
static u64 subscribe(u32 use, u32 protocol, u64 events)
{
    u64 tag = l4_tag(protocol << 8 | L4_METHOD_SUBSCRIBE, 1, 0), w0 = events, w1 = 0, w2 = 0, w3 = 0;
    l4_invoke(l4_volatile.door[use], &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag) == L4_OK ? w0 : 0;
}

static void first_process(struct pmd_tx tx)
{
    struct proc *p = proc_make(tx);
    p->group = p->session = p->pid;
    p->busy = 1;
    limits_init(p);
    memcpy(p->name, "init", sizeof "init");
    lwp_make(tx, p, 0, p->pid);
    errand_boot(tx, p);
}

/* Whoever ends gives memory back soon. */
static bool somebody_ends(void)
{
    const struct proc *p = proc_following(NULL);
    while (p && p->state != PM_DYING && !p->doomed) {
        p = proc_following(p);
    }
    return p;
}

/* Memory runs out: the process that has most of it ends, one at a time. As on Linux, process 1 is spared as long as there is another. */
static void memory_exhausted(struct pmd_tx tx)
{
    const struct proc *first = proc_by_pid(FIRST_PID);
    u64 label = 0, bytes = 0;
    bool scarce = false;
    if (somebody_ends()) {
        return;
    }
    vm_largest(l4_volatile.door[PMD_USES_VM], first ? first->label : 0, &label, &bytes, &scarce);
    if (!scarce) {
        return;                         /* a new vm tells of it in any case */
    }
    const struct proc *p = label ? caller(label) : first;
    if (p) {
        l4_log("out of memory: process %u, which has %lu KB, ends", p->pid, bytes >> 10);
        proc_end(tx, p, SIG_KILL);
    }
}

static void event(struct pmd_tx tx, u32 peer)
{
    if (peer == PMD_USES_TTY &&
        subscribe(PMD_USES_TTY, TTY_PROTOCOL, 1ul << TTY_EVENT_SIGNALS) & 1ul << TTY_EVENT_SIGNALS) {
        owed_begin(tx);
    }
    if (peer == PMD_USES_VM &&
        subscribe(PMD_USES_VM, VM_PROTOCOL, 1ul << VM_EVENT_EXHAUSTED) & 1ul << VM_EVENT_EXHAUSTED) {
        memory_exhausted(tx);
    }
    if (peer == PMD_USES_CENSUS &&
        subscribe(PMD_USES_CENSUS, CENSUS_PROTOCOL, 1ul << CENSUS_EVENT_EMPTY) & 1ul << CENSUS_EVENT_EMPTY) {
        procs_show(tx);
    }
}

static void start(struct pmd_tx tx)
{
    if (!pmd_state()->generation) {
        first_process(tx);
    }
    for (const struct lwp *l = lwp_following(NULL); l; l = lwp_following(l)) {
        pmd_after_drive(tx, lwp_ref(l));
        pmd_after_kick(tx, lwp_ref(l));
    }
    if (!l4_volatile.serving) {
        subscribe(PMD_USES_TTY, TTY_PROTOCOL, 1ul << TTY_EVENT_SIGNALS);
        subscribe(PMD_USES_VM, VM_PROTOCOL, 1ul << VM_EVENT_EXHAUSTED);
        if (l4_volatile.door[PMD_USES_CENSUS]) {
            subscribe(PMD_USES_CENSUS, CENSUS_PROTOCOL, 1ul << CENSUS_EVENT_EMPTY);
        }
        owed_begin(tx);
    }
    procs_show(tx);
    timers_arm();
}

METHOD(shut_down, u32 how)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (me->ids.euid != 0) {
        return PM_PERM;
    }
    if (how > 2) {
        return PM_INVAL;
    }
    machine_end(tx, 0);
    return L4_OK;
}

/* Children know their parents. */
bool pmd_kin(const struct pmd_state *s)
{
    u32 children = 0, orphans = 0;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        orphans += p->parent == 0;
        for (const struct proc *c = children_first(p); c; c = children_next(c)) {
            if (c->parent != proc_ref(p)) {
                return false;
            }
            children++;
        }
    }
    return children + orphans == s->proc_table.live;
}

#define CASE_OF(op, step) .op##_##step = op##_##step
static const struct pmd_ops ops = {
    .hooks = { .start = start, .event = event, .timeout = timers_run },
    .fork = do_fork,
    .exec = do_exec,
    .make_thread = do_make_thread,
    .exit_thread = do_exit_thread,
    .exit = do_exit,
    .wait = do_wait,
    .self = do_self,
    .parent = do_parent,
    .kill = do_kill,
    .dispose = do_dispose,
    .take = do_take,
    .stop = do_stop,
    .background = do_background,
    .pending = do_pending,
    .timer = do_timer,
    .set_group = do_set_group,
    .group = do_group,
    .make_session = do_make_session,
    .identify = do_identify,
    .set_groups = do_set_groups,
    .limits = do_limits,
    .times = do_times,
    .nice = do_nice,
    .shut_down = do_shut_down,
    .look = do_look,
    .load = do_load,
    CASE_OF(fork, task),
    CASE_OF(fork, space),
    CASE_OF(fork, files),
    CASE_OF(fork, unspace),
    CASE_OF(fork, untask),
    CASE_OF(exec, space),
    CASE_OF(exec, thread),
    CASE_OF(exec, files),
    CASE_OF(exec, who),
    CASE_OF(errand, task),
    CASE_OF(errand, space),
    CASE_OF(errand, files),
    CASE_OF(errand, close),
    CASE_OF(errand, unmap),
    CASE_OF(errand, undo),
    CASE_OF(errand, tell),
    CASE_OF(errand, bounds),
    CASE_OF(thread, block),
    CASE_OF(thread, thread),
    CASE_OF(thread, unblock),
    CASE_OF(retire, thread),
    CASE_OF(retire, block),
    CASE_OF(owed, next),
    CASE_OF(finish, tell),
    .drive = thread_drive,
    .kick = thread_kicked,
    .show = process_show,
};

void l4_main(void) { pmd_serve(&ops); }
