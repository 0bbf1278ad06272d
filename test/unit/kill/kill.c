/* SPDX-License-Identifier: BSD-2-Clause */
/* kill.c: images of the state at every point where a server may die, each tried out.
 *
 * What a kill leaves is the state object and the world around it, nothing else. So one run gives all kills: at each
 * point the pages that differ from the last image are copied; afterwards each image is put back and a new incarnation
 * is started on it. Pages are write-protected at first, so that only those that were written are looked at. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include "kill.h"

enum { PAGE = 4096, DIRTY_MAX = 4096, IMAGES_MAX = 1 << 16, POOL_BYTES = 1 << 30, SHOWN = 8, PAGES_MAX = 1 << 13, TIMEOUTS_MOST = 64,
       IMAGES_MANY = 2048 };     /* of more, not each is tried */

struct image {
    struct world world;
    u32 pages;
    u8 **page;                  /* copies, in the order of `dirty` */
};

static const struct kill_server *server;
static const struct kill_request *request;
static const struct kill_request first_start = { .name = "the first start", .steps = true };
static u8 *base, *after;        /* whole state objects: before the request, and after it */
static struct world base_world, after_world;
static u8 *pool;
static u64 pool_used;
static struct { u8 *at, *last; } dirty[DIRTY_MAX];
static u32 dirties, images;
static struct image *image;
static u64 world_seen;
static bool collecting;
static bool differs[PAGES_MAX];
static u64 kills, undone, finished, deep, lates, bad, numbers;
static struct world_answer wanted;
static bool answered;
static u64 meant;               /* by the state after the untouched run */
static bool changes;            /* that run left another state */
const char *(*kill_machine_check)(bool is_asked);
u64 kill_machine_at;
const char *kill_by_chance;
bool kill_no_first_start;

static const struct kill_method *method_of(const struct kill_request *r) { return &server->methods[r->method]; }
static bool is_event(const struct kill_request *r) { return r->event || r->late; }
static bool is_request(const struct kill_request *r) { return r->method || r->judged || is_event(r); }
static l4_err_t expected(const struct kill_request *r) { return is_event(r) ? L4_PENDING : r->expect; }
static u64 label_of(const struct kill_request *r) { return r->label ? r->label : KILL_LABEL; }

static bool expect_bad;     /* a mutant: its first fault is enough */

static void fault(const char *what, u64 at)
{
    if (expect_bad) {
        printf("found: %s, %s (kill %lu)\n", method_of(request)->name, what, at);
        exit(0);
    }
    if (bad++ < SHOWN) {
        printf("  %s%s%s: %s (kill %lu)\n", method_of(request)->name, request->name ? ", " : "", request->name ? request->name : "",
               what, at);
    }
}

/* ---- images ---- */
static void *pool_take(u64 bytes)
{
    if (pool_used + bytes > POOL_BYTES) {
        fprintf(stderr, "too many images\n");
        exit(2);
    }
    pool_used += bytes;
    return pool + pool_used - bytes;
}

static bool page_written(void *address)
{
    u8 *at = (u8 *)((u64)address & ~(PAGE - 1ul));
    if ((u64)at < L4_STATE_ADDRESS || (u64)at >= L4_STATE_ADDRESS + world_bytes() || dirties == DIRTY_MAX) {
        return false;
    }
    for (u32 i = 0; i < dirties; i++) {
        if (dirty[i].at == at) {
            return false;
        }
    }
    mprotect(at, PAGE, PROT_READ | PROT_WRITE);
    dirty[dirties].at = at;
    dirty[dirties++].last = base + ((u64)at - L4_STATE_ADDRESS);
    return true;
}

static void image_take(void)
{
    if (!collecting) {
        return;
    }
    bool changed = world.changes != world_seen;
    for (u32 i = 0; i < dirties; i++) {
        if (memcmp(dirty[i].at, dirty[i].last, PAGE)) {
            dirty[i].last = memcpy(pool_take(PAGE), dirty[i].at, PAGE);
            changed = true;
        }
    }
    if (!changed || images == IMAGES_MAX) {
        return;
    }
    world_seen = world.changes;
    struct image *im = &image[images++];
    im->world = world;
    im->pages = dirties;
    im->page = pool_take(dirties * sizeof *im->page);
    for (u32 i = 0; i < dirties; i++) {
        im->page[i] = dirty[i].last;
    }
}

