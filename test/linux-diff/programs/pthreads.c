/* SPDX-License-Identifier: BSD-2-Clause */
/* pthreads.c: what programs do with threads, often enough that an order that is wrong shows: locks, conditions, joining and detaching,
 * cancelling, memory of a thread's own, signals to one of them. Never more than three besides the first. */
#include "see.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

enum { MANY = 3, TURNS = 2000, ROUNDS = 100 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t ready, go;
static pthread_t team[MANY];
static long total;

static struct timespec after_ms(long ms)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void start(void *(*what)(void *))
{
    for (long i = 0; i < MANY; i++) {
        int err = pthread_create(&team[i], NULL, what, (void *)i);
        if (err) {
            printf("thread %ld: error %d\n", i, err);
        }
    }
}

static long finish(void)
{
    long sum = 0;
    for (int i = 0; i < MANY; i++) {
        void *result = NULL;
        int err = pthread_join(team[i], &result);
        if (err) {
            printf("joining %d: error %d\n", i, err);
        }
        sum += (long)result;
    }
    return sum;
}

/* ---- locks ---- */
static void *adds(void *me)
{
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&lock);
        long seen = total;
        if (i % 64 == 0) {
            sched_yield();
        }
        total = seen + 1;
        pthread_mutex_unlock(&lock);
    }
    return me;
}

static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int book[2], torn, begun;

static void begin_once(void)
{
    begun++;
    usleep(2000);
}

static void *reads_and_writes(void *me)
{
    long serial = 0;
    for (int i = 0; i < 200; i++) {
        pthread_once(&once, begin_once);
        if (i % 4 == (long)me) {
            pthread_rwlock_wrlock(&shelf);
            book[0]++;
            sched_yield();
            book[1]++;
        } else {
            pthread_rwlock_rdlock(&shelf);
            torn += book[0] != book[1];
        }
        pthread_rwlock_unlock(&shelf);
        if (i % 50 == 0) {
            serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        }
        pthread_spin_lock(&spin);
        total++;
        pthread_spin_unlock(&spin);
    }
    return (void *)serial;
}

static pthread_mutex_t robust;
static void *dies_with(void *unused)
{
    pthread_mutex_lock(&robust);
    return unused;
}

static void *tries(void *mutex) { return (void *)(intptr_t)pthread_mutex_trylock(mutex); }

static void kinds(void)
{
    pthread_mutexattr_t kind;
    pthread_mutex_t mutex;
    void *result;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &kind);
    SEE(pthread_mutex_unlock(&mutex));
    SEE(pthread_mutex_lock(&mutex));
    SEE(pthread_mutex_lock(&mutex));
    pthread_create(team, NULL, tries, &mutex);
    pthread_join(team[0], &result);
    SEE(result);
    struct timespec soon = after_ms(20);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &kind);
    SEE(pthread_mutex_lock(&mutex));
    SEE(pthread_mutex_lock(&mutex));
    SEE(pthread_mutex_unlock(&mutex));
    pthread_create(team, NULL, tries, &mutex);
    pthread_join(team[0], &result);
    SEE(result);
    SEE(pthread_cond_timedwait(&changed, &mutex, &soon));
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_NORMAL);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &kind);
    pthread_create(team, NULL, dies_with, NULL);
    pthread_join(team[0], NULL);
    SEE(pthread_mutex_lock(&robust));
    SEE(pthread_mutex_consistent(&robust));
    SEE(pthread_mutex_unlock(&robust));
    SEE(pthread_mutex_lock(&robust));
    soon = after_ms(20);
    pthread_mutex_lock(&lock);
    SEE(pthread_mutex_timedlock(&lock, &soon));
    pthread_mutex_unlock(&lock);
}

static void locks(void)
{
    start(adds);
    printf("locks: %ld from the threads, ", finish());
    printf("%ld counted\n", total);
    total = 0;
    pthread_barrier_init(&barrier, NULL, MANY);
    pthread_spin_init(&spin, 0);
    start(reads_and_writes);
    printf("readers and writers: %ld were last at the barrier, ", finish());
    printf("%d torn, %d written, %ld counted, begun %d times\n", torn, book[1], total, begun);
    kinds();
}

/* ---- a queue of three places between two who give and one who takes ---- */
static int queue[3], used;
static void *gives(void *me)
{
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&lock);
        while (used == 3) {
            pthread_cond_wait(&changed, &lock);
        }
        queue[used++] = i;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return me;
}

static void conditions(void)
{
    pthread_t giver[2];
    long sum = 0;
    for (int i = 0; i < 2; i++) {
        pthread_create(&giver[i], NULL, gives, NULL);
    }
    for (int i = 0; i < 600; i++) {
        pthread_mutex_lock(&lock);
        while (used == 0) {
            pthread_cond_wait(&changed, &lock);
        }
        sum += queue[--used];
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(giver[i], NULL);
    }
    printf("conditions: %ld\n", sum);
}

