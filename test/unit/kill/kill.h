/* SPDX-License-Identifier: BSD-2-Clause */
/* kill.h: the host-kill test of a server. Its author writes one file, NAME_kill.c:
 *
 *     #include "NAME_kill.h"                                  // made by idlc: the list of methods
 *     static void prepare(void) { make some state, by kill_send() }
 *     static const struct kill_request requests[] = { { .method = NAME_KILL_WRITE, .word = { 2, 64 } }, ... { 0 } };
 *     static const struct world_rule below[] = { ... };       // what the servers below answer, if it uses any
 *     int main(int count, char **words) { return kill_main(count, words, &NAME_kill, requests, below, prepare); }
 *
 * Each request is run once untouched. Then the server is killed before and after each store of its protocol, each
 * invocation, and (`-i`) each instruction; the next incarnation, which may be killed too, must leave the state as
 * before or as after, must answer the same when asked again, and must then have left the same state and called the
 * same servers. So is the first start of all. Each message to a server below comes too late once, executed or not:
 * time alone, and news from below, each make the server send it again. `-b` expects that this fails; a word is a
 * part of the names of the only requests that are tried. */
#pragma once
#include "world.h"

struct kill_method {
    const char *name;           /* NULL ends the list */
    u32 tag, words, items, rights;
    bool once;
};

struct kill_server {
    const char *name;
    struct world_server world;  /* without rules */
    const struct kill_method *methods;
};

struct kill_request {
    const char *name;           /* says what is special about it; NULL: nothing */
    u32 method;                 /* NAME_KILL_METHOD */
    u32 judged;                 /* nonzero: no method but a message, with these bits 0-31 of its tag, through the gate that the server monitors */
    u32 words;                  /* 0: as many as the method has */
    u64 word[L4_WORDS_MAX];
    const void *window;         /* copied to the start of the slot's window */
    u32 window_bytes;
    l4_err_t expect;            /* the answer's status; L4_PENDING: it parks */
    bool steps;                 /* it takes several transactions (a new label's always does): states between are right, too */
    void (*prepare)(void);      /* after the common one */
    u64 label;                  /* 0: KILL_LABEL */
    bool never;                 /* the method refuses everybody: nothing here has to succeed */
    u64 (*meaning)(void);       /* of the state, where it may say the same with other records when it was asked again; NULL: it may not */
    u64 event;                  /* nonzero: no request but a notification with this label; it has no answer */
    bool late;                  /* no request but time: the receive's deadline passes */
    void (*again)(void);        /* makes volatile memory what the request finds: before it in each incarnation, unless the last had done all */
    const struct kill_request *peer;    /* another caller, of the slot KILL_PEER: it waits before the request comes, and asks again after a kill */
};

/* Labels without L4_LABEL_OWN come, at a monitor, through the gate that it monitors. */
enum { KILL_LABEL = 0x70003, KILL_OTHER = 0x70004, KILL_SLOT = 1, KILL_PEER = 2 };

/* For `prepare` and `again`: send a request that is answered, or an event; the answer's words. */
extern const u64 *kill_send(const struct kill_request *);

/* The same, but the server dies when `when` is true the first time, and the next incarnation starts. */
extern void kill_cut(const struct kill_request *, bool (*when)(void));

/* For a test that plays kernel objects: their memory lies behind the state, where `state_bytes` and so each image
 * covers it. What is wrong with them, NULL: nothing (`is_asked`: the request has come to its end; else the next
 * incarnation has only begun); and where the part begins that asking again must leave as it is untouched, 0: none
 * does. */
extern const char *(*kill_machine_check)(bool is_asked);
extern u64 kill_machine_at;
/* True: what is played below does not go back with an image, so the first start is not killed. */
extern bool kill_no_first_start;
/* The end of the names of fields that the first start fills from the clock, so that each does so otherwise; NULL:
 * there are none. */
extern const char *kill_by_chance;

extern int kill_main(int count, char **words, const struct kill_server *, const struct kill_request *requests,
                     const struct world_rule *below, void (*prepare)(void));
