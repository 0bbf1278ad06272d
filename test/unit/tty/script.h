/* SPDX-License-Identifier: BSD-2-Clause */
/* script.h: what a terminal is made to do, so that ours and Linux's can be compared: test_line.py writes, line.c and pty.c carry out.
 *
 *   m W HEX   TCSETS (W 0), TCSETSW (1) or TCSETSF (2) with these 36 bytes     g        TCGETS: what they are now
 *   t HEX     these bytes are typed                                            r N      read at most N bytes, without waiting
 *   w HEX     a program writes                                                 f W      TCFLSH: input 0, output 1, both 2
 *   .         the case ends
 *
 * Each step is answered by a line: `result bytes-shown FIONREAD poll signals`. The result is an errno below zero, or hexadecimal. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_LINE = 1 << 16, SCRIPT_TERMIOS = 36 };

struct step {
    char what;
    int number;                     /* W or N */
    unsigned char bytes[SCRIPT_LINE / 2];
    int count;
    char *rest;                     /* of the line, behind the step */
};

struct shown {
    char result[SCRIPT_LINE];
    unsigned char out[SCRIPT_LINE / 4];
    int count, waiting, poll, signals;      /* signals: bit 0 INT, 1 QUIT, 2 TSTP */
};

static inline void script_hex(char *to, const unsigned char *at, int count)
{
    for (int i = 0; i < count; i++) {
        sprintf(to + 2 * i, "%02x", at[i]);
    }
    if (!count) {
        strcpy(to, "-");
    }
}

static inline char *script_bytes(struct step *s, char *at)
{
    unsigned byte;
    for (s->count = 0; sscanf(at, "%2x", &byte) == 1 && at[0] != ' '; at += 2) {
        s->bytes[s->count++] = (unsigned char)byte;
    }
    return at;
}

/* False: there are no more. */
static inline bool script_next(struct step *s, char *line)
{
    if (!fgets(line, SCRIPT_LINE, stdin)) {
        return false;
    }
    char *at = line + 1;
    s->what = line[0];
    s->number = s->what == 'm' || s->what == 'r' || s->what == 'f' ? (int)strtol(at, &at, 10) : 0;
    at += strspn(at, " ");
    if (s->what == 'm' || s->what == 't' || s->what == 'w') {
        at = script_bytes(s, at);
    }
    s->rest = at + strspn(at, " ");
    return true;
}

static inline void script_text(char *to, const struct shown *s)
{
    static char out[SCRIPT_LINE];
    script_hex(out, s->out, s->count);
    sprintf(to, "%s %s %d %d %d", s->result, out, s->waiting, s->poll, s->signals);
}
