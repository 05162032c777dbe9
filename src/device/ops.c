/* The wall of wrappers: the only caller of the slots. */
#include "base/error.h"
#include "device/device.h"
#include "device/schema.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct range {
    const struct cairn_buffer *buffer;
    int64_t begin, end; /* bytes */
    enum cairn_role role;
    int inplace;
    const char *name;
};

/* A late failure is kept: it names the operators since the last wait, and every later call returns
 * it. What a call that waited says is late, whatever it is; memory that a command does not get at
 * once concerns that command alone. */
static cairn_status keep_failure(struct cairn_device *device, cairn_status st, int waited)
{
    if (st == CAIRN_OK || device->failed || (!waited && st != CAIRN_DEVICE)) return st;
    device->failed = st;
    snprintf(device->failure, sizeof device->failure,
             "%.400s (operators %llu to %llu since the last wait)", cairn_error(),
             (unsigned long long)device->waited + 1, (unsigned long long)device->enqueued);
    return cairn_fail(st, "%s", device->failure);
}

static cairn_status check_alive(struct cairn_device *device)
{
    return device->failed ? cairn_fail(device->failed, "%s", device->failure) : CAIRN_OK;
}

static cairn_status check_operand(const struct cairn_device *device,
                                  const struct cairn_problem *problem,
                                  const struct cairn_operand *o, int64_t work, struct range *range)
{
    const char *op = cairn_op_name(problem->op);
    const struct cairn_mem *mem = cairn_problem_mem_const(problem, o);
    int64_t extent = o->extent ? o->extent(problem) : work;
    memset(range, 0, sizeof *range);
    if (extent == 0) return CAIRN_OK;
    if (!mem->buffer) return cairn_fail(CAIRN_INVALID, "%s: operand %s has no memory", op, o->name);
    if (mem->buffer->device != device)
        return cairn_fail(CAIRN_INVALID, "%s: operand %s lies on another device", op, o->name);
    int64_t size = (int64_t)cairn_dtype_size(o->dtype), room = (int64_t)mem->buffer->bytes / size;
    if (mem->offset < 0 || mem->offset > room || extent > room - mem->offset)
        return cairn_fail(
            CAIRN_INVALID,
            "%s: operand %s needs %lld elements from %lld on, of a buffer that has %lld", op,
            o->name, (long long)extent, (long long)mem->offset, (long long)room);
    *range = (struct range){mem->buffer, mem->offset * size, (mem->offset + extent) * size,
                            o->role,     o->inplace,         o->name};
    return CAIRN_OK;
}

static cairn_status check_overlap(const struct cairn_problem *problem, const struct range *a,
                                  const struct range *b)
{
    if (!a->buffer || a->buffer != b->buffer || a->begin >= b->end || b->begin >= a->end)
        return CAIRN_OK;
    if (a->role == CAIRN_IN && b->role == CAIRN_IN) return CAIRN_OK;
    if (a->inplace && a->inplace == b->inplace && a->begin == b->begin && a->end == b->end)
        return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID, "%s: operands %s and %s overlap", cairn_op_name(problem->op),
                      a->name, b->name);
}

static cairn_status check_memory(const struct cairn_device *device,
                                 const struct cairn_problem *problem, int64_t work)
{
    struct range ranges[CAIRN_MAX_OPERANDS];
    cairn_status st = CAIRN_OK;
    int count = 0;
    for (const struct cairn_operand *o = cairn_schema_of(problem->op)->operands; o->name;
         o++, count++) {
        TRY(check_operand(device, problem, o, work, &ranges[count]));
        for (int i = 0; i < count; i++) TRY(check_overlap(problem, &ranges[i], &ranges[count]));
    }
out:
    return st;
}

int cairn_is_avoided(const struct cairn_backend *backend, enum cairn_op op, const char *name)
{
    for (int i = 0; i < backend->avoided_count; i++)
        if (backend->avoided[i].op == op && !strcmp(backend->avoided[i].name, name)) return 1;
    return 0;
}

int cairn_pick_variant(const struct cairn_backend *backend, enum cairn_op op,
                       const struct cairn_variant *variants, int count)
{
    int preferred = 0, sound = -1;
    for (int i = 0; i < count; i++) {
        if (backend->forced[op][0] && !strcmp(backend->forced[op], variants[i].name)) return i;
        if (variants[i].preferred) preferred = i;
        if (sound < 0 && !cairn_is_avoided(backend, op, variants[i].name)) sound = i;
    }
    if (sound >= 0 && cairn_is_avoided(backend, op, variants[preferred].name)) return sound;
    return preferred;
}