/* ---- begin and end ---- */
static __thread long own = 3;
static pthread_key_t key;
static int destroyed;
static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_SEQ_CST); }

static void *short_life(void *me)
{
    own += (long)me;
    pthread_setspecific(key, (void *)1);
    if ((long)me == 1) {
        pthread_exit((void *)own);
    }
    return (void *)own;
}

static void *detached_life(void *unused)
{
    pthread_setspecific(key, (void *)1);
    sem_post(&ready);
    return unused;
}

/* A detached thread that has done its work may not have gone yet, and nobody is told: till then there may be too many. */
static int create(const pthread_attr_t *attributes, void *(*what)(void *))
{
    int err;
    while ((err = pthread_create(team, attributes, what, NULL)) == EAGAIN) {
        usleep(1000);
    }
    return err;
}

static void lives(void)
{
    long sum = 0;
    pthread_key_create(&key, destroy);
    for (int i = 0; i < ROUNDS; i++) {
        start(short_life);
        sum += finish();
    }
    printf("lives: %ld, %d destroyed, own %ld\n", sum, destroyed, own);
    sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        void *result = NULL;
        int err = pthread_create(team, NULL, short_life, (void *)(long)(i % 2));
        sum += err ? -1000 : pthread_join(team[0], &result) == 0 ? (long)result : -1000;
    }
    printf("one after the other: %ld, %d destroyed\n", sum, destroyed);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int err = create(&attributes, detached_life);
        sum += err;
        if (!err) {
            sem_wait(&ready);
        }
    }
    printf("detached: errors %ld\n", sum);
    for (int i = 0; i < 100 && __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) < 5 * ROUNDS; i++) {
        usleep(10000);
    }
    printf("detached: %d destroyed\n", destroyed);
}

/* ---- cancelling ---- */
static int cleaned;
static void clean(void *by) { cleaned += (int)(long)by; }

static void *sleeps(void *unused)
{
    pthread_cleanup_push(clean, (void *)1);
    sem_post(&ready);
    sleep(100);
    pthread_cleanup_pop(0);
    return unused;
}

static void give_back(void *mutex) { pthread_mutex_unlock(mutex); }

static void *waits(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(give_back, &lock);
    pthread_cleanup_push(clean, (void *)1);
    sem_post(&ready);
    for (;;) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return unused;
}

static int line[2];
static void *reads(void *unused)
{
    char byte;
    pthread_cleanup_push(clean, (void *)1);
    sem_post(&ready);
    read(line[0], &byte, 1);
    pthread_cleanup_pop(0);
    return unused;
}

static void *awaits(void *unused)
{
    pthread_cleanup_push(clean, (void *)1);
    sem_post(&ready);
    sem_wait(&go);
    pthread_cleanup_pop(0);
    return unused;
}

static volatile long spins;
static void *runs(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&ready);
    for (;;) {
        spins++;
    }
    return unused;
}

static void *refuses(void *unused)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sem_post(&ready);
    usleep(30000);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    return unused;
}

static void cancel_each(const char *name, void *(*what)(void *), int rounds, long pause_us)
{
    int cancelled = 0;
    cleaned = 0;
    for (int i = 0; i < rounds; i++) {
        void *result = NULL;
        create(NULL, what);
        sem_wait(&ready);
        if (pause_us) {
            usleep(pause_us);
        }
        int err = pthread_cancel(team[0]);
        err = err ? err : pthread_join(team[0], &result);
        cancelled += err == 0 && result == PTHREAD_CANCELED;
    }
    printf("cancelled while it %s: %d, cleaned %d\n", name, cancelled, cleaned);
}

static void cancels(void)
{
    if (pipe(line) < 0) {
        return;
    }
    cancel_each("sleeps", sleeps, 20, 0);
    cancel_each("sleeps long", sleeps, 5, 5000);
    cancel_each("waits", waits, 20, 0);
    cancel_each("waits long", waits, 5, 5000);
    cancel_each("reads", reads, 20, 0);
    cancel_each("reads long", reads, 5, 5000);
    cancel_each("awaits", awaits, 20, 0);
    cancel_each("awaits long", awaits, 5, 5000);
    cancel_each("runs", runs, 10, 0);
    cancel_each("runs long", runs, 3, 5000);
    cancel_each("refuses", refuses, 2, 0);
}

/* ---- signals ---- */
static pthread_t seen_by;
static int seen_count;
static void on_signal(int number)
{
    (void)number;
    seen_by = pthread_self();
    __atomic_add_fetch(&seen_count, 1, __ATOMIC_SEQ_CST);
}

static void *awaits_twice(void *unused)
{
    sem_post(&ready);
    errno = 0;
    long first = sem_wait(&go), err = first ? errno : 0;
    if (first) {
        sem_wait(&go);
    }
    (void)unused;
    return (void *)err;
}

