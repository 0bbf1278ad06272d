/* SPDX-License-Identifier: BSD-2-Clause */
/* threads.c: threads of the C library, and futex and exit below it. */
#include "see.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int whose, count;
static __thread int own = 5;
static int word;
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAKE_PRIVATE = 129 };

static void *player(void *argument)
{
    int me = *(int *)argument;
    own += me;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (whose != me) {
            pthread_cond_wait(&turn, &lock);
        }
        whose = !me;
        count++;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    *(int *)argument = own;
    return argument;
}

static void *leaver(void *argument)
{
    (void)argument;
    pthread_exit((void *)77);
}

static void *late(void *argument)
{
    usleep(50000);
    sem_post(argument);
    return NULL;
}

static void *waker(void *argument)
{
    usleep(50000);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE, 10, NULL, NULL, 0);
    return argument;
}

static void *ends_all(void *argument)
{
    (void)argument;
    exit(21);
}

static void *raw_exit(void *argument)
{
    (void)argument;
    syscall(SYS_exit, 0);
    return NULL;
}

static void library(void)
{
    pthread_t a, b;
    int first = 0, second = 1;
    void *result;
    sem_t semaphore;
    SEE(pthread_create(&a, NULL, player, &first));
    SEE(pthread_create(&b, NULL, player, &second));
    SEE(pthread_join(a, NULL));
    SEE(pthread_join(b, NULL));
    printf("%d turns, own %d %d %d\n", count, first, second, own);
    SEE(pthread_create(&a, NULL, leaver, NULL));
    SEE(pthread_join(a, &result));
    printf("%ld\n", (long)result);
    SEE(sem_init(&semaphore, 0, 0));
    SEE(sem_trywait(&semaphore));
    SEE(pthread_create(&a, NULL, late, &semaphore));
    SEE(sem_wait(&semaphore));
    SEE(pthread_join(a, NULL));
}

static void below(void)
{
    struct timespec soon = { 0, 20000000 }, bad = { 0, 2000000000 };
    pthread_t a;
    SEE(syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0));
    SEE(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &soon, NULL, 0));
    SEE(syscall(SYS_futex, NULL, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));    /* who waited until its time ran out waits nowhere */
    SEE(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &bad, NULL, 0));
    SEE(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0));
    SEE(syscall(SYS_futex, 1, FUTEX_WAIT, 0, NULL, NULL, 0));
    SEE(syscall(SYS_futex, &word, 99, 0, NULL, NULL, 0));
    SEE(pthread_create(&a, NULL, waker, NULL));
    SEE(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
    SEE(pthread_join(a, NULL));
}

static void ends(void)
{
    pthread_t a;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_create(&a, NULL, ends_all, NULL);
        for (;;) {
            pause();
        }
    }
    see_child("exit in a thread", child);
    child = fork();
    if (child == 0) {
        pthread_create(&a, NULL, raw_exit, NULL);
        usleep(50000);
        syscall(SYS_exit, 22);
    }
    see_child("the last thread", child);
    child = fork();
    if (child == 0) {
        pthread_create(&a, NULL, waker, NULL);
        execl("/bin/sh", "sh", "-c", "exit 23", NULL);
    }
    see_child("exec with threads", child);
}

int main(void)
{
    library();
    below();
    ends();
    return 0;
}