int cairn_is_forced(const struct cairn_backend *backend, enum cairn_op op)
{
    int pool = op == CAIRN_OP_CONV_POOL, product = pool || op == CAIRN_OP_CONV ||
                                                   op == CAIRN_OP_CONV_DATA ||
                                                   op == CAIRN_OP_CONV_WEIGHTS;
    return backend->forced[op][0] || (pool && backend->forced[CAIRN_OP_CONV][0]) ||
           (product && backend->forced[CAIRN_OP_GEMM][0]);
}

int cairn_choose_variant(const struct cairn_device *device, const struct cairn_problem *problem,
                         const struct cairn_variant *variants, int count)
{
    const struct cairn_backend *backend = device->backend;
    if (device->choices && !cairn_is_forced(backend, problem->op)) {
        const char *name = cairn_choices_find(device->choices, problem);
        for (int i = 0; name && i < count; i++)
            if (!strcmp(name, variants[i].name) && !cairn_is_avoided(backend, problem->op, name))
                return i;
    }
    return cairn_pick_variant(backend, problem->op, variants, count);
}

cairn_status cairn_device_prefer(struct cairn_device *device, const struct cairn_problem *problem,
                                 const char *variant)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem complete = *problem;
    TRY(cairn_problem_complete(&complete));
    TRY(cairn_choices_set(&device->choices, &complete, variant));
out:
    return st;
}

static int list_variants(struct cairn_device *device, const struct cairn_problem *complete,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    memset(variants, 0, CAIRN_MAX_VARIANTS * sizeof *variants);
    int count = device->backend->ops->variants(device->backend, complete, variants);
    return cairn_own_list(device, complete, variants, count);
}

int cairn_device_variants(struct cairn_device *device, const struct cairn_problem *problem,
                          struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    struct cairn_problem complete = *problem;
    if (cairn_problem_complete(&complete) != CAIRN_OK) return -1;
    return list_variants(device, &complete, variants);
}

/* The smallest problem of an operator, or one with windows of 3 x 3: some variants take no other.
 */
static struct cairn_problem example_of(enum cairn_op op, int windows)
{
    struct cairn_problem problem = cairn_problem_default(op);
    for (const struct cairn_field *f = cairn_schema_of(op)->fields; windows && f->name; f++) {
        int64_t size = !strcmp(f->name, "h") || !strcmp(f->name, "w")     ? 8
                       : !strcmp(f->name, "kh") || !strcmp(f->name, "kw") ? 3
                                                                          : 0;
        if (size) memcpy((char *)&problem.u + f->offset, &size, sizeof size);
    }
    return problem;
}

/* Asking small problems tells all names. */
int cairn_device_variant_names(struct cairn_device *device, enum cairn_op op,
                               char names[CAIRN_MAX_VARIANTS][16])
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    int known = 0;
    for (int windows = 0; windows < 2; windows++) {
        struct cairn_problem problem = example_of(op, windows);
        int count = cairn_device_variants(device, &problem, variants);
        for (int i = 0; i < count; i++) {
            int k = 0;
            while (k < known && strcmp(names[k], variants[i].name) != 0) k++;
            if (k < known || known == CAIRN_MAX_VARIANTS) continue;
            memcpy(names[known++], variants[i].name, sizeof names[0]);
        }
    }
    return known;
}

static void force(struct cairn_device *device, enum cairn_op op, const char *name)
{
    snprintf(device->backend->forced[op], sizeof device->backend->forced[op], "%s", name);
}

/* A name that no problem of this operator ever offers is a mistake. */
cairn_status cairn_device_force(struct cairn_device *device, const char *op_name, const char *name)
{
    enum cairn_op op = cairn_op_find(op_name);
    if (op == CAIRN_OP_COUNT) return cairn_fail(CAIRN_INVALID, "'%s' is not an operator", op_name);
    if (!name || cairn_own_named(device, op, name)) {
        force(device, op, name ? name : "");
        return CAIRN_OK;
    }
    char names[CAIRN_MAX_VARIANTS][16], known[18 * CAIRN_MAX_VARIANTS] = "";
    int count = cairn_device_variant_names(device, op, names);
    for (int i = 0; i < count; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, " %s", names[i]);
        if (strcmp(names[i], name) != 0) continue;
        force(device, op, name);
        return CAIRN_OK;
    }
    return cairn_fail(CAIRN_INVALID, "%s has no variant '%s' on %s; it has:%s", op_name, name,
                      device->backend->info.name, known);
}

static cairn_status choose(struct cairn_device *device, const struct cairn_problem *complete,
                           int *variant, int64_t *work)
{
    struct cairn_variant variants[CAIRN_MAX_VARIANTS];
    int count = list_variants(device, complete, variants);
    if (count < 1)
        return cairn_fail(CAIRN_UNSUPPORTED, "%s: no variant fits this device",
                          cairn_op_name(complete->op));
    *variant = cairn_choose_variant(device, complete, variants, count);
    const char *name = variants[*variant].name;
    if (!cairn_is_forced(device->backend, complete->op) &&
        cairn_is_avoided(device->backend, complete->op, name))
        return cairn_fail(CAIRN_UNSUPPORTED,
                          "%s: no variant that passed its check on %s admits this problem; `cairn "
                          "doctor` tries them again",
                          cairn_op_name(complete->op), device->backend->info.name);
    *work = variants[*variant].work;
    if (cairn_own_named(device, complete->op, name)) *variant = CAIRN_OWN_VARIANT;
    return CAIRN_OK;
}

