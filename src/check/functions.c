/* The functions of the exact arithmetic over all floats, or a part of them, on a device and on the
 * reference. */
#include "base/error.h"
#include "check/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((int64_t)1 << 20) /* operands of a launch */
#define MOST_THREADS 64
#define NEAR 64 /* operands on each side of a special one */

/* The reference's part of a chunk: its share of the operands, and what differs there. */
struct part {
    struct cairn_device *against;
    struct cairn_buffer *buffer;
    uint32_t *want;
    const uint32_t *got;
    enum cairn_function function;
    uint32_t first, step;
    int64_t begin, count, different, where; /* where: the first differing one */
    cairn_status status;
    char error[256];
};

struct run {
    struct cairn_device *device;
    struct cairn_buffer *buffer;
    uint32_t *got;
    enum cairn_function function;
    struct part parts[MOST_THREADS];
    int threads;
    struct cairn_function_result *result;
};

static void *run_part(void *argument)
{
    struct part *p = argument;
    p->different = 0;
    p->status =
        cairn_device_function(p->against, p->function, p->first + (uint32_t)p->begin * p->step,
                              p->step, p->count, p->buffer);
    if (p->status == CAIRN_OK && p->count > 0)
        p->status = cairn_buffer_read(p->buffer, 0, p->want, (size_t)p->count * 4);
    if (p->status != CAIRN_OK) {
        snprintf(p->error, sizeof p->error, "%s", cairn_error());
        return NULL;
    }
    for (int64_t i = 0; i < p->count; i++) {
        uint32_t got = p->got[p->begin + i], want = p->want[i];
        if (got == want || (check_is_nan(got) && check_is_nan(want))) continue;
        if (!p->different++) p->where = i;
    }
    return NULL;
}

/* The first share is this thread's. Without a thread to be had, its share is done here. */
static cairn_status run_parts(struct run *run, uint32_t first, uint32_t step, int64_t count)
{
    pthread_t threads[MOST_THREADS];
    int started[MOST_THREADS] = {0};
    int64_t each = (count + run->threads - 1) / run->threads;
    for (int t = 0; t < run->threads; t++) {
        struct part *p = &run->parts[t];
        p->function = run->function, p->first = first, p->step = step, p->got = run->got;
        p->begin = each * t < count ? each * t : count;
        p->count = count - p->begin < each ? count - p->begin : each;
        started[t] = t > 0 && p->count > 0 && !pthread_create(&threads[t], NULL, run_part, p);
    }
    for (int t = 0; t < run->threads; t++)
        if (!started[t]) run_part(&run->parts[t]);
    for (int t = 0; t < run->threads; t++)
        if (started[t]) pthread_join(threads[t], NULL);
    for (int t = 0; t < run->threads; t++) {
        const struct part *p = &run->parts[t];
        if (p->status != CAIRN_OK) return cairn_fail(p->status, "%s", p->error);
        if (p->different && !run->result->different) {
            run->result->at = first + (uint32_t)(p->begin + p->where) * step;
            run->result->got = run->got[p->begin + p->where];
            run->result->want = p->want[p->where];
        }
        run->result->different += p->different;
    }
    run->result->values += count;
    return CAIRN_OK;
}

static cairn_status run_range(struct run *run, uint32_t first, uint32_t step, int64_t count)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_device_function(run->device, run->function, first, step, count, run->buffer));
    TRY(cairn_buffer_read(run->buffer, 0, run->got, (size_t)count * 4));
    TRY(run_parts(run, first, step, count));
out:
    return st;
}

/* Around zeros, powers of two, infinities, and where the functions change their formula. */
static cairn_status run_near(struct run *run)
{
    static const float edges[] = {88.72284f,   103.97208f,  87.33655f,   18.0f,
                                  0x1p-25f,    0.625f,      9.1f,        0.93f,
                                  3.95f,       0.41421354f, 0.70710678f, 1.4142135f,
                                  0.34657359f, 0.88137359f, 1.0397208f,  16.635532f};
    cairn_status st = CAIRN_OK;
    for (uint32_t exponent = 0; exponent < 512; exponent++)
        TRY(run_range(run, (exponent << 23) - NEAR, 1, 2 * NEAR));
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (uint32_t sign = 0; sign < 2; sign++)
            TRY(run_range(run, (check_as_bits(edges[i]) | sign << 31) - NEAR, 1, 2 * NEAR));
out:
    return st;
}

static void close_run(struct run *run)
{
    for (int t = 0; t < run->threads; t++) {
        cairn_buffer_destroy(run->parts[t].buffer);
        cairn_device_close(run->parts[t].against);
        free(run->parts[t].want);
    }
    cairn_buffer_destroy(run->buffer);
    free(run->got);
}

static cairn_status open_run(struct run *run, int64_t chunk)
{
    cairn_status st = CAIRN_OK;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = processors < 1 ? 1 : processors > MOST_THREADS ? MOST_THREADS : (int)processors;
    size_t bytes = (size_t)chunk * 4;
    if (!(run->got = malloc(bytes))) goto memory;
    TRY(cairn_buffer_create(run->device, bytes, &run->buffer));
    while (run->threads < threads) {
        struct part *p = &run->parts[run->threads++];
        if (!(p->want = malloc(bytes))) goto memory;
        TRY(cairn_device_open("reference", NULL, &p->against));
        TRY(cairn_buffer_create(p->against, bytes, &p->buffer));
    }
    return CAIRN_OK;
memory:
    st = cairn_fail(CAIRN_MEMORY, "out of memory");
out:
    return st;
}

cairn_status cairn_check_function(struct cairn_device *device, enum cairn_function function,
                                  const struct cairn_function_options *options,
                                  struct cairn_function_result *result)
{
    cairn_status st = CAIRN_OK;
    struct run run = {.device = device, .function = function, .result = result};
    uint32_t every = options->every ? options->every : 1;
    uint64_t at = options->from, to = options->to ? options->to : (uint64_t)1 << 32;
    memset(result, 0, sizeof *result);
    result->next = at;
    if (to > (uint64_t)1 << 32 || at > to)
        return cairn_fail(CAIRN_INVALID, "operands %llu to %llu are no part of 0 to 2^32",
                          (unsigned long long)at, (unsigned long long)to);
    TRY(open_run(&run, CHUNK));
    if (every > 1 && at == 0 && to == (uint64_t)1 << 32) TRY(run_near(&run));
    while (at < to) {
        int64_t left = (int64_t)((to - at + every - 1) / every);
        int64_t count = left < CHUNK ? left : CHUNK;
        if (options->stop && *options->stop) {
            st = cairn_fail(CAIRN_INTERRUPTED, "interrupted");
            goto out;
        }
        TRY(run_range(&run, (uint32_t)at, every, count));
        at += (uint64_t)count * every;
        result->next = at < to ? at : to;
        if (options->progress) options->progress(options->context, function, result->next);
    }
    if (result->different)
        st = cairn_fail(CAIRN_DIFFERENT, "%s: %lld of %lld values differ",
                        cairn_function_name(function), (long long)result->different,
                        (long long)result->values);
out:
    close_run(&run);
    return st;
}
