/* Running a case on one device: guarded buffers in, guarded buffers out. */
#include "check/check.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct scratch {
    struct cairn_buffer *buffer;
    uint32_t *host;
    int64_t lead, extent, total;
};

static cairn_status make_scratch(struct cairn_device *device, const struct check_case *c,
                                 struct scratch *scratch)
{
    cairn_status st = CAIRN_OK;
    int64_t floats = 0;
    TRY(cairn_work_size(device, &c->problem, &floats));
    if (floats == 0) return CAIRN_OK;
    scratch->lead = c->guard + (int64_t)(c->seed % 3);
    scratch->extent = floats;
    scratch->total = scratch->lead + floats + c->guard;
    scratch->host = malloc((size_t)scratch->total * 4);
    if (!scratch->host)
        return cairn_fail(CAIRN_MEMORY, "out of memory for a workspace of %lld floats",
                          (long long)floats);
    for (int64_t i = 0; i < scratch->total; i++) scratch->host[i] = CHECK_WORK;
    TRY(cairn_buffer_create(device, (size_t)scratch->total * 4, &scratch->buffer));
    TRY(cairn_buffer_write(scratch->buffer, 0, scratch->host, (size_t)scratch->total * 4));
out:
    return st;
}

static cairn_status read_scratch(struct scratch *scratch, struct check_break *broken)
{
    cairn_status st = CAIRN_OK;
    memset(broken, 0, sizeof *broken);
    if (!scratch->buffer) return CAIRN_OK;
    TRY(cairn_buffer_read(scratch->buffer, 0, scratch->host, (size_t)scratch->total * 4));
    for (int64_t i = 0; i < scratch->total; i++) {
        if (i == scratch->lead) i += scratch->extent;
        if (i >= scratch->total || scratch->host[i] == CHECK_WORK) continue;
        if (!broken->different++)
            *broken = (struct check_break){1, i - scratch->lead, 1, scratch->host[i], CHECK_WORK};
    }
out:
    return st;
}

static void *side_of(struct check_image *image, enum check_side side)
{
    return side == CHECK_WANT ? image->want : side == CHECK_GOT ? image->got : image->again;
}

cairn_status check_run(struct cairn_device *device, const struct check_case *c,
                       struct check_image *images, enum check_side side, int inplace,
                       struct check_break *broken)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem problem = c->problem;
    struct cairn_buffer *buffers[CHECK_MAX_OPERANDS] = {NULL};
    struct scratch scratch = {0};
    const struct cairn_operand *operands = cairn_schema_of(problem.op)->operands;
    for (int i = 0; operands[i].name; i++) {
        struct cairn_mem *mem = cairn_problem_mem(&problem, &operands[i]);
        if (operands[i].role == CAIRN_WORK) {
            TRY(make_scratch(device, c, &scratch));
            *mem = (struct cairn_mem){scratch.buffer, scratch.lead};
        } else if (images[i].operand && inplace && images[i].shared >= 0) {
            *mem = *cairn_problem_mem(&problem, &operands[images[i].shared]);
        } else if (images[i].operand) {
            size_t bytes = (size_t)images[i].total * images[i].element;
            TRY(cairn_buffer_create(device, bytes, &buffers[i]));
            TRY(cairn_buffer_write(buffers[i], 0, images[i].initial, bytes));
            *mem = (struct cairn_mem){buffers[i], images[i].lead};
        }
    }
    TRY(cairn_run(device, &problem));
    for (int i = 0; operands[i].name; i++)
        if (buffers[i])
            TRY(cairn_buffer_read(buffers[i], 0, side_of(&images[i], side),
                                  cairn_buffer_bytes(buffers[i])));
    TRY(read_scratch(&scratch, broken));
out:
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) cairn_buffer_destroy(buffers[i]);
    cairn_buffer_destroy(scratch.buffer);
    free(scratch.host);
    return st;
}
