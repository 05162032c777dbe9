/* Numbers and kernels of others: arrays of the host, kernels, and variants of operators. */
#include "base/error.h"
#include "device/device.h"
#include "device/schema.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- arrays of the host --- */

struct held {
    struct cairn_operand_info operand;
    struct cairn_buffer *buffer;
    const struct cairn_array *array; /* NULL: the workspace */
};

static const char *const type_names[] = {
    [CAIRN_F32] = "float", [CAIRN_I32] = "int32_t", [CAIRN_U8] = "uint8_t"};

static cairn_status find_array(const struct cairn_problem *problem, struct held *held,
                               const struct cairn_array *arrays, int count)
{
    const char *op = cairn_op_name(problem->op), *name = held->operand.name;
    for (int i = 0; i < count; i++) {
        if (!arrays[i].operand || strcmp(arrays[i].operand, name) != 0) continue;
        if (held->array)
            return cairn_fail(CAIRN_INVALID, "%s: operand %s is given twice", op, name);
        held->array = &arrays[i];
    }
    long long wanted = (long long)held->operand.elements;
    if (!held->array || !held->array->data)
        return cairn_fail(CAIRN_INVALID, "%s: operand %s has no array; it takes %lld %s", op, name,
                          wanted, type_names[held->operand.dtype]);
    if (held->array->elements != held->operand.elements)
        return cairn_fail(CAIRN_INVALID, "%s: operand %s takes %lld %s, not %lld", op, name, wanted,
                          type_names[held->operand.dtype], (long long)held->array->elements);
    return CAIRN_OK;
}

/* An array that no operand took. */
static cairn_status refuse_others(const struct cairn_problem *problem, const struct held *held,
                                  int used, const struct cairn_array *arrays, int count)
{
    for (int i = 0; i < count; i++) {
        int taken = 0;
        for (int j = 0; j < used; j++) taken |= held[j].array == &arrays[i];
        if (!taken)
            return cairn_fail(CAIRN_INVALID, "this %s has no operand '%s'",
                              cairn_op_name(problem->op),
                              arrays[i].operand ? arrays[i].operand : "NULL");
    }
    return CAIRN_OK;
}

/* The operand on the device, with the array's numbers. */
static cairn_status place(struct cairn_device *device, const struct cairn_problem *problem,
                          struct held *held)
{
    cairn_status st = CAIRN_OK;
    size_t size = cairn_dtype_size(held->operand.dtype);
    int64_t elements = held->operand.elements;
    if (held->operand.role == CAIRN_WORK) TRY(cairn_work_size(device, problem, &elements));
    if (elements == 0) goto out;
    TRY(cairn_buffer_create(device, (size_t)elements * size, &held->buffer));
    if (held->array)
        TRY(cairn_buffer_write(held->buffer, 0, held->array->data, (size_t)elements * size));
    *held->operand.mem = (struct cairn_mem){held->buffer, 0};
out:
    return st;
}

static cairn_status fetch(const struct held *held)
{
    enum cairn_role role = held->operand.role;
    if (role != CAIRN_OUT && role != CAIRN_INOUT) return CAIRN_OK;
    return cairn_buffer_read(held->buffer, 0, held->array->data, cairn_buffer_bytes(held->buffer));
}

cairn_status cairn_run_arrays(struct cairn_device *device, const struct cairn_problem *problem,
                              const struct cairn_array *arrays, int count)
{
    cairn_status st = CAIRN_OK;
    struct cairn_problem complete = *problem;
    struct held held[CAIRN_MAX_OPERANDS + 1];
    int used = 0;
    memset(held, 0, sizeof held);
    TRY(cairn_problem_complete(&complete));
    for (; cairn_problem_operand(&complete, used, &held[used].operand); used++)
        if (held[used].operand.role != CAIRN_WORK)
            TRY(find_array(&complete, &held[used], arrays, count));
    TRY(refuse_others(&complete, held, used, arrays, count));
    for (int i = 0; i < used; i++) TRY(place(device, &complete, &held[i]));
    TRY(cairn_run(device, &complete));
    TRY(cairn_device_sync(device));
    for (int i = 0; i < used; i++) TRY(fetch(&held[i]));
out:
    for (int i = 0; i < used; i++) cairn_buffer_destroy(held[i].buffer);
    return st;
}

/* --- kernels --- */