cairn_status cairn_work_size(struct cairn_device *device, const struct cairn_problem *problem,
                             int64_t *floats)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem complete = *problem;
    int variant;
    TRY(cairn_problem_complete(&complete));
    TRY(choose(device, &complete, &variant, floats));
out:
    return st;
}

static cairn_status switch_slot(struct cairn_backend *backend, const struct cairn_problem *problem,
                                int variant)
{
    switch (problem->op) {
#define CASE(slot, NAME, type, member)                                                             \
    case CAIRN_OP_##NAME:                                                                          \
        return backend->ops->slot(backend, &problem->u.member, variant);
        CAIRN_OP_LIST(CASE)
#undef CASE
    case CAIRN_OP_COUNT:
        break;
    }
    return cairn_fail(CAIRN_INVALID, "there is no operator number %d", (int)problem->op);
}

static cairn_status call_slot(struct cairn_backend *backend, const struct cairn_problem *problem,
                              int variant)
{
    backend->running = problem;
    backend->variant_running = variant;
    cairn_status st = switch_slot(backend, problem, variant);
    backend->running = NULL;
    return st;
}

cairn_status cairn_device_note(struct cairn_device *device, const struct cairn_problem *problem)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem complete = *problem;
    const struct cairn_backend_ops *ops = device->backend->ops;
    int variant = 0;
    int64_t work = 0;
    if (!ops->notes) return CAIRN_OK;
    TRY(check_alive(device));
    TRY(cairn_problem_complete(&complete));
    TRY(choose(device, &complete, &variant, &work));
    TRY(check_memory(device, &complete, work));
    if (variant == CAIRN_OWN_VARIANT) goto out;
    TRY(ops->notes(device->backend, 1));
    st = call_slot(device->backend, &complete, variant);
    ops->notes(device->backend, 0);
out:
    return st;
}

cairn_status cairn_device_compile(struct cairn_device *device, cairn_device_compiling *each,
                                  void *context)
{
    cairn_status st = CAIRN_OK;
    TRY(check_alive(device));
    if (device->backend->ops->compile)
        st = device->backend->ops->compile(device->backend, each, context);
out:
    return st;
}

double cairn_device_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static cairn_status call(struct cairn_device *device, const struct cairn_problem *problem,
                         int variant)
{
    return variant == CAIRN_OWN_VARIANT ? cairn_own_run(device, problem)
                                        : call_slot(device->backend, problem, variant);
}

/* call(), with its time for the profile of a backend that keeps none itself. */
static cairn_status run_slot(struct cairn_device *device, const struct cairn_problem *problem,
                             int variant)
{
    cairn_status st = CAIRN_OK;
    struct cairn_backend *backend = device->backend;
    struct cairn_profile *profile = backend->profile;
    if (!profile || backend->ops->collect) return call(device, problem, variant);
    struct cairn_launch launch = {.kernel = cairn_op_name(problem->op), .mark = profile->mark};
    launch.start = cairn_device_clock();
    TRY(call(device, problem, variant));
    launch.seconds = cairn_device_clock() - launch.start;
    TRY(cairn_profile_add(profile, &launch));
out:
    return st;
}

/* Whether another variant is chosen since this one failed, and has the memory that it needs; keeps
 * the error. */
static int choose_other(struct cairn_device *device, const struct cairn_problem *complete,
                        int *variant)
{
    char error[1024];
    int failed = *variant;
    int64_t work = 0;
    snprintf(error, sizeof error, "%s", cairn_error());
    if (choose(device, complete, variant, &work) == CAIRN_OK && *variant != failed &&
        check_memory(device, complete, work) == CAIRN_OK)
        return 1;
    cairn_fail(CAIRN_BUILD, "%s", error);
    return 0;
}

cairn_status cairn_run(struct cairn_device *device, const struct cairn_problem *problem)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem complete = *problem;
    int variant = 0;
    int64_t work = 0;
    TRY(check_alive(device));
    TRY(cairn_problem_complete(&complete));
    TRY(choose(device, &complete, &variant, &work));
    TRY(check_memory(device, &complete, work));
    device->enqueued++;
    st = run_slot(device, &complete, variant);
    while (st == CAIRN_BUILD && choose_other(device, &complete, &variant))
        st = run_slot(device, &complete, variant);
    if (st != CAIRN_OK) {
        char line[256];
        cairn_problem_print(&complete, line, sizeof line);
        st = keep_failure(device, cairn_fail_in(st, "%s", line), 0);
        goto out;
    }
    if (device->backend->options.wait_each) {
        st = cairn_device_sync(device);
        if (st != CAIRN_OK) {
            char line[256];
            cairn_problem_print(&complete, line, sizeof line);
            st = cairn_fail_in(st, "%s", line);
        }
    }
