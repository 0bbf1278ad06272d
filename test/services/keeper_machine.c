/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_machine.c: see keeper_machine.h. */
#include "keeper_machine.h"

#include <abi/error.h>
#include <abi/fpage.h>
#include <abi/object.h>
#include <factory.h>
#include <gate.h>
#include <irq.h>
#include <l4/hook.h>
#include <process.h>
#include <sched.h>
#include <string.h>
#include <task.h>
#include <thread.h>
#include <vm.h>

#include "service.h"
#include "slots.h"
#include "world.h"

enum { LIMIT = 64 << 20, TASK_BYTES = 32768, THREAD_BYTES = 4096, IRQ_BYTES = 4096 };
_Static_assert(TASK_BYTES + THREAD_BYTES + IRQ_BYTES == MACHINE_PROCESS, "what the header says");
_Static_assert(MACHINE_PLACES == (u32)PROCESS_PLACES && MACHINE_THREADS == (u32)PROCESS_THREADS, "the interface's");

/* ---- slots ---- */
/* A slot of keeper's that belongs to a place. */
struct slot { struct machine_place *of; u32 place, object, t; };

static bool slot_find(cap_t cap, struct slot *s)
{
    u64 n = cap - place_slot(0, 0);
    *s = (struct slot){ NULL, (u32)n / PLACE_OBJECTS, n % PLACE_OBJECTS, n % PLACE_OBJECTS % PROCESS_THREADS };
    s->of = cap >= place_slot(0, 0) && n / PLACE_OBJECTS < PROCESS_PLACES ? &machine()->place[s->place] : NULL;
    return s->of != NULL;
}

static bool is_task(const struct slot *s) { return s->of && s->object == PLACE_TASK; }
static bool is_door(const struct slot *s) { return s->of && s->object >= PLACE_DOOR && s->object < PLACE_DOOR + MACHINE_DOORS; }
static bool is_thread(const struct slot *s) { return s->of && s->object >= PLACE_THREAD && s->object < PLACE_IRQ; }
static bool is_irq(const struct slot *s) { return s->of && s->object >= PLACE_IRQ; }

static struct machine_thread *thread_at(cap_t cap)
{
    struct slot s;
    slot_find(cap, &s);
    return is_thread(&s) && s.of->thread[s.t].there ? &s.of->thread[s.t] : NULL;
}

static u32 service_of(cap_t task) { return (u32)(task - OBJECT_TASK - object_slot(0, 0)) / 16; }
static bool is_called(u32 service, const char *name) { return service && service == service_find((const u8 *)name, (u32)strlen(name)); }

/* ---- objects come and go ---- */
static l4_err_t take(bool *there, u64 bytes)
{
    if (*there) {
        return L4_EXISTS;
    }
    if (machine()->taken + bytes > LIMIT) {
        return L4_NO_MEMORY;
    }
    machine()->taken += bytes;
    *there = true;
    return L4_OK;
}

static l4_err_t make(cap_t slot, u32 method)
{
    struct slot s;
    slot_find(slot, &s);
    if (method == FACTORY_METHOD_MAKE_TASK && is_task(&s)) {
        return take(&s.of->task, TASK_BYTES);
    }
    if (method == FACTORY_METHOD_MAKE_THREAD && is_thread(&s)) {
        return take(&s.of->thread[s.t].there, THREAD_BYTES);
    }
    return method == FACTORY_METHOD_MAKE_IRQ && is_irq(&s) ? take(&s.of->irq[s.t].there, IRQ_BYTES) : L4_BAD_ARGUMENT;
}

/* The threads bound there are bound nowhere. */
static void task_end(struct machine_place *p)
{
    machine()->taken -= TASK_BYTES;
    p->task = p->native = p->log = p->info = p->text = p->at_vm = false;
    memset(p->door_in, 0, sizeof p->door_in);
    memset(p->window, 0, sizeof p->window);
    for (u32 t = 0; t < MACHINE_THREADS; t++) {
        p->thread[t].utcb = 0;
        p->thread[t].in_task = p->irq[t].in_task = false;
    }
}