static void image_put(const struct image *im)
{
    for (u32 i = 0; i < dirties; i++) {
        u8 *from = i < im->pages ? im->page[i] : base + ((u64)dirty[i].at - L4_STATE_ADDRESS);
        memcpy(dirty[i].at, from, PAGE);
        dirty[i].last = from;
    }
    world = im->world;
    world_seen = world.changes;
}

/* ---- comparison ---- */
static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

/* Whether value i of a field may differ: numbers of ops come from the clock; what is outside undo, and the answer that
 * the client has given up by sending a new number, when the request was undone. */
static bool may_differ(const struct l4_field *f, u32 i, bool is_undone)
{
    if (ends_with(f->path, "~number") || ends_with(f->path, "~token")) {
        return true;
    }
    if (request == &first_start && kill_by_chance && ends_with(f->path, kill_by_chance)) {
        return true;
    }
    if (!is_undone) {
        return strncmp(f->path, "~slot", 5) == 0 && ends_with(f->path, ".op");
    }
    if (strncmp(f->path, "~slot", 5) == 0 && !ends_with(f->path, ".number")) {
        return i == (u32)(u16)label_of(request) * server->world.server->slots + KILL_SLOT;
    }
    return f->flags & L4_FIELD_BULK;
}

/* Which pages of the state differ from those at `wanted_state`: only pages that were written can, since both began alike. */
static void pages_compare(const u8 *wanted_state)
{
    memset(differs, 0, sizeof differs);
    for (u32 i = 0; i < dirties; i++) {
        u64 at = (u64)dirty[i].at - L4_STATE_ADDRESS;
        differs[at / PAGE] = memcmp(dirty[i].at, wanted_state + at, PAGE) != 0;
    }
}

/* How many values of a field, from one at `at` on, lie in a page that does not differ. */
static u32 values_equal(const struct l4_field *f, u64 at)
{
    u64 end = (at / PAGE + 1) * PAGE, bytes = (u64)f->size * f->inner;
    if (differs[at / PAGE] || at + bytes > end) {
        return 0;
    }
    return f->stride ? (u32)((end - at - bytes) / f->stride) + 1 : 1;
}

/* NULL if the state is as in `wanted_state`, else the path that differs. */
static const char *difference(const u8 *wanted_state, bool is_undone)
{
    const struct l4_server *s = server->world.server;
    pages_compare(wanted_state);
    for (u32 k = 0; k < s->fields; k++) {
        const struct l4_field *f = &s->schema[k];
        for (u32 i = 0, equal; i < f->count; i += equal ? equal : 1) {
            u64 at = f->offset + (u64)i * f->stride;
            equal = values_equal(f, at);
            if (!equal && memcmp((u8 *)L4_STATE_ADDRESS + at, wanted_state + at, (u64)f->size * f->inner) && !may_differ(f, i, is_undone)) {
                return f->path;
            }
        }
    }
    return NULL;
}

/* ---- runs ---- */
static struct l4_message message_of(const struct kill_request *r, u64 number)
{
    if (r->late) {
        return (struct l4_message){ .tag = (u32)L4_TIMED_OUT };
    }
    if (r->event) {
        return (struct l4_message){ .tag = l4_tag(L4_IRQ << 8, 0, 0), .label = r->event };
    }
    if (r->judged) {
        return (struct l4_message){ .tag = l4_tag(r->judged, r->words, 0), .label = label_of(r), .number = number };
    }
    const struct kill_method *m = method_of(r);
    u32 words = r->words ? r->words : m->words;
    return (struct l4_message){
        .tag = l4_tag(m->tag, words, m->items) | (u64)m->rights << L4_TAG_RIGHTS_SHIFT, .label = label_of(r), .number = number,
        .word = { r->word[0], r->word[1], r->word[2], r->word[3] },
    };
}