/* The signal waits until the thread does, so that it cannot come too early. */
static void *pauses(void *unused)
{
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    sem_post(&ready);
    sigsuspend(&before);
    return unused;
}

static void *takes(void *unused)
{
    sigset_t set;
    int number = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sem_post(&ready);
    sigwait(&set, &number);
    (void)unused;
    return (void *)(long)number;
}

static void handle(int flags)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
    sigaction(SIGUSR1, &action, NULL);
}

static long signalled(void *(*what)(void *), int number)
{
    void *result;
    pthread_create(team, NULL, what, NULL);
    sem_wait(&ready);
    usleep(50000);
    int err = pthread_kill(team[0], number);
    usleep(50000);
    sem_post(&go);
    err = err ? err : pthread_join(team[0], &result);
    sem_trywait(&go);
    return err ? -err : (long)result;
}

/* Adds until a signal has come, so that one does, however late the first is sent. */
static int seen_before;
static void *adds_until_seen(void *me)
{
    do {
        adds(me);
    } while (__atomic_load_n(&seen_count, __ATOMIC_SEQ_CST) == seen_before);
    return me;
}

static void signals(void)
{
    sigset_t set;
    handle(0);
    SEE(signalled(awaits_twice, SIGUSR1));
    SEE(pthread_equal(seen_by, team[0]) && seen_count == 1);
    handle(SA_RESTART);
    SEE(signalled(awaits_twice, SIGUSR1));
    SEE(pthread_equal(seen_by, team[0]) && seen_count == 2);
    SEE(signalled(pauses, SIGUSR1));
    SEE(pthread_equal(seen_by, team[0]) && seen_count == 3);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    SEE(signalled(takes, SIGUSR2));
    pthread_create(team, NULL, takes, NULL);
    sem_wait(&ready);
    usleep(10000);
    SEE(kill(getpid(), SIGUSR2));
    void *result;
    SEE(pthread_join(team[0], &result));
    SEE(result);
    sigaddset(&set, SIGUSR1);
    pthread_create(team, NULL, pauses, NULL);       /* it alone does not block it */
    sem_wait(&ready);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    usleep(10000);
    SEE(kill(getpid(), SIGUSR1));
    SEE(pthread_join(team[0], NULL));
    SEE(pthread_equal(seen_by, team[0]) && seen_count == 4);
    SEE(pthread_kill(pthread_self(), SIGUSR1));
    sigset_t pending;
    sigpending(&pending);
    SEE(sigismember(&pending, SIGUSR1));
    pthread_create(team, NULL, short_life, NULL);
    SEE(pthread_join(team[0], NULL));
    SEE(seen_count);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    SEE(pthread_equal(seen_by, pthread_self()) && seen_count == 5);
    SEE(pthread_kill(pthread_self(), 0));
    SEE(pthread_kill(pthread_self(), 99));
    seen_before = seen_count;
    start(adds_until_seen);
    for (int i = 0; i < 50; i++) {
        pthread_kill(team[i % MANY], SIGUSR1);
        usleep(200);
    }
    finish();
    SEE(seen_count > seen_before);
}

/* ---- processes ---- */
static void *forks(void *unused)
{
    pid_t child = fork();
    if (child == 0) {
        void *result;
        pthread_t one;
        int err = pthread_create(&one, NULL, short_life, (void *)4);
        err = err ? err : pthread_join(one, &result);
        _exit(err ? err : (int)(long)result);
    }
    int status = -1;
    waitpid(child, &status, 0);
    (void)unused;
    return (void *)(long)(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void *dies(void *unused)
{
    *(volatile int *)8 = 1;
    return unused;
}

static void processes(void)
{
    start(forks);
    printf("forks of threads: %ld\n", finish());
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        start(dies);
        pause();
    }
    see_child("a thread's fault", child);
    child = fork();
    if (child == 0) {
        start(sleeps);
        for (int i = 0; i < MANY; i++) {
            sem_wait(&ready);
        }
        execl("/bin/sh", "sh", "-c", "echo executed; exit 4", (char *)NULL);
    }
    see_child("exec while they sleep", child);
    void *list = NULL;
    size_t bytes = 0;
    SEE(syscall(SYS_get_robust_list, 0, &list, &bytes));
    SEE(list && bytes == 24);
    SEE(syscall(SYS_get_robust_list, -1, &list, &bytes));
    SEE(syscall(SYS_get_robust_list, 0, 8, &bytes));
    SEE(syscall(SYS_get_robust_list, 0, &list, 8));
    child = fork();
    if (child == 0) {
        start(sleeps);
        raise(SIGTERM);
    }
    see_child("a signal ends all", child);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    locks();
    conditions();
    lives();
    cancels();
    signals();
    processes();
    return 0;
}
