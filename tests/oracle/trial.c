#include "trial.h"

#include "device/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

void draw_seed(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15u + 88172645463325252u;
    for (int i = 0; i < 8; i++) (void)draw_u32();
}

uint32_t draw_u32(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state * 2685821657736338717u >> 32);
}

int64_t draw_between(int64_t first, int64_t last)
{
    return first + (int64_t)(draw_u32() % (uint64_t)(last - first + 1));
}

double draw_real(double low, double high)
{
    return low + (high - low) * (draw_u32() / 4294967296.0);
}

void draw_floats(float *to, int64_t count, double low, double high)
{
    for (int64_t i = 0; i < count; i++) to[i] = (float)draw_real(low, high);
}

void trial_init(struct trial *t, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    memset(t, 0, sizeof *t);
    ck_assert_msg(cairn_problem_parse(line, &t->problem, NULL) == CAIRN_OK, "%s: %s", line,
                  cairn_error());
    for (const struct cairn_operand *o = cairn_schema_of(t->problem.op)->operands; o->name;
         o++, t->count++) {
        int64_t extent = o->extent ? o->extent(&t->problem) : 0;
        t->extent[t->count] = extent;
        if (extent) t->host[t->count] = calloc((size_t)extent, cairn_dtype_size(o->dtype));
        ck_assert(!extent || t->host[t->count]);
    }
}

void trial_finish(struct trial *t)
{
    for (int i = 0; i < t->count; i++) free(t->host[i]);
}

int trial_operand(const struct trial *t, const char *name)
{
    const struct cairn_operand *operands = cairn_schema_of(t->problem.op)->operands;
    for (int i = 0; i < t->count; i++)
        if (!strcmp(operands[i].name, name)) return i;
    ck_abort_msg("%s has no operand %s", cairn_op_name(t->problem.op), name);
}

float *trial_floats(struct trial *t, const char *name)
{
    return t->host[trial_operand(t, name)];
}
int32_t *trial_ints(struct trial *t, const char *name)
{
    return t->host[trial_operand(t, name)];
}
uint8_t *trial_bytes(struct trial *t, const char *name)
{
    return t->host[trial_operand(t, name)];
}
int64_t trial_extent(const struct trial *t, const char *name)
{
    return t->extent[trial_operand(t, name)];
}

double *trial_doubles(struct trial *t, const char *name)
{
    int64_t count = trial_extent(t, name);
    const float *from = trial_floats(t, name);
    double *to = calloc((size_t)count + 1, sizeof *to);
    ck_assert(to);
    for (int64_t i = 0; i < count; i++) to[i] = (double)from[i];
    return to;
}

void trial_run(struct trial *t, int64_t shift)
{
    struct cairn_device *device;
    const struct cairn_operand *operands = cairn_schema_of(t->problem.op)->operands;
    ck_assert_msg(cairn_device_open("reference", NULL, &device) == CAIRN_OK, "%s", cairn_error());
    for (int i = 0; i < t->count; i++) {
        struct cairn_mem *mem = cairn_problem_mem(&t->problem, &operands[i]);
        size_t size = cairn_dtype_size(operands[i].dtype);
        int64_t work = 0;
        *mem = (struct cairn_mem){NULL, 0};
        if (operands[i].role == CAIRN_WORK)
            ck_assert_int_eq(cairn_work_size(device, &t->problem, &work), CAIRN_OK);
        if (work)
            ck_assert_int_eq(cairn_buffer_create(device, (size_t)work * size, &mem->buffer),
                             CAIRN_OK);
        if (!t->extent[i]) continue;
        mem->offset = shift;
        ck_assert_int_eq(
            cairn_buffer_create(device, (size_t)(t->extent[i] + shift) * size, &mem->buffer),
            CAIRN_OK);
        ck_assert_int_eq(cairn_buffer_write(mem->buffer, (size_t)shift * size, t->host[i],
                                            (size_t)t->extent[i] * size),
                         CAIRN_OK);
    }
    ck_assert_msg(cairn_run(device, &t->problem) == CAIRN_OK, "%s", cairn_error());
    for (int i = 0; i < t->count; i++) {
        struct cairn_mem *mem = cairn_problem_mem(&t->problem, &operands[i]);
        size_t size = cairn_dtype_size(operands[i].dtype);
        if (!t->extent[i]) {
            cairn_buffer_destroy(mem->buffer);
            continue;
        }
        ck_assert_int_eq(cairn_buffer_read(mem->buffer, (size_t)shift * size, t->host[i],
                                           (size_t)t->extent[i] * size),
                         CAIRN_OK);
        cairn_buffer_destroy(mem->buffer);
    }
    cairn_device_close(device);
}