static u64 number_next(void) { return ++numbers << 16 | KILL_SLOT; }

static bool subscribe(u64 label)
{
    struct l4_message m = { .tag = l4_tag(server->world.server->served[0].protocol << 8 | L4_METHOD_SUBSCRIBE, 1, 0),
                            .label = label, .word = { ~L4_EVENT_ASK } };
    return world_deliver(&m, NULL);
}

const u64 *kill_send(const struct kill_request *r)
{
    struct l4_message m = message_of(r, number_next());
    if (r->window) {
        memcpy(world_window(m.label, KILL_SLOT), r->window, r->window_bytes);
    }
    if (!world_deliver(&m, r->word)) {
        printf("  prepare: %s crashed: %s\n", method_of(r)->name, world_crash());
        bad++;
        return r->word;
    }
    const struct world_answer *a = world_answer_to(m.label, m.number);
    if ((a ? l4_tag_status(a->tag) : L4_PENDING) != expected(r)) {
        printf("  prepare: %s answered %d, not %d\n", method_of(r)->name, a ? l4_tag_status(a->tag) : L4_PENDING, expected(r));
        bad++;
    }
    return a ? a->word : r->word;
}

static bool (*cut_when)(void);

static void cut_point(void)
{
    if (cut_when()) {
        l4_panic("killed");
    }
}

void kill_cut(const struct kill_request *r, bool (*when)(void))
{
    struct l4_message m = message_of(r, number_next());
    cut_when = when;
    world_point = cut_point;
    bool alive = world_deliver(&m, r->word);
    world_point = NULL;
    if (alive || strcmp(world_crash(), "killed") || !world_start()) {
        printf("  prepare: %s was not cut short: %s\n", method_of(r)->name, alive ? "it went on to its end" : world_crash());
        bad++;
    }
}

static const char *machine_fault(bool is_asked) { return kill_machine_check ? kill_machine_check(is_asked) : NULL; }

/* Played objects as the untouched run left them. */
static bool machine_is_as_after(void)
{
    u64 at = kill_machine_at - L4_STATE_ADDRESS;
    return !kill_machine_at || !memcmp((u8 *)kill_machine_at, after + at, world_bytes() - at);
}

/* ---- another caller, who waits ---- */
static struct l4_message peer;
static struct world_answer peer_wanted;

static bool peer_asks(void)
{
    const struct kill_request *r = request->peer;
    if (r && r->window) {
        memcpy(world_window(peer.label, KILL_PEER), r->window, r->window_bytes);
    }
    return !r || world_deliver(&peer, r->word);
}

/* In a slot of its own, which may be the same client's; it must not be answered before the request comes, and must
 * be then. */
static bool peer_waits(void)
{
    if (!request->peer) {
        return true;
    }
    peer = message_of(request->peer, ++numbers << 16 | KILL_PEER);
    return peer_asks() && !world_answer_to(peer.label, peer.number);
}

static void peer_note(void)
{
    const struct world_answer *a = request->peer ? world_answer_to(peer.label, peer.number) : NULL;
    if (a) {
        peer_wanted = *a;
    } else if (request->peer) {
        fault("untouched, who waits is not answered", 0);
    }
}

static bool is_same_window(u64 label, u32 slot)
{
    u64 window = server->world.server->window_bytes ? (u64)world_window(label, slot) - L4_STATE_ADDRESS : 0;
    return !window || !memcmp((u8 *)L4_STATE_ADDRESS + window, after + window, server->world.server->window_bytes);
}

static bool is_same_answer(const struct world_answer *a, const struct world_answer *as)
{
    return a->tag == as->tag && !memcmp(a->word, as->word, 8ul * l4_tag_words(a->tag));
}

static void peer_judge(u64 at)
{
    const struct world_answer *a = request->peer ? world_answer_to(peer.label, peer.number) : NULL;
    if (request->peer && !a) {
        fault("who waits is not answered", at);
    } else if (a && (!is_same_answer(a, &peer_wanted) || !is_same_window(peer.label, KILL_PEER))) {
        fault("who waits is answered otherwise", at);
    }
}