cairn_status cairn_kernel_create(struct cairn_device *device, const char *source,
                                 const char *options, const char *name,
                                 struct cairn_kernel **kernel)
{
    cairn_status st = CAIRN_OK;
    struct cairn_backend *backend = device->backend;
    *kernel = NULL;
    if (!source || !name) return cairn_fail(CAIRN_INVALID, "a kernel has a source and a name");
    if (!backend->ops->own_kernel)
        return cairn_fail(CAIRN_UNSUPPORTED, "%s runs no OpenCL kernels", backend->info.spec);
    TRY(backend->ops->own_kernel(backend, source, options ? options : "", name, kernel));
    (*kernel)->device = device;
    (*kernel)->next = device->kernels;
    device->kernels = *kernel;
out:
    return st;
}

void cairn_own_kernels_free(struct cairn_device *device)
{
    for (struct cairn_kernel *kernel = device->kernels, *next; kernel; kernel = next) {
        next = kernel->next;
        free(kernel);
    }
    device->kernels = NULL;
}

cairn_status cairn_kernel_run(struct cairn_kernel *kernel, int dims, const size_t *global,
                              const size_t *local, const struct cairn_arg *args, int count)
{
    struct cairn_device *device = kernel->device;
    if (dims < 1 || dims > 3)
        return cairn_fail(CAIRN_INVALID, "a kernel runs in 1 to 3 dimensions, not %d", dims);
    for (int i = 0; i < dims; i++)
        if (local && (local[i] == 0 || global[i] % local[i]))
            return cairn_fail(CAIRN_INVALID,
                              "dimension %d: %zu work-items are no multiple of groups of %zu", i,
                              global[i], local[i]);
    for (int i = 0; i < count; i++) {
        const struct cairn_arg *arg = &args[i];
        int memory = arg->kind == CAIRN_ARG_MEM || arg->kind == CAIRN_ARG_BUFFER;
        if (memory && arg->mem.buffer && arg->mem.buffer->device != device)
            return cairn_fail(CAIRN_INVALID, "argument %d lies on another device", i);
    }
    return device->backend->ops->own_launch(device->backend, kernel, dims, global, local, args,
                                            count);
}

/* --- in the place of an operator --- */

int cairn_own_named(const struct cairn_device *device, enum cairn_op op, const char *name)
{
    return device->own[op].run && !strcmp(device->own[op].name, name);
}

int cairn_own_list(const struct cairn_device *device, const struct cairn_problem *problem,
                   struct cairn_variant variants[CAIRN_MAX_VARIANTS], int count)
{
    const struct cairn_own *own = &device->own[problem->op];
    if (!own->run || count >= CAIRN_MAX_VARIANTS) return count;
    if (own->admits && !own->admits(own->context, problem)) return count;
    for (int i = 0; i < count; i++) variants[i].preferred = 0;
    variants[count] = (struct cairn_variant){.preferred = 1};
    snprintf(variants[count].name, sizeof variants[count].name, "%s", own->name);
    return count + 1;
}

static cairn_status check_name(struct cairn_device *device, enum cairn_op op, const char *name)
{
    char names[CAIRN_MAX_VARIANTS][16];
    size_t length = strlen(name);
    int good = length > 0 && length < sizeof names[0];
    for (size_t i = 0; i < length; i++) good &= isalnum((unsigned char)name[i]) || name[i] == '-';
    if (!good)
        return cairn_fail(CAIRN_INVALID,
                          "'%s' is no name of a variant: letters, digits and '-', at most 15",
                          name);
    int count = cairn_device_variant_names(device, op, names);
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return cairn_fail(CAIRN_INVALID, "%s has a variant '%s' already", cairn_op_name(op),
                              name);
    return CAIRN_OK;
}

cairn_status cairn_device_own(struct cairn_device *device, enum cairn_op op,
                              const struct cairn_own *own)
{
    cairn_status st = CAIRN_OK;
    if ((unsigned)op >= CAIRN_OP_COUNT)
        return cairn_fail(CAIRN_INVALID, "there is no operator number %d", (int)op);
    struct cairn_own before = device->own[op];
    device->own[op] = (struct cairn_own){NULL, NULL, NULL, NULL};
    if (before.run && !strcmp(device->backend->forced[op], before.name))
        TRY(cairn_device_force(device, cairn_op_name(op), NULL));
    if (!own) goto out;
    if (!own->run || !own->name) {
        st = cairn_fail(CAIRN_INVALID, "%s: code of one's own has a name and runs",
                        cairn_op_name(op));
        goto out;
    }
    TRY(check_name(device, op, own->name));
    device->own[op] = *own;
out:
    return st;
}

cairn_status cairn_own_run(struct cairn_device *device, const struct cairn_problem *problem)
{
    const struct cairn_own *own = &device->own[problem->op];
    cairn_fail(CAIRN_OK, "%s failed", own->name); /* unless it, or what it calls, knows more */
    return own->run(own->context, device, problem);
}
