/* SPDX-License-Identifier: BSD-2-Clause */
/* killer.c: a service that kills others at random instants, by the kernel command line's word
 *
 *   kills=SEED,LEAST,MOST,SERVICE:WAYS,SERVICE:WAYS…    one kill every LEAST to MOST microseconds, each of a random one of the services
 *                                                       in one of its ways (letters of `enlp`: exit, null, loop, port)
 *
 * Who has not died yet of the last kill, a loop above all, is left alone. It stands above the servers (but rs and ds, with whom it takes turns), so a kill comes between any two of their instructions. It goes
 * on until it is put down. Of each kill it prints `kill SERVICE WAY TAG`, TAG the method that the service was busy with, 0: none. */
#include <keeper.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>

enum { VICTIMS = 16, WAYS = 4 };
static const char letters[WAYS + 1] = "enlp";

static struct victim { char name[16]; u32 number; enum keeper_way way[WAYS]; u32 ways, kills; } victim[VICTIMS] L4_VOLATILE_ZERO;
static u32 victims L4_VOLATILE_ZERO;
static u64 least_us L4_VOLATILE_ZERO, most_us L4_VOLATILE_ZERO, seed L4_VOLATILE_ZERO;

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
            if (letters[way] == **at && v->ways < WAYS) {
                v->way[v->ways++] = (enum keeper_way)way;
            }
        }
    }
    *at += **at == ',';
}

static void kill_one(struct l4_session *keeper)
{
    struct victim *v = &victim[random_below(victims)];
    enum keeper_way way = v->way[random_below(v->ways)];
    struct keeper_status now;
    struct keeper_record record;
    bool is_up = keeper_look(keeper->gate, v->number, &now) == L4_OK && now.state == KEEPER_UP;
    if (!is_up || now.ordered < v->kills || keeper_kill(keeper, v->number, way) != L4_OK) {
        return;
    }
    v->kills = now.ordered + 1;
    l4_sleep(2 * L4_MILLISECOND);
    u64 tag = keeper_crash(keeper->gate, v->number, &record) == L4_OK ? record.tag : 0;
    l4_print("kill %s %c %x\n", v->name, letters[way], (u32)tag);
}

void l4_main(void)
{
    const char *at = word_find();
    if (!at) {
        l4_panic("the command line says nothing of kills");
    }
    seed = number_read(&at) * 2 + 1;
    least_us = number_read(&at);
    most_us = number_read(&at);
    while (*at && *at != ' ' && victims < VICTIMS) {
        victim_read(&at);
    }
    struct l4_session keeper = l4_session_named("keeper");
    for (;;) {
        l4_sleep((least_us + random_below(most_us - least_us + 1)) * L4_MICROSECOND);
        kill_one(&keeper);
    }
}