/* ---- judgement ---- */
static const char *difference_asked(void)
{
    if (request->meaning) {
        return request->meaning() == meant ? NULL : "what the state means";
    }
    return difference(after, false);
}

/* The new incarnation has started on an image. */
static void started_judge(u64 at)
{
    const char *from_before = difference(base, true), *from_after = difference(after, false);
    if (!from_before) {
        undone++;
    } else if (!from_after) {
        finished++;
    } else if (!request->steps) {
        char text[128];
        snprintf(text, sizeof text, "the state is neither before (%s) nor after (%s)", from_before, from_after);
        fault(text, at);
    }
    if (server->world.server->check && !server->world.server->check()) {
        fault("an invariant is broken", at);
    }
    if (machine_fault(false)) {
        fault(machine_fault(false), at);
    }
}

static void answer_judge(const struct l4_message *m, u64 at)
{
    const struct world_answer *a = world_answer_to(m->label, m->number);
    if ((a != NULL) != answered) {
        fault(a ? "asked again, it answers at once" : "asked again, it does not answer", at);
    } else if (a && !is_same_answer(a, &wanted)) {
        fault("asked again, it answers otherwise", at);
    }
    if (a && !is_same_window(m->label, KILL_SLOT)) {
        fault("asked again, the window differs", at);
    }
    peer_judge(at);
}

/* All has come to its end. */
static void end_judge(u64 at)
{
    const char *path = difference_asked(), *machine = machine_fault(true);
    if (path || machine) {
        char text[128];
        snprintf(text, sizeof text, "asked again, %s%s", path ? path : machine, path ? " differs" : "");
        fault(text, at);
    }
    if (!machine_is_as_after()) {
        fault("asked again, the machine differs", at);
    }
    if (memcmp(world.executed, after_world.executed, sizeof world.executed)) {
        fault("a server below has executed something twice or not at all", at);
    }
    for (u32 i = 0; i < after_world.effects; i++) {
        u32 k = 0;
        while (k < world.effects && world.effect[k] != after_world.effect[i]) {
            k++;
        }
        if (k == world.effects) {
            fault("an effect is missing", at);
            break;
        }
    }
}

/* Whether the last incarnation has done all that an event asked for: nobody raises it again. */
static bool is_done(void) { return is_event(request) && request->again && changes && !difference(after, false); }

/* The new incarnation has started on an image: is all as it must be, now and after asking again? `m` NULL: nobody
 * asked anything. */
static void judge(const struct l4_message *m, u64 at)
{
    started_judge(at);
    world.answers = 0;
    if (m && !is_done()) {
        if (request->again) {
            request->again();
        }
        if (!peer_asks() || !world_deliver(m, request->word)) {
            fault(world_crash(), at);
            return;
        }
        answer_judge(m, at);
    }
    end_judge(at);
}

static void start_on(const struct image *im, const struct l4_message *m, u64 at)
{
    image_put(im);
    if (!world_start()) {
        fault(world_crash(), at);
        return;
    }
    judge(m, at);
}

/* Kill the recovery from `im` too, at every hook, or every instruction; of a request with many images, at some. */
static void recovery_killed(u32 i, const struct l4_message *m, bool stepping)
{
    u32 first = images;
    u64 used = pool_used;
    image_put(&image[i]);
    world_stepping = stepping;
    collecting = true;
    bool alive = world_start();
    collecting = world_stepping = false;
    u32 last = images;
    if (!alive) {
        fault(world_crash(), i);
    }
    for (u32 k = first; k < last; k += 1 + first / IMAGES_MANY * 8) {
        deep++;
        start_on(&image[k], m, i);
    }
    images = first;
    image_put(&image[i]);       /* no page's last copy is one of those that are given back */
    pool_used = used;
}

/* What makes a server send again what came to nothing: time that passes, or news from below. */
enum late_cure { BY_TIME, BY_EVENT };

static bool is_as_untouched(void)
{
    return !difference(after, false) && !memcmp(world.executed, after_world.executed, sizeof world.executed);
}