static void slot_end(struct slot *s)
{
    if (is_task(s)) {
        task_end(s->of);
    } else if (is_door(s)) {
        s->of->door[s->object - PLACE_DOOR] = 0;
        s->of->door_in[s->object - PLACE_DOOR] = false;
    } else if (is_thread(s)) {
        machine()->taken -= THREAD_BYTES;
        memset(&s->of->thread[s->t], 0, sizeof s->of->thread[s->t]);
        s->of->irq[s->t].bound = false;
    } else if (is_irq(s)) {
        machine()->taken -= IRQ_BYTES;
        memset(&s->of->irq[s->t], 0, sizeof s->of->irq[s->t]);
    }
}

static bool slot_is_used(const struct slot *s)
{
    return is_task(s)     ? s->of->task
           : is_door(s)   ? s->of->door[s->object - PLACE_DOOR] != 0
           : is_thread(s) ? s->of->thread[s->t].there
                          : is_irq(s) && s->of->irq[s->t].there;
}

/* One slot after the other, as the kernel does: keeper may be killed between two. */
static l4_err_t slots_end(u64 fpage)
{
    for (u64 i = 0; i < 1ul << l4_fpage_order(fpage); i++) {
        struct slot s;
        if (slot_find(l4_fpage_base(fpage) + i, &s) && slot_is_used(&s)) {
            slot_end(&s);
            l4_hook();
        }
    }
    return L4_OK;
}

static l4_err_t window_end(cap_t task, u64 fpage)
{
    struct slot s;
    slot_find(task, &s);
    u64 t = (l4_fpage_address(fpage) - VM_RUNTIME_THREADS - VM_BLOCK_WINDOW) / VM_BLOCK;
    if (!is_task(&s) || !s.of->task) {
        return L4_NO_CAPABILITY;
    }
    s.of->window[t % MACHINE_THREADS] = false;
    return L4_OK;
}

/* ---- maps ---- */
static l4_err_t given(bool there, bool *to)
{
    *to |= there;
    return there ? L4_OK : L4_NOT_MAPPED;
}

/* To vm or pm, which may have had it before. */
static l4_err_t shown(bool there, bool is_full, bool *to)
{
    return there && is_full && !*to ? L4_NO_MEMORY : given(there, to);
}

static l4_err_t cap_to_server(cap_t task, const struct slot *s, cap_t to)
{
    u32 service = service_of(task);
    if (is_called(service, "vm") && is_task(s) && to == PROCESS_TASKS_AT_VM + s->place) {
        return shown(s->of->task, machine()->vm_is_full, &s->of->at_vm);
    }
    if (is_called(service, "pm") && is_thread(s) && to == PROCESS_THREADS_AT_PM + PROCESS_THREADS * s->place + s->t) {
        return shown(s->of->thread[s->t].there, machine()->pm_is_full, &s->of->thread[s->t].at_pm);
    }
    return L4_BAD_ARGUMENT;
}

static l4_err_t cap_to_process(struct machine_place *p, cap_t from, cap_t to)
{
    struct slot s;
    slot_find(from, &s);
    if (!p->task) {
        return L4_NO_CAPABILITY;
    }
    if (from == L4_BOOT_LOG && to == PROCESS_LOG) {
        return given(true, &p->log);
    }
    if (s.of == p && is_door(&s) && to == PROCESS_PM + (s.object - PLACE_DOOR)) {
        return given(p->door[s.object - PLACE_DOOR] != 0, &p->door_in[s.object - PLACE_DOOR]);
    }
    if (s.of == p && is_thread(&s) && to == PROCESS_THREAD + 4 * s.t) {
        return given(p->thread[s.t].there, &p->thread[s.t].in_task);
    }
    if (s.of == p && is_irq(&s) && to == PROCESS_THREAD + 4 * s.t + 1) {
        return given(p->irq[s.t].there, &p->irq[s.t].in_task);
    }
    return L4_BAD_ARGUMENT;
}

static l4_err_t page_to_process(struct machine_place *p, vaddr_t to)
{
    return !p->task ? L4_NO_CAPABILITY : given(true, to == VM_RUNTIME_INFO ? &p->info : &p->text);
}

static l4_err_t map(cap_t task, u64 from, u64 to)
{
    struct slot s, what;
    slot_find(task, &s);
    if (l4_fpage_type(from) == L4_FPAGE_MEMORY) {
        return is_task(&s) ? page_to_process(s.of, to) : L4_NO_CAPABILITY;
    }
    slot_find(l4_fpage_base(from), &what);
    return is_task(&s) ? cap_to_process(s.of, l4_fpage_base(from), to) : cap_to_server(task, &what, to);
}

