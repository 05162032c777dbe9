#include "onnx/machine.h"

#include "base/error.h"
#include "device/schema.h"
#include <stdlib.h>
#include <string.h>

cairn_status cairn_onnx_make(struct cairn_onnx_tensor *t, int rank, const int64_t *dims)
{
    memset(t, 0, sizeof *t);
    if (rank > CAIRN_ONNX_RANK) return cairn_fail(CAIRN_UNSUPPORTED, "more than 8 dimensions");
    t->type = CAIRN_ONNX_F32;
    t->rank = rank;
    t->count = 1;
    for (int i = 0; i < rank; i++) t->count *= t->dims[i] = dims[i];
    t->floats = malloc(t->count ? (size_t)t->count * sizeof *t->floats : 1);
    return t->floats ? CAIRN_OK : cairn_fail(CAIRN_MEMORY, "out of memory");
}

cairn_status cairn_onnx_copy(struct cairn_onnx_tensor *to, const struct cairn_onnx_tensor *from)
{
    size_t count = (size_t)from->count;
    *to = *from;
    to->floats = NULL;
    to->ints = NULL;
    if (from->floats) to->floats = malloc(count ? count * sizeof *to->floats : 1);
    if (from->ints) to->ints = malloc(count ? count * sizeof *to->ints : 1);
    if ((from->floats && !to->floats) || (from->ints && !to->ints))
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    if (from->floats && count) memcpy(to->floats, from->floats, count * sizeof *to->floats);
    if (from->ints && count) memcpy(to->ints, from->ints, count * sizeof *to->ints);
    return CAIRN_OK;
}

static const struct cairn_onnx_bound *bound_of(const struct cairn_onnx_bound *operands,
                                               const char *name)
{
    for (; operands->name; operands++)
        if (!strcmp(operands->name, name)) return operands;
    return NULL;
}

/* A buffer for an operand, with its numbers or zeros. */
static cairn_status place(struct cairn_device *device, struct cairn_problem *problem,
                          const struct cairn_operand *o, const struct cairn_onnx_bound *bound,
                          struct cairn_buffer **buffer)
{
    cairn_status st = CAIRN_OK;
    int64_t extent = o->extent ? o->extent(problem) : 0;
    if (o->role == CAIRN_WORK) TRY(cairn_work_size(device, problem, &extent));
    if (extent == 0) goto out;
    size_t bytes = (size_t)extent * cairn_dtype_size(o->dtype);
    TRY(cairn_buffer_create(device, bytes, buffer));
    if (bound && bound->in)
        TRY(cairn_buffer_write(*buffer, 0, bound->in, bytes));
    else
        TRY(cairn_buffer_fill(*buffer, 0, bytes / 4 * 4, 0));
    *cairn_problem_mem(problem, o) = (struct cairn_mem){*buffer, 0};
out:
    return st;
}

cairn_status cairn_onnx_launch(struct cairn_device *device, struct cairn_problem *problem,
                               const struct cairn_onnx_bound *operands)
{
    cairn_status st = CAIRN_OK;
    struct cairn_buffer *buffers[CAIRN_MAX_OPERANDS] = {0};
    const struct cairn_operand *o = cairn_schema_of(problem->op)->operands;
    TRY(cairn_problem_complete(problem));
    for (int i = 0; o[i].name; i++)
        TRY(place(device, problem, &o[i], bound_of(operands, o[i].name), &buffers[i]));
    TRY(cairn_run(device, problem));
    for (int i = 0; o[i].name; i++) {
        const struct cairn_onnx_bound *bound = bound_of(operands, o[i].name);
        if (bound && bound->out)
            TRY(cairn_buffer_read(buffers[i], 0, bound->out, cairn_buffer_bytes(buffers[i])));
    }
out:
    for (int i = 0; i < CAIRN_MAX_OPERANDS; i++) cairn_buffer_destroy(buffers[i]);
    return st;
}
