/* What the device can do at most: the launches of cl/roofline.cl. */
#include "opencl/builds.h"
#include "opencl/runtime.h"

#define CHAINS 10
#define CPU_LANES 16
#define GPU_LANES 4
#define GPU_GROUP 64
#define GPU_GROUPS_PER_UNIT 16 /* so that enough groups are resident to hide latency */
#define CPU_GROUPS_PER_UNIT 4  /* so that the last ones end together */

static cairn_status kernel_of(struct ocl_backend *be, const char *name, cl_kernel *kernel)
{
    const char *options = be->is_cpu ? NULL : OCL_ROOFLINE_GPU;
    return ocl_kernel(be, "roofline.cl", options, name, kernel);
}

static void size_of(const struct ocl_backend *be, size_t *items, size_t *local)
{
    size_t units = be->compute_units > 0 ? (size_t)be->compute_units : 1;
    *local = be->is_cpu ? 1 : GPU_GROUP < be->max_group ? GPU_GROUP : be->max_group;
    *items = units * *local * (be->is_cpu ? CPU_GROUPS_PER_UNIT : GPU_GROUPS_PER_UNIT);
}

int64_t ocl_spin_floats(struct cairn_backend *backend)
{
    size_t items, local;
    size_of(ocl_of(backend), &items, &local);
    return (int64_t)items * (ocl_of(backend)->is_cpu ? CPU_LANES : GPU_LANES);
}

cairn_status ocl_spin(struct cairn_backend *backend, struct cairn_buffer *out, int64_t rounds,
                      double *flops)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct cairn_mem to = {out, 0};
    size_t items, local;
    cl_kernel kernel;
    size_of(be, &items, &local);
    TRY(kernel_of(be, "spin", &kernel));
    TRY(ocl_launch(be, kernel, 1, &items, &local, "mffl", &to, 0.75, 0.25, rounds));
    *flops = 2.0 * CHAINS * (double)rounds * (double)ocl_spin_floats(backend);
out:
    return st;
}

cairn_status ocl_stream(struct cairn_backend *backend, struct cairn_buffer *to,
                        struct cairn_buffer *from, size_t bytes)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    struct cairn_mem a = {to, 0}, b = {from, 0};
    size_t items, local;
    cl_kernel kernel;
    size_of(be, &items, &local);
    int64_t count = (int64_t)(bytes / sizeof(float)) / (be->is_cpu ? CPU_LANES : GPU_LANES);
    int64_t each = be->is_cpu ? (count + (int64_t)items - 1) / (int64_t)items : 0;
    TRY(kernel_of(be, "stream", &kernel));
    TRY(ocl_launch(be, kernel, 1, &items, &local, "mmll", &a, &b, count, each));
out:
    return st;
}