static l4_err_t mint(cap_t slot, u64 label)
{
    struct slot s;
    slot_find(slot, &s);
    u64 *door = is_door(&s) ? &s.of->door[s.object - PLACE_DOOR] : NULL;
    if (!door || (*door && *door != label)) {
        return L4_SLOT_BUSY;
    }
    *door = label;
    return L4_OK;
}

/* ---- threads ---- */
static l4_err_t thread_moves(struct machine_thread *t, cap_t task, u64 utcb)
{
    struct slot s;
    slot_find(task, &s);
    if (!is_task(&s) || !s.of->task) {
        return L4_NO_CAPABILITY;
    }
    if (t->utcb != utcb && t->runs) {
        return L4_BAD_STATE;
    }
    t->past &= t->utcb == utcb ? t->past : ~PAST_UTCB;
    t->utcb = utcb;
    return L4_OK;
}

static l4_err_t thread_asked(struct machine_thread *t, const struct l4_message *m)
{
    switch ((u32)m->tag) {
    case THREAD_METHOD_BIND:
        return thread_moves(t, m->word[0], m->word[1]);
    case THREAD_METHOD_STOP:
        t->runs = false;
        return L4_OK;
    case THREAD_METHOD_SET_HANDLERS:
        t->pager = m->word[0] == PROCESS_VM;
        return L4_OK;
    case THREAD_METHOD_SET_BASE:
        t->past &= ~PAST_BASE;
        return L4_OK;
    case THREAD_METHOD_USE_FPU:
        t->fpu = m->word[0];
        t->past &= t->fpu ? t->past : ~PAST_FPU;
        return L4_OK;
    }
    return L4_NO_METHOD;
}

static l4_err_t irq_asked(struct machine_irq *irq, cap_t thread)
{
    irq->bound = irq->there && thread_at(thread);
    return irq->bound ? L4_OK : L4_NO_CAPABILITY;
}

/* ---- invocations ---- */
static l4_err_t place_asked(const struct slot *s, cap_t cap, const struct l4_message *m)
{
    struct machine_thread *t = thread_at(cap);
    if (is_task(s) && s->of->task && (u32)m->tag == TASK_METHOD_SET_NATIVE) {
        s->of->native = true;
        return L4_OK;
    }
    if (t) {
        return thread_asked(t, m);
    }
    return is_irq(s) && (u32)m->tag == IRQ_METHOD_BIND ? irq_asked(&s->of->irq[s->t], m->word[0]) : L4_NO_CAPABILITY;
}

static l4_err_t scheduled(cap_t thread)
{
    struct machine_thread *t = thread_at(thread);
    if (t) {
        t->scheduled = true;
    }
    return t ? L4_OK : L4_NO_CAPABILITY;
}

static l4_err_t unmap(cap_t task, u64 fpage)
{
    return l4_fpage_type(fpage) == L4_FPAGE_CAP ? slots_end(fpage) : window_end(task, fpage);
}

bool world_object(cap_t cap, struct l4_message *m)
{
    struct slot s;
    l4_err_t err;
    switch ((u32)m->tag) {
    case FACTORY_METHOD_QUOTA:
        m->word[0] = LIMIT;
        m->word[1] = machine()->taken;
        err = L4_OK;
        break;
    case FACTORY_METHOD_MAKE_TASK:
    case FACTORY_METHOD_MAKE_THREAD:
    case FACTORY_METHOD_MAKE_IRQ: err = make(m->word[0], (u32)m->tag); break;
    case TASK_METHOD_MAP: err = map(cap, m->word[1], m->word[2]); break;
    case TASK_METHOD_UNMAP: err = unmap(cap, m->word[0]); break;
    case GATE_METHOD_MINT: err = mint(m->word[0], m->word[1]); break;
    case SCHED_METHOD_SET: err = scheduled(m->word[0]); break;
    default:
        if (!slot_find(cap, &s)) {
            return false;
        }
        err = place_asked(&s, cap, m);
    }
    m->tag = (u32)err;
    return true;
}

/* ---- vfs's windows ---- */
l4_err_t service_window(u32 service, u32 client, u32 slot, u64 task, u64 at)
{
    struct slot s;
    slot_find(task, &s);
    if (!is_task(&s) || !s.of->task) {
        return L4_NO_CAPABILITY;
    }
    s.of->window[slot] = true;
    l4_hook();
    return L4_OK;
}

