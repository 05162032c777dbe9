/* What a training asks of OpenCL: device memory as foretold, and steps that only launch. The linker
 * lets this test see the calls. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "scratch.h"
#include "suite.h"
#include <cairn/train.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int buffers, kernels, builds, finishes, launches, writes, reads;
} calls, steps; /* steps: the calls from STARTED to the first read behind it */
static size_t allocated;
static int stepping;

#define BUFFERS 256
static struct {
    cl_mem mem;
    size_t bytes;
} live[BUFFERS];

// clang-format off
cl_mem __real_clCreateBuffer(cl_context, cl_mem_flags, size_t, void *, cl_int *);
cl_int __real_clReleaseMemObject(cl_mem);
cl_kernel __real_clCreateKernel(cl_program, const char *, cl_int *);
cl_int __real_clFinish(cl_command_queue);
cl_int __real_clBuildProgram(cl_program, cl_uint, const cl_device_id *, const char *,
                             void (CL_CALLBACK *)(cl_program, void *), void *);
cl_int __real_clEnqueueNDRangeKernel(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                                     const size_t *, cl_uint, const cl_event *, cl_event *);
cl_int __real_clEnqueueWriteBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint,
                                   const cl_event *, cl_event *);
cl_int __real_clEnqueueReadBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint,
                                  const cl_event *, cl_event *);
cl_mem __wrap_clCreateBuffer(cl_context, cl_mem_flags, size_t, void *, cl_int *);
cl_int __wrap_clReleaseMemObject(cl_mem);
cl_kernel __wrap_clCreateKernel(cl_program, const char *, cl_int *);
cl_int __wrap_clFinish(cl_command_queue);
cl_int __wrap_clBuildProgram(cl_program, cl_uint, const cl_device_id *, const char *,
                             void (CL_CALLBACK *)(cl_program, void *), void *);
cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                                     const size_t *, cl_uint, const cl_event *, cl_event *);
cl_int __wrap_clEnqueueWriteBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint,
                                   const cl_event *, cl_event *);
cl_int __wrap_clEnqueueReadBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint,
                                  const cl_event *, cl_event *);
// clang-format on

cl_mem __wrap_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host,
                             cl_int *error)
{
    cl_mem mem = __real_clCreateBuffer(context, flags, bytes, host, error);
    calls.buffers++;
    for (int i = 0; mem && i < BUFFERS; i++)
        if (!live[i].mem) {
            live[i].mem = mem;
            live[i].bytes = bytes;
            allocated += bytes;
            return mem;
        }
    return mem;
}

cl_int __wrap_clReleaseMemObject(cl_mem mem)
{
    for (int i = 0; i < BUFFERS; i++)
        if (live[i].mem == mem) {
            allocated -= live[i].bytes;
            live[i].mem = NULL;
        }
    return __real_clReleaseMemObject(mem);
}

cl_kernel __wrap_clCreateKernel(cl_program program, const char *name, cl_int *error)
{
    calls.kernels++;
    return __real_clCreateKernel(program, name, error);
}

cl_int __wrap_clFinish(cl_command_queue queue)
{
    calls.finishes++;
    return __real_clFinish(queue);
}

cl_int __wrap_clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                             const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                             void *context)
{
    calls.builds++;
    return __real_clBuildProgram(program, count, devices, options, notify, context);
}

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                     const size_t *offset, const size_t *global,
                                     const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event)
{
    calls.launches++;
    return __real_clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, waits, wait,
                                         event);
}

cl_int __wrap_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem mem, cl_bool blocking,
                                   size_t offset, size_t bytes, const void *data, cl_uint waits,
                                   const cl_event *wait, cl_event *event)
{
    calls.writes++;
    return __real_clEnqueueWriteBuffer(queue, mem, blocking, offset, bytes, data, waits, wait,
                                       event);
}

cl_int __wrap_clEnqueueReadBuffer(cl_command_queue queue, cl_mem mem, cl_bool blocking,
                                  size_t offset, size_t bytes, void *data, cl_uint waits,
                                  const cl_event *wait, cl_event *event)
{
    if (stepping) steps = calls;
    stepping = 0;
    calls.reads++;
    return __real_clEnqueueReadBuffer(queue, mem, blocking, offset, bytes, data, waits, wait,
                                      event);
}

static size_t seen;

static void watch(void *context, const struct cairn_train_event *event)
{
    (void)context;
    if (event->kind == CAIRN_TRAIN_STARTED) {
        memset(&calls, 0, sizeof calls);
        stepping = 1;
    }
    if (event->kind == CAIRN_TRAIN_TESTING) seen = allocated;
}

