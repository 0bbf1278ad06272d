/* SPDX-License-Identifier: BSD-2-Clause */
/* killer.c: a service that kills others in random order at random instants, by the kernel command line's word
 *
 *   kills=SEED,MOST,SERVICE:WAYS,SERVICE:WAYS…    a kill for each letter of WAYS (`e` exit, `n` null, `l` loop, `p` port), a next one when these
 *                                                 services have completed up to MOST requests more: work drives the kills, not time
 *
 * Who has not died yet of the last kill, a loop above all, is left alone, so each kill is one defect. It stands above the servers (but rs and
 * ds, with whom it takes turns), so a kill comes between any two of their instructions. Of each kill it prints `kill SERVICE WAY TAG`, TAG the last
 * method that the service had begun, 0: none. When the last one has died it puts itself down, which tells that all is done. */
#include <keeper.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>

enum { VICTIMS = 16, WAYS = 4, KILLS = 256, POLL_US = 1000 };
static const char letters[WAYS + 1] = "enlp";

/* `kills` of it were ordered, the last one of `way`; it has not died of that yet while `is_dying`. */
static struct victim { char name[16]; u32 number, kills; enum keeper_way way; bool is_dying; } victim[VICTIMS] L4_VOLATILE_ZERO;
/* What is left to do, in the order in which it is done. */
static struct { struct victim *whom; enum keeper_way way; } due[KILLS] L4_VOLATILE_ZERO;
static u32 dues L4_VOLATILE_ZERO;
static u32 victims L4_VOLATILE_ZERO;
static u64 most L4_VOLATILE_ZERO, seed L4_VOLATILE_ZERO;

/* xorshift64*: Marsaglia, "Xorshift RNGs" (2003), with Vigna's multiplication. */
static u64 random_below(u64 end)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (seed * 0x2545f4914f6cdd1dul >> 32) % end;
}

static const char *word_find(void)
{
    static const char key[] = "kills=";
    const char *at = l4_kip()->command_line;
    while (*at && memcmp(at, key, sizeof key - 1) != 0) {
        at++;
    }
    return *at ? at + sizeof key - 1 : NULL;
}

static u64 number_read(const char **at)
{
    u64 n = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        n = 10 * n + (u64)(**at - '0');
    }
    *at += **at == ',';
    return n;
}

static void victim_read(const char **at)
{
    struct victim *v = &victim[victims++];
    u32 length = 0;
    while (**at && **at != ':' && length < sizeof v->name - 1) {
        v->name[length++] = *(*at)++;
    }
    if (keeper_find(l4_slot_need("keeper"), (struct l4_bytes){ (const u8 *)v->name, length }, &v->number) != L4_OK) {
        l4_panic("there is no service %s", v->name);
    }
    for (*at += **at == ':'; **at && **at != ' ' && **at != ','; ++*at) {
        for (u32 way = 0; way < WAYS; way++) {
            if (letters[way] == **at && dues < KILLS) {
                due[dues].whom = v;
                due[dues++].way = (enum keeper_way)way;
            }
        }
    }
    *at += **at == ',';
}

/* Fisher and Yates. */
static void shuffle(void)
{
    for (u32 i = dues; i > 1; i--) {
        u32 other = (u32)random_below(i);
        __typeof__(due[0]) last = due[i - 1];
        due[i - 1] = due[other];
        due[other] = last;
    }
}

/* Requests that all of them have completed. Who has died of its last kill may be killed again; `is_quiet`: nobody is dying. */
static u64 look_around(cap_t keeper, bool *is_quiet)
{
    u64 completed = 0;
    *is_quiet = true;
    for (struct victim *v = victim; v < victim + victims; v++) {
        struct keeper_status now;
        struct keeper_record record;
        if (keeper_look(keeper, v->number, &now) != L4_OK) {
            l4_panic("keeper does not know %s", v->name);
        }
        completed += now.completed;
        if (v->is_dying && now.ordered == v->kills && now.state == KEEPER_UP) {
            u64 tag = keeper_crash(keeper, v->number, &record) == L4_OK ? record.tag : 0;
            l4_print("kill %s %c %x\n", v->name, letters[v->way], (u32)tag);
            v->is_dying = false;
        }
        *is_quiet = *is_quiet && !v->is_dying;
    }
    return completed;
}

/* The first that is due and whose victim is well. */
static void kill_next(struct l4_session *keeper)
{
    for (u32 i = 0; i < dues; i++) {
        struct victim *v = due[i].whom;
        if (!v->is_dying && keeper_kill(keeper, v->number, due[i].way) == L4_OK) {
            v->kills++;
            v->way = due[i].way;
            v->is_dying = true;
            memmove(&due[i], &due[i + 1], (--dues - i) * sizeof due[0]);
            return;
        }
    }
}

/* Answers nobody: it is stopped within. */
static _Noreturn void put_down(struct l4_session *keeper)
{
    u32 own = 0;
    const char *name = l4_name();
    keeper_find(keeper->gate, (struct l4_bytes){ (const u8 *)name, (u32)strlen(name) }, &own);
    keeper_stop(keeper, own);
    l4_panic("keeper does not put me down");
}

void l4_main(void)
{
    const char *at = word_find();
    if (!at) {
        l4_panic("the command line says nothing of kills");
    }
    seed = number_read(&at) * 2 + 1;
    most = number_read(&at);
    while (*at && *at != ' ' && victims < VICTIMS) {
        victim_read(&at);
    }
    shuffle();
    struct l4_session keeper = l4_session_named("keeper");
    bool is_quiet;
    u64 completed = look_around(keeper.gate, &is_quiet), next = completed + random_below(most);
    while (dues || !is_quiet) {
        l4_sleep(POLL_US / 2 * L4_MICROSECOND + random_below(POLL_US * L4_MICROSECOND));
        completed = look_around(keeper.gate, &is_quiet);
        if (completed >= next) {
            next = completed + random_below(most);
            kill_next(&keeper);
            is_quiet = false;
        }
    }
    put_down(&keeper);
}
