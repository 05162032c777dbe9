/* How long a cache line takes from one core to another and back, in nanoseconds: the least of some
 * tries. Usage: handover.
 *
 * Two virtual cores may lie in one complex of a machine's cores, with a cache in common, or in two,
 * which a line crosses several times as slowly. Neither the system nor the program can tell which
 * it is, nor when a host moves them, but small steps with two threads show it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { TURNS = 20000, TRIES = 9 };

static _Alignas(128) atomic_int line;
static int cores[2];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void stay_on(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* Waits for `from`, answers with `to`. */
static void answer(int from, int to)
{
    while (atomic_load(&line) != from) {
    }
    atomic_store(&line, to);
}

static void *other(void *unused)
{
    stay_on(cores[1]);
    for (int i = 0; i < TURNS * TRIES; i++) answer(1, 0);
    return unused;
}

int main(void)
{
    cpu_set_t set;
    pthread_t thread;
    int found = 0;
    sched_getaffinity(0, sizeof set, &set);
    for (int c = 0; c < CPU_SETSIZE && found < 2; c++)
        if (CPU_ISSET(c, &set)) cores[found++] = c;
    if (found < 2 || pthread_create(&thread, NULL, other, NULL)) {
        fprintf(stderr, "handover: needs two cores\n");
        return 1;
    }
    stay_on(cores[0]);
    double least = 0;
    for (int t = 0; t < TRIES; t++) {
        double began = now();
        for (int i = 0; i < TURNS; i++) {
            atomic_store(&line, 1);
            while (atomic_load(&line)) {
            }
        }
        double each = (now() - began) / TURNS;
        if (t == 0 || each < least) least = each;
    }
    pthread_join(thread, NULL);
    printf("%.0f\n", least * 1e9);
    return 0;
}