/* Until all is as it must be, or nothing more is due. The time to send again is over without the clock having moved, for what is
 * done then bears the same time as untouched; a server's own deadline is looked at with its clock. */
static bool time_pass(void)
{
    struct l4_message over = { .tag = (u32)L4_TIMED_OUT };
    for (u32 i = 0; i < TIMEOUTS_MOST && !is_as_untouched(); i++) {
        u64 own = l4_volatile.deadline, retry = l4_volatile.retry;
        if (!own && !retry) {
            break;
        }
        if (!retry || (own && own < retry)) {
            world.passed += own > l4_now() ? own - l4_now() : 0;
        }
        if (!world_deliver(&over, NULL)) {
            return false;
        }
    }
    return true;
}

static bool news_come(void)
{
    return world_deliver(&(struct l4_message){ .tag = L4_IRQ << 8, .label = L4_IRQ_PEER | 0xffff }, NULL);
}

/* A server below lets the patience with message `late` run out, having executed it or not: it is sent again, and all ends as if untouched. */
static void late_test(const struct l4_message *m, u32 late, bool is_heard, enum late_cure cure)
{
    image_put(&image[0]);
    world_late_heard = is_heard;
    if (!world_start()) {
        fault(world_crash(), late);
        return;
    }
    world_messages = 0;
    world_late = late;
    bool alive = world_deliver(m, request->word);
    world_late = 0;
    if (!alive || !(cure == BY_TIME ? time_pass() : news_come())) {
        fault(world_crash(), late);
        return;
    }
    if (difference(after, false)) {
        fault(cure == BY_TIME ? "a message that came to nothing is not sent again in time"
              : "a message that came to nothing is not sent again at the next event", late);
    }
    if (answered) {         /* what is parked in this incarnation is not asked twice */
        judge(m, late);
    }
    lates++;
}

/* All labels but one that the request introduces itself: that takes transactions of its own. */
static bool clients_known(void)
{
    return subscribe(KILL_OTHER) && subscribe(KILL_LABEL) && (request->steps || request->event || subscribe(label_of(request)));
}

/* What the reference run and each kill start from. */
static void base_take(bool stepping)
{
    memcpy(base, (void *)L4_STATE_ADDRESS, world_bytes());
    world.answers = world.effects = 0;
    base_world = world;
    dirties = images = 0;
    pool_used = 0;
    world_seen = ~0ul;
    mprotect((void *)L4_STATE_ADDRESS, world_bytes(), PROT_READ);
    world_fault = page_written;
    world_point = image_take;
    collecting = true;
    world_stepping = stepping;
    world_messages = 0;
}

static void after_take(void)
{
    collecting = world_stepping = false;
    meant = request->meaning ? request->meaning() : 0;
    changes = difference(base, false) != NULL;
    after_world = world;
    memcpy(after, (void *)L4_STATE_ADDRESS, world_bytes());
}

static void images_try(const struct l4_message *m, bool stepping)
{
    bool many = images > IMAGES_MANY;
    u32 all = images, apart = many ? 1 + images / 1024 : 1, every = many || !stepping ? 1 + images / 128 : 4;
    for (u32 i = 0; i < all; i++) {
        if (i % apart == 0) {
            kills++;
            start_on(&image[i], m, i);
        }
        if (i % every == 0) {
            recovery_killed(i, m, stepping && i % 16 == 0);
        }
    }
}

static void answer_note(const struct l4_message *m)
{
    const struct world_answer *a = world_answer_to(m->label, m->number);
    l4_err_t status = a ? l4_tag_status(a->tag) : L4_PENDING;
    answered = a != NULL;
    if (a) {
        wanted = *a;
    }
    if (status != expected(request)) {
        char text[80];
        snprintf(text, sizeof text, "untouched, it answers %d, not %d", status, expected(request));
        fault(text, 0);
    }
    peer_note();
}

