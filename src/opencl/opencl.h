/* The OpenCL backend's own header: what its files share. The only folder that includes CL/cl.h. */
#ifndef CAIRN_OPENCL_OPENCL_H
#define CAIRN_OPENCL_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include "base/error.h"
#include "device/backend.h"

struct ocl_program; /* one built program: file + options */
struct ocl_kernel;  /* one kernel of it */
struct ocl_profile; /* see src/opencl/launch.c */
struct ocl_notes;   /* see src/opencl/compile.c */
struct ocl_helpers; /* see src/opencl/helper.h */
#define OCL_BUCKETS 64

/* The macro-tile for m x n results, `times` of them: of gemm-cpu.cl, where packing b costs so much
 * (k is 0), and tile is which register tile, 1 and up; of gemm-direct.cl (packing is below 0), and
 * tile says whether b is packed. */
struct ocl_macro {
    int64_t m, n, k, times, rows, cols;
    int packing, ta, tile;
};

struct ocl_backend {
    struct cairn_backend base; /* first: a struct cairn_backend * is a struct ocl_backend * */
    cl_platform_id platform;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    int is_cpu;       /* CL_DEVICE_TYPE_CPU */
    size_t max_group; /* CL_DEVICE_MAX_WORK_GROUP_SIZE, lowered to the largest that the device's
                         kernels report */
    size_t local_bytes;
    int compute_units;
    int vector_width; /* CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT */
    int rounded_div;  /* -cl-fp32-correctly-rounded-divide-sqrt is offered */
    int soft_fma, soft_div,
        soft_sqrt; /* kernels are built with the integer versions (see cl/exact.h) */
    struct ocl_program *programs;
    struct ocl_kernel *by_name[OCL_BUCKETS], *by_handle[OCL_BUCKETS];
    struct ocl_profile *profile; /* of launches; NULL unless options.profile */
    struct ocl_notes *notes;     /* kernels to compile ahead; NULL before the first */
    struct ocl_helpers *helpers; /* processes that compile; NULL before the first is needed */
    int trial;                   /* in a helper: one work-group of each launch is enough */
    char *kernels;               /* a folder laid over the kernels; NULL: none */
    int unflushed;               /* commands since the last clFlush */
    int own_sources;             /* compiled for cairn_kernel_create() */
    int uses_clblast;            /* gemm-clblast.c */
    struct ocl_macro macros[64]; /* gemm.c: macro-tiles chosen before */
};

struct ocl_buffer {
    struct cairn_buffer base;
    cl_mem mem;
};

static inline struct ocl_backend *ocl_of(struct cairn_backend *backend)
{
    return (struct ocl_backend *)backend;
}

/* Floats in a vector register as far as the kernels know. */
static inline int ocl_vector_width(const struct ocl_backend *be)
{
    return be->vector_width >= 16 ? 16 : be->vector_width >= 8 ? 8 : 4;
}

/* "CL_OUT_OF_RESOURCES" for -5. */
const char *ocl_error_name(cl_int error);

/* Records "WHAT: CL_NAME (number)": CAIRN_MEMORY for allocation failures, CAIRN_DEVICE for the
 * rest. */
cairn_status ocl_fail(cl_int error, const char *what);

/* The kernel `name` of cl/`file` built with `options` ("-DTILE_M=64 ..."; NULL: none), built or
 * loaded from the binary cache on first use and kept until close. The standard options
 * (-cl-std=CL1.2, soft fma, math mode) are added by it. The kernel is the backend's: do not release
 * it. */
cairn_status ocl_kernel(struct ocl_backend *be, const char *file, const char *options,
                        const char *name, cl_kernel *kernel);

/* Largest work-group for this kernel on this device (CL_KERNEL_WORK_GROUP_SIZE), and the local
 * memory that it takes. */
cairn_status ocl_kernel_limits(struct ocl_backend *be, cl_kernel kernel, size_t *group,
                               cl_ulong *local_bytes);

/* Sets arguments by `format` and enqueues. global must be a multiple of local in each dimension
 * (local NULL: the driver's choice); a 0 in global skips the launch. One letter per argument:
 *
 *   m  const struct cairn_mem *   two kernel arguments: the buffer and a ulong offset in elements;
 *                                 for {NULL, 0} a NULL buffer and offset 0
 *   i  int -> int     u  uint32_t -> uint     l  int64_t -> long     U  uint64_t -> ulong
 *   f  double -> float     L  size_t -> local memory of that many bytes
 *
 * Letters of one kind in parentheses become vectors of 16 bytes, the last one padded with zeros:
 * (iiii) is an int4, (lll) two long2, (ff) a float4, (mmm) three buffers and two ulong2 of their
 * offsets. PoCL allocates memory for each argument of a launch, for larger ones slowly: that is
 * most of what a launch costs. */
cairn_status ocl_launch(struct ocl_backend *be, cl_kernel kernel, int dims, const size_t *global,
                        const size_t *local, const char *format, ...);

/* A one-dimensional launch of at least `items` work-items in groups of at most 256 (clamped to the
 * kernel's own limit); kernels guard with their count argument. On a CPU device and when `items` is
 * large the launch is capped at `most` items (0: no cap) for kernels that stride over their range
 * by get_global_size(0). */
cairn_status ocl_launch_1d(struct ocl_backend *be, cl_kernel kernel, int64_t items, int64_t most,
                           const char *format, ...);

/* Threads of a CPU device sleep between launches: one begins a launch, and the others come
 * OCL_WAKING cycles later, some 25 microseconds. Where they then find nothing left, as in a launch
 * of few groups, they are in the way of the next one: that costs OCL_IN_VAIN cycles, unless the
 * launch was over in OCL_SHORT. */
#define OCL_WAKING 90000.0
#define OCL_IN_VAIN 15000.0
#define OCL_SHORT 25000.0

static inline int64_t ocl_units(const struct ocl_backend *be)
{
    return be->compute_units > 0 ? be->compute_units : 1;
}

/* The time of a launch of so many groups on a CPU device that takes `all` cycles on one unit and
 * `shared` on all of them once they are awake. Products are cut by it; what works along rows has
 * ocl_shape_share(). */
static inline double ocl_launch_cycles(const struct ocl_backend *be, double all, double shared,
                                       int64_t groups)
{
    double units = (double)ocl_units(be), woken = shared + OCL_WAKING * (units - 1) / units;
    if (units == 1 || all <= OCL_SHORT) return all;
    if (all > OCL_WAKING && woken < all) return woken;
    return groups < 4 ? all + OCL_IN_VAIN : all;
}

/* Embedded kernel sources and headers (generated by tools/embed.py from cl/). */
struct ocl_source {
    const char *file; /* "gemm.cl", "exact.h" */
    const unsigned char *text;
    size_t size;
};
extern const struct ocl_source ocl_sources[];
extern const size_t ocl_source_count;

/* Slots, one file per family: src/opencl/gemm.c, conv.c, ... The variants of each operator with
 * their workspace, and the slots. */
#define OCL_SLOT(slot, NAME, type, member)                                                         \
    cairn_status ocl_##slot(struct cairn_backend *backend, const struct type *p, int variant);     \
    int ocl_##slot##_variants(struct cairn_backend *backend, const struct cairn_problem *problem,  \
                              struct cairn_variant variants[CAIRN_MAX_VARIANTS]);
CAIRN_OP_LIST(OCL_SLOT)
#undef OCL_SLOT

/* For families with one way only: fills variants[0] = {"plain", preferred, 0} and returns 1. */
int ocl_one_variant(struct cairn_variant variants[CAIRN_MAX_VARIANTS]);

static inline int64_t ocl_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
