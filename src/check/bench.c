/* Timing one operator: the checker's operands, without guards, and a clock around queued launches.
 */
#include <cairn/bench.h>

#include "base/error.h"
#include "check/check.h"
#include "device/backend.h"
#include "device/device.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS 0.03
#define LAUNCHES_MOST 4096

struct cairn_bench {
    struct cairn_device *device;
    struct cairn_problem problem;
    struct cairn_buffer *buffers[CHECK_MAX_OPERANDS];
    int64_t launches;
    char variant[16];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Every operand in a buffer of its own. */
static cairn_status place(struct cairn_bench *bench, const struct check_image *images)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_operand *operands = cairn_schema_of(bench->problem.op)->operands;
    for (int i = 0; operands[i].name; i++) {
        struct cairn_buffer **buffer = &bench->buffers[i];
        if (operands[i].role == CAIRN_WORK) {
            int64_t floats;
            TRY(cairn_work_size(bench->device, &bench->problem, &floats));
            if (floats == 0) continue;
            TRY(cairn_buffer_create(bench->device, (size_t)floats * sizeof(float), buffer));
        } else if (images[i].operand) {
            size_t bytes = (size_t)images[i].total * images[i].element;
            TRY(cairn_buffer_create(bench->device, bytes, buffer));
            TRY(cairn_buffer_write(*buffer, 0, images[i].initial, bytes));
        } else {
            continue;
        }
        *cairn_problem_mem(&bench->problem, &operands[i]) = (struct cairn_mem){*buffer, 0};
    }
out:
    return st;
}

/* The name of the variant that cairn_run() will choose. */
static cairn_status name_variant(struct cairn_bench *bench)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    int count = cairn_device_variants(bench->device, &bench->problem, variants);
    if (count < 1) return CAIRN_INVALID;
    int picked = cairn_choose_variant(bench->device, &bench->problem, variants, count);
    memcpy(bench->variant, variants[picked].name, sizeof bench->variant);
    return CAIRN_OK;
}

static cairn_status sample(struct cairn_bench *bench, int64_t launches, double *seconds)
{
    cairn_status st = CAIRN_OK;
    double start = now();
    for (int64_t i = 0; i < launches; i++) TRY(cairn_run(bench->device, &bench->problem));
    TRY(cairn_device_sync(bench->device));
    *seconds = (now() - start) / (double)launches;
out:
    return st;
}

cairn_status cairn_bench_create(struct cairn_device *device, const struct cairn_problem *problem,
                                double seconds, struct cairn_bench **result)
{
    cairn_status st = CAIRN_OK;
    struct check_image images[CHECK_MAX_OPERANDS];
    struct check_case c = {.problem = *problem, .kind = CHECK_real, .seed = 1};
    double each, limit = seconds > 0 ? seconds : SECONDS;
    memset(images, 0, sizeof images);
    struct cairn_bench *bench = calloc(1, sizeof *bench);
    if (!bench) return cairn_fail(CAIRN_MEMORY, "out of memory");
    bench->device = device;
    bench->launches = 1;
    TRY(cairn_problem_complete(&c.problem));
    bench->problem = c.problem;
    TRY(name_variant(bench));
    TRY(check_images_make(&c, images));
    TRY(place(bench, images));
    TRY(sample(bench, 1, &each)); /* builds the kernels */
    do {
        TRY(sample(bench, bench->launches, &each));
        if (each * (double)bench->launches >= limit / 2) break;
        bench->launches *= 2;
    } while (bench->launches < LAUNCHES_MOST);
    double wanted = limit / (each > 0 ? each : 1e-9);
    bench->launches = wanted < 1 ? 1 : wanted < LAUNCHES_MOST ? (int64_t)wanted : LAUNCHES_MOST;
    *result = bench;
    bench = NULL;
out:
    check_images_free(images);
    cairn_bench_destroy(bench);
    return st;
}

void cairn_bench_destroy(struct cairn_bench *bench)
{
    if (!bench) return;
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) cairn_buffer_destroy(bench->buffers[i]);
    free(bench);
}

cairn_status cairn_bench_sample(struct cairn_bench *bench, double *seconds)
{
    return sample(bench, bench->launches, seconds);
}

int64_t cairn_bench_launches(const struct cairn_bench *bench)
{
    return bench->launches;
}

const char *cairn_bench_variant(const struct cairn_bench *bench)
{
    return bench->variant;
}