void service_window_clear(u32 service, u32 client, u32 slot)
{
    machine()->place[client].data_of[slot] = 0;
    l4_hook();
}

/* ---- for tests ---- */
void machine_live(u32 place, u64 process)
{
    struct machine_place *p = &machine()->place[place];
    for (u32 t = 0; t < MACHINE_THREADS; t++) {
        if (p->thread[t].there) {
            p->thread[t].runs = true;
            p->thread[t].past = PAST_UTCB | PAST_FPU | PAST_BASE;
            p->thread[t].past_of = process;
            p->data_of[t] = process;
        }
    }
}

void machine_fill(i64 more) { machine()->taken = (u64)(LIMIT - LIMIT / 4 + more); }

void machine_lost_by(u32 service)
{
    bool is_vm = is_called(service, "vm"), is_pm = is_called(service, "pm");
    for (u32 p = 0; p < MACHINE_PLACES; p++) {
        machine()->place[p].at_vm &= !is_vm;
        for (u32 t = 0; t < MACHINE_THREADS; t++) {
            machine()->place[p].thread[t].at_pm &= !is_pm;
        }
    }
}

static const char *thread_check(const struct machine_place *p, u32 t, u64 process)
{
    const struct machine_thread *thread = &p->thread[t];
    const struct machine_irq *irq = &p->irq[t];
    if (!thread->there || thread->utcb != VM_RUNTIME_THREADS + (u64)t * VM_BLOCK || !thread->pager || !thread->fpu || !thread->scheduled) {
        return "a thread is half made";
    }
    if (!thread->in_task || !thread->at_pm) {
        return "its process or pm has no hold of a thread";
    }
    if (process && thread->past && thread->past_of != process) {
        return "a thread bears what another process left in it";
    }
    if (!irq->there || !irq->bound || !irq->in_task) {
        return "a thread has no irq object";
    }
    if (!p->window[t]) {
        return "a thread has no window";
    }
    return process && p->data_of[t] && p->data_of[t] != process ? "a thread sees what another process sent" : NULL;
}

static const char *doors_check(const struct machine_place *p, u64 process)
{
    for (u32 i = 0; i < MACHINE_DOORS; i++) {
        if (p->door[i] != process || p->door_in[i] != (process != 0)) {
            return process ? "a process lacks a door, or has another's" : "a spare place has a door";
        }
    }
    return NULL;
}

/* A place with a task: a process's, or a spare one. */
static const char *place_check(const struct machine_place *p, u64 process, u64 threads)
{
    const char *wrong = !p->task || !p->native || !p->log || !p->info || !p->text || !p->at_vm ? "a task is half made" : doors_check(p, process);
    for (u32 t = 0; t < MACHINE_THREADS && !wrong; t++) {
        bool is_there = threads >> t & 1;
        wrong = is_there ? thread_check(p, t, process) : p->thread[t].there || p->irq[t].there || p->window[t] ? "there is a thread too many" : NULL;
    }
    return wrong;
}

static const char *empty_check(const struct machine_place *p)
{
    struct machine_place nothing;
    memset(&nothing, 0, sizeof nothing);
    memcpy(nothing.data_of, p->data_of, sizeof nothing.data_of);    /* nobody's, until it is cleared */
    return memcmp(p, &nothing, sizeof nothing) ? "something is left at a place that nobody has" : NULL;
}

static bool is_spare(const struct keeperd_state *state, u32 place)
{
    bool found = false;
    for (u32 i = 0; i < sizeof state->spare / sizeof state->spare[0]; i++) {
        found |= place && state->spare[i] == place;
    }
    return found;
}

const char *machine_check(bool is_asked)
{
    const struct keeperd_state *state = (const struct keeperd_state *)L4_STATE_ADDRESS;
    const char *wrong = NULL;
    for (u32 i = 0; is_asked && i < MACHINE_PLACES && !wrong; i++) {
        const struct machine_place *p = &machine()->place[i];
        bool has_task = state->place[i] || is_spare(state, i);
        wrong = i && i == machine()->ending ? NULL : has_task ? place_check(p, state->place[i], state->place_threads[i]) : empty_check(p);
    }
    return wrong;
}