static void request_test(const struct kill_request *r, void (*prepare)(void), bool stepping)
{
    request = r;
    world_fault = NULL;
    mprotect((void *)L4_STATE_ADDRESS, world_bytes(), PROT_READ | PROT_WRITE);
    world_reset();
    numbers = 1000;
    if (!world_start() || (server->world.server->fields && !clients_known())) {
        fault(world_crash(), 0);
        return;
    }
    if (prepare) {
        prepare();
    }
    if (r->prepare) {
        r->prepare();
    }
    if (r->window) {
        memcpy(world_window(label_of(r), KILL_SLOT), r->window, r->window_bytes);
    }
    if (!world_start()) {
        fault(world_crash(), 0);
        return;
    }
    if (r->again) {
        r->again();
    }
    if (!peer_waits()) {
        fault("who waits does not wait", 0);
        return;
    }
    struct l4_message m = message_of(r, number_next());
    base_take(stepping);
    bool alive = world_deliver(&m, r->word);
    u32 messages = world_messages;
    if (!alive) {
        collecting = world_stepping = false;
        fault(world_crash(), 0);
        return;
    }
    answer_note(&m);
    after_take();
    if (machine_fault(true)) {
        fault(machine_fault(true), 0);
    }
    images_try(&m, stepping);
    for (u32 i = 1; i <= messages && !r->peer && !r->again; i++) {
        for (u32 way = 0; way < 4; way++) {
            late_test(&m, i, way & 1, way & 2 ? BY_TIME : BY_EVENT);
        }
    }
    world_fault = NULL;
    world_point = NULL;
}

/* The first start of all, on a state that is not made yet. */
static void first_start_test(bool stepping)
{
    request = &first_start;
    mprotect((void *)L4_STATE_ADDRESS, world_bytes(), PROT_READ | PROT_WRITE);
    world_reset();
    machine_fault(false);       /* what is played is there before the server is */
    base_take(stepping);
    if (!world_start()) {
        collecting = world_stepping = false;
        fault(world_crash(), 0);
        return;
    }
    after_take();
    images_try(NULL, stepping);
    world_fault = NULL;
    world_point = NULL;
}

/* Every method is in the table, and succeeds there if it changes the state. */
static void table_check(const struct kill_request *requests)
{
    for (u32 k = 1; server->methods[k].name; k++) {
        bool once = server->methods[k].once, found = false;
        for (const struct kill_request *r = requests; is_request(r); r++) {
            found |= r->method == k && !is_event(r) && (!once || r->expect == L4_OK || r->never);
        }
        if (!found) {
            printf("  %s has no request here%s\n", server->methods[k].name, once ? " that succeeds, and changes the state" : "");
            bad++;
        }
    }
}

int kill_main(int count, char **words, const struct kill_server *of, const struct kill_request *requests,
              const struct world_rule *below, void (*prepare)(void))
{
    bool stepping = false;
    const char *only = NULL;
    for (int i = 1; i < count; i++) {
        stepping |= strcmp(words[i], "-i") == 0;
        expect_bad |= strcmp(words[i], "-b") == 0;
        only = words[i][0] == '-' ? only : words[i];
    }
    static struct world_server with_rules;
    server = of;
    with_rules = of->world;
    with_rules.rules = below;
    world_init(&with_rules);
    base = mmap(NULL, world_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    after = mmap(NULL, world_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    image = mmap(NULL, IMAGES_MAX * sizeof *image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    table_check(requests);
    u32 requests_run = 0;
    if (server->world.server->fields && !kill_no_first_start && (!only || strstr(first_start.name, only))) {
        first_start_test(stepping);
        requests_run++;
    }
    for (const struct kill_request *r = requests; is_request(r); r++) {
        if (!only || strstr(method_of(r)->name, only) || (r->name && strstr(r->name, only))) {
            request_test(r, prepare, stepping);
            requests_run++;
        }
    }
    printf("%s: %u requests, %lu kills%s, %lu in recovery: %lu undone, %lu finished; %lu late messages; %lu wrong\n", of->name, requests_run, kills,
           stepping ? " at instructions" : "", deep, undone, finished, lates, bad);
    return expect_bad ? bad == 0 : bad != 0;
}