out:
    return st;
}

cairn_status cairn_device_sync(struct cairn_device *device)
{
    cairn_status st = CAIRN_OK;
    TRY(check_alive(device));
    struct cairn_backend *backend = device->backend;
    TRY(keep_failure(device, backend->ops->sync(backend), 1));
    if (backend->profile && backend->ops->collect)
        TRY(keep_failure(device, backend->ops->collect(backend), 1));
    device->waited = device->enqueued;
out:
    return st;
}

cairn_status cairn_buffer_create(struct cairn_device *device, size_t bytes,
                                 struct cairn_buffer **buffer)
{
    cairn_status st = CAIRN_OK;
    *buffer = NULL;
    TRY(check_alive(device));
    if (bytes == 0) return cairn_fail(CAIRN_INVALID, "a buffer of 0 bytes was asked for");
    TRY(device->backend->ops->alloc(device->backend, bytes, buffer));
    (*buffer)->device = device;
    (*buffer)->backend = device->backend;
    (*buffer)->bytes = bytes;
    device->bytes += bytes;
    if (device->bytes > device->peak) device->peak = device->bytes;
out:
    return st;
}

void cairn_buffer_destroy(struct cairn_buffer *buffer)
{
    if (!buffer) return;
    buffer->device->bytes -= buffer->bytes;
    buffer->backend->ops->release(buffer->backend, buffer);
}

size_t cairn_buffer_bytes(const struct cairn_buffer *buffer)
{
    return buffer->bytes;
}

size_t cairn_device_bytes(const struct cairn_device *device)
{
    return device->bytes;
}

size_t cairn_device_peak_bytes(const struct cairn_device *device)
{
    return device->peak;
}

static cairn_status check_span(const struct cairn_buffer *buffer, size_t offset, size_t bytes)
{
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return cairn_fail(CAIRN_INVALID, "bytes %zu to %zu lie outside a buffer of %zu bytes",
                          offset, offset + bytes, buffer->bytes);
    return check_alive(buffer->device);
}

cairn_status cairn_buffer_write(struct cairn_buffer *buffer, size_t offset, const void *data,
                                size_t bytes)
{
    cairn_status st = CAIRN_OK;
    TRY(check_span(buffer, offset, bytes));
    if (bytes == 0) return CAIRN_OK;
    TRY(keep_failure(buffer->device,
                     buffer->backend->ops->write(buffer->backend, buffer, offset, data, bytes), 0));
out:
    return st;
}

cairn_status cairn_buffer_read(struct cairn_buffer *buffer, size_t offset, void *data, size_t bytes)
{
    cairn_status st = CAIRN_OK;
    TRY(check_span(buffer, offset, bytes));
    if (bytes == 0) return CAIRN_OK;
    TRY(keep_failure(buffer->device,
                     buffer->backend->ops->read(buffer->backend, buffer, offset, data, bytes), 1));
    buffer->device->waited = buffer->device->enqueued;
out:
    return st;
}

cairn_status cairn_buffer_copy(struct cairn_buffer *to, size_t to_offset, struct cairn_buffer *from,
                               size_t from_offset, size_t bytes)
{
    cairn_status st = CAIRN_OK;
    TRY(check_span(to, to_offset, bytes));
    TRY(check_span(from, from_offset, bytes));
    if (to->device != from->device)
        return cairn_fail(CAIRN_INVALID, "copy between buffers of two devices");
    if (to == from && to_offset < from_offset + bytes && from_offset < to_offset + bytes)
        return cairn_fail(CAIRN_INVALID, "copy between overlapping parts of a buffer");
    if (bytes == 0) return CAIRN_OK;
    TRY(keep_failure(to->device,
                     to->backend->ops->copy(to->backend, to, to_offset, from, from_offset, bytes),
                     0));
out:
    return st;
}

cairn_status cairn_buffer_fill(struct cairn_buffer *buffer, size_t offset, size_t bytes,
                               uint32_t pattern)
{
    cairn_status st = CAIRN_OK;
    TRY(check_span(buffer, offset, bytes));
    if (offset % 4 || bytes % 4)
        return cairn_fail(CAIRN_INVALID, "fill: offset and size must be multiples of 4 bytes");
    if (bytes == 0) return CAIRN_OK;
    TRY(keep_failure(buffer->device,
                     buffer->backend->ops->fill(buffer->backend, buffer, offset, bytes, pattern),
                     0));
out:
    return st;
}