static const char *const recipes[] = {
    "model: [linear 10]\ntrain: {loss: cross-entropy, optimizer: sgd, learning_rate: 0.01, batch: "
    "32",
    "model: [linear 64, tanh, linear 10]\ntrain: {loss: mse, optimizer: sgd momentum=0.9, "
    "learning_rate: 0.01, batch: 16",
    "model: [conv 4 3x3 pad=same, relu, maxpool 2, linear 10]\ntrain: {loss: cross-entropy, "
    "optimizer: adam, learning_rate: 0.001, batch: 50",
    "model: [conv 4 3x3, batchnorm, relu, avgpool 2, dropout 0.5, linear 10]\ntrain: {loss: "
    "cross-entropy, optimizer: rmsprop, learning_rate: 0.001, batch: 64, accumulate: 4",
    "model: [conv 4 3x3 pad=same, relu as=a, conv 4 3x3 pad=same, add a, relu, linear 10]\ntrain: "
    "{loss: cross-entropy, optimizer: adadelta, learning_rate: 0.5, clip: 1, batch: 40",
    "model: [linear 300, relu, linear 200, sigmoid, linear 10]\ntrain: {loss: cross-entropy, "
    "optimizer: adamw, learning_rate: 0.001, class_weights: balanced, batch: 100",
};

/* Trains recipe i, 12 steps of two epochs and a little more. */
static void train(int i, const char *batch, char path[512])
{
    static const char *const tail = ", steps: 12, evaluate_every: 12 steps}\n";
    const char *sets[] = {batch};
    snprintf(path, 512, "%s", in_scratch("recipe.yaml"));
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "data: {name: glyphs, limit_train: 400, limit_test: 300, validation: 50}\n%s%s",
            recipes[i], tail);
    ck_assert_int_eq(fclose(out), 0);
    struct cairn_train_result result;
    struct cairn_train_options options = {.recipe = path,
                                          .sets = sets,
                                          .set_count = batch ? 1 : 0,
                                          .compute = {.device = "opencl"},
                                          .out = in_scratch("run"),
                                          .force = 1,
                                          .event = watch};
    ck_assert_msg(cairn_train(&options, &result) == CAIRN_OK, "%s", cairn_error());
}

/* The sum of the buffers that there are while a net trains is the forecast, within 5 %. */
START_TEST(forecast)
{
    for (int large = 0; large < 2; large++) {
        const char *batch = large ? "train.batch=200" : NULL;
        char path[512];
        struct cairn_summary summary;
        struct cairn_compute compute = {.device = "opencl"};
        train(_i, batch, path);
        ck_assert_msg(cairn_summarize(path, &batch, large, 0, &compute, &summary) == CAIRN_OK, "%s",
                      cairn_error());
        double ratio = (double)summary.total_bytes / (double)seen;
        ck_assert_msg(ratio > 0.95 && ratio < 1.05, "recipe %d: %lld bytes foretold, %zu there", _i,
                      (long long)summary.total_bytes, seen);
        ck_assert_int_gt(summary.largest_batch, 0);
        ck_assert_int_le(summary.largest_batch, summary.train_images);
        cairn_summary_free(&summary);
    }
}
END_TEST

/* Nothing is allocated, built or read while steps are taken; the order of images is written once an
 * epoch. How often is waited depends on the clock: at most after every step. */
START_TEST(only_launches)
{
    char path[512];
    train(_i, NULL, path);
    ck_assert_int_eq(steps.buffers, 0);
    ck_assert_int_eq(steps.builds, 0);
    ck_assert_int_eq(steps.reads, 0);
    ck_assert_int_eq(steps.writes, 1);
    ck_assert_int_gt(steps.launches, 12);
    ck_assert_int_le(steps.finishes, 14);
}
END_TEST

/* The largest batch is one that fits, and the next does not: with less memory, fewer images. */
START_TEST(largest)
{
    struct cairn_compute compute = {.device = "opencl"};
    struct cairn_summary summary;
    ck_assert_msg(cairn_summarize("glyphs-tiny", NULL, 0, 0, &compute, &summary) == CAIRN_OK, "%s",
                  cairn_error());
    ck_assert_int_eq(summary.largest_batch, summary.train_images); /* few and small */
    ck_assert_int_gt(summary.device_bytes, 0);
    cairn_summary_free(&summary);
    compute.device = "reference";
    ck_assert_int_eq(cairn_summarize("glyphs-tiny", NULL, 0, 0, &compute, &summary), CAIRN_OK);
    ck_assert_int_ne(summary.largest_batch, 0);
    cairn_summary_free(&summary);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("footprint");
    TCase *cases = tcase_create("footprint");
    tcase_set_timeout(cases, 600);
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_loop_test(cases, forecast, 0, sizeof recipes / sizeof *recipes);
    tcase_add_loop_test(cases, only_launches, 0, sizeof recipes / sizeof *recipes);
    tcase_add_test(cases, largest);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
