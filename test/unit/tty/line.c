/* SPDX-License-Identifier: BSD-2-Clause */
/* line.c: script.h on tty's console: the whole server, with the driver of driver.c below it. */
#include "driver.h"
#include "script.h"
#include "ttyd_kill.h"

enum { CLIENT = 0x70001 };

static u64 numbers, shown_bytes;
static struct world_answer answer;

/* Send a request of these words; its status. */
static l4_err_t ask(u32 method, const u64 *word)
{
    const struct kill_method *m = &ttyd_methods[method];
    u64 more[L4_WORDS_MAX] = { 0 };
    memcpy(more, word, 8ul * m->words);
    struct l4_message message = {
        .tag = l4_tag(m->tag, m->words, 0) | 15ul << L4_TAG_RIGHTS_SHIFT, .label = CLIENT, .number = ++numbers << 16 | 1,
        .word = { more[0], more[1], more[2], more[3] },
    };
    if (!world_deliver(&message, more)) {
        fprintf(stderr, "%s: %s\n", m->name, world_crash());
        exit(2);
    }
    const struct world_answer *a = world_answer_to(CLIENT, message.number);
    if (!a) {
        return L4_PENDING;
    }
    answer = *a;
    return l4_tag_status(a->tag);
}

#define WHO 1 | 1ul << 32, 1
#define ASK(method, ...) ask(TTYD_KILL_##method, (const u64[L4_WORDS_MAX]){ __VA_ARGS__ })

static void modes_set(const struct step *step, struct shown *s)
{
    u64 word[L4_WORDS_MAX] = { TTY_CONSOLE, WHO, (u64)step->number };
    memcpy(word + 4, step->bytes, SCRIPT_TERMIOS);
    sprintf(s->result, "%d", -ask(TTYD_KILL_SET_TERMIOS, word));
}

static void carry_out(const struct step *step, struct shown *s)
{
    l4_err_t err;
    switch (step->what) {
    case 'm':
        modes_set(step, s);
        break;
    case 'g':
        ASK(GET_TERMIOS, TTY_CONSOLE);
        script_hex(s->result, (const u8 *)answer.word, SCRIPT_TERMIOS);
        break;
    case 't':
        for (int i = 0; i < step->count; i++) {
            driver_type(step->bytes + i, 1);
            driver_type("\xff", step->bytes[i] == 0xff);        /* as host.h has it */
        }
        sprintf(s->result, "0");
        break;
    case 'w':
        memcpy(driver_window(), step->bytes, (size_t)step->count);
        err = ASK(WRITE, TTY_CONSOLE, WHO, (u64)step->count, 0, 0);
        sprintf(s->result, "%d", err ? -err : (i32)answer.word[0]);
        break;
    case 'r':
        err = ASK(READ, TTY_CONSOLE, WHO, (u64)step->number, 0, 0);
        if (err) {
            sprintf(s->result, "%d", -err);
        } else {
            script_hex(s->result, driver_window(), (int)answer.word[0]);
        }
        break;
    case 'f':
        sprintf(s->result, "%d", -ASK(FLUSH, TTY_CONSOLE, WHO, (u64)step->number));
        break;
    }
}

static int signals_owed(void)
{
    int found = 0;
    while (ASK(OWED, 0) == L4_OK && (u32)answer.word[0]) {
        u32 number = (u32)answer.word[0];
        found |= number == 2 ? 1 : number == 3 ? 2 : number == 20 ? 4 : 0;
    }
    return found;
}

static void step_do(const struct step *step)
{
    static struct shown s;
    static char text[4 * SCRIPT_LINE];
    memset(&s, 0, sizeof s);
    carry_out(step, &s);
    driver_event();
    driver_event();
    s.count = (int)(driver_heard_bytes - shown_bytes);
    memcpy(s.out, driver_heard + shown_bytes, (size_t)s.count);
    shown_bytes = driver_heard_bytes;
    ASK(WAITING, TTY_CONSOLE);
    s.waiting = (int)answer.word[0];
    ASK(POLL, TTY_CONSOLE);
    s.poll = (int)answer.word[0];
    s.signals = signals_owed();
    script_text(text, &s);
    puts(text);
}

static void case_begin(void)
{
    world_reset();
    driver_reset();
    shown_bytes = 0;
    if (!world_start()) {
        fprintf(stderr, "%s\n", world_crash());
        exit(2);
    }
    ASK(TAKE, TTY_CONSOLE, WHO, 0);
}

int main(void)
{
    static struct step step;
    static char line[SCRIPT_LINE];
    bool begun = false;
    static struct world_server server;
    server = ttyd_kill.world;
    server.rules = driver_rules;
    world_init(&server);
    while (script_next(&step, line)) {
        if (!begun) {
            case_begin();
        }
        begun = step.what != '.';
        if (begun) {
            step_do(&step);
        } else {
            puts(".");
            fflush(stdout);
        }
    }
    return 0;
}
