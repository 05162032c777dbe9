/* Numbers and kernels of one's own: an operator on arrays of the host, OpenCL kernels on a device
 * that Cairn opened, and code of one's own in the place of an operator.
 *
 * To check a kernel of one's own, put it in its operator's place with cairn_device_own() and give
 * the device to the checker of <cairn/check.h> beside the reference: cairn_check_random() draws
 * cases, cairn_check_line() takes those of a list, cairn_check_shrink() makes one that differs
 * smaller. Nothing says that such code must run on OpenCL: on any device it can read its operands
 * with cairn_buffer_read(), compute wherever it likes, and write the results back. */
#ifndef CAIRN_OWN_H
#define CAIRN_OWN_H

#include <cairn/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- arrays of the host --- */

/* One operand's numbers, row-major and without gaps but those that the problem has. */
struct cairn_array {
    const char *operand; /* "x": the member's name in the descriptor of <cairn/problem.h> */
    void *data;          /* float, int32_t or uint8_t, as cairn_problem_operand() tells */
    int64_t elements;    /* as many as the problem uses */
};

/* Runs a problem on arrays, and waits. Each operand that the problem uses, but its workspace, has
 * its array; the problem's own memory is not looked at. Inputs are read; results are written, and
 * what the operator leaves alone of a result (gaps behind ldc) stays as it was. For numbers that
 * stay on the device from one operator to the next there are buffers: see cairn_run().
 * CAIRN_INVALID names the operand that is missing, unknown, given twice or of another size. */
cairn_status cairn_run_arrays(struct cairn_device *device, const struct cairn_problem *problem,
                              const struct cairn_array *arrays, int count);

/* --- kernels --- */

struct cairn_kernel;

/* Compiles OpenCL C for a device, and takes a kernel out of it by its name. The options ("-DTILE=8
 * -I include"; NULL: none) come behind those that Cairn's own kernels get: OpenCL C 1.2, and in
 * exact mode rounded divisions where there are any. What is to be exact writes #pragma OPENCL
 * FP_CONTRACT OFF first, and fma() where it means one (docs/kernels.md). The kernel is the
 * device's, and gone when that is closed. It is compiled in this process, and not kept for later
 * ones. CAIRN_BUILD has the compiler's first error; CAIRN_UNSUPPORTED on the reference. */
cairn_status cairn_kernel_create(struct cairn_device *device, const char *source,
                                 const char *options, const char *name,
                                 struct cairn_kernel **kernel);

/* An argument of a kernel. */
enum cairn_arg_kind {
    CAIRN_ARG_MEM,    /* two arguments: __global T *, and a ulong: its offset in elements */
    CAIRN_ARG_BUFFER, /* one: __global T *, from the buffer's beginning */
    CAIRN_ARG_INT,    /* int */
    CAIRN_ARG_LONG,   /* long */
    CAIRN_ARG_FLOAT,  /* float */
    CAIRN_ARG_LOCAL,  /* __local T *, `l` bytes of it */
};
/* One argument; what its kind does not name is not looked at. */
struct cairn_arg {
    enum cairn_arg_kind kind; /* what it is */
    struct cairn_mem mem;     /* MEM, BUFFER; a NULL buffer is a NULL pointer */
    int64_t l;                /* INT, LONG, LOCAL */
    float f;                  /* FLOAT */
};

/* Enqueues a kernel: global and local sizes in work-items for each of 1 to 3 dimensions, global a
 * multiple of local; local NULL: the driver chooses. A global size of 0 enqueues nothing. It runs
 * after everything that was enqueued before. CAIRN_INVALID: arguments that the kernel does not
 * take, a buffer of another device; CAIRN_DEVICE: OpenCL refused the launch. */
cairn_status cairn_kernel_run(struct cairn_kernel *kernel, int dims, const size_t *global,
                              const size_t *local, const struct cairn_arg *args, int count);

/* --- in the place of an operator --- */

/* Code of one's own for an operator. */
struct cairn_own {
    const char *name; /* of the variant: letters, digits and '-', at most 15, not one that the
                         device has */
    /* Whether it can do a complete problem, whose memory is not set; others go to the device's own
     * variants. NULL: it can do all. */
    int (*admits)(void *context, const struct cairn_problem *problem);
    /* Does a complete problem that has been checked: operands lie inside buffers of this device. It
     * may use every function of buffers and kernels, and run other operators. There is no
     * workspace. A status that is not CAIRN_OK is the operator's. */
    cairn_status (*run)(void *context, struct cairn_device *device,
                        const struct cairn_problem *problem);
    void *context; /* for both functions */
};

/* Adds a variant of one's own to an operator of this device; it is the default for all that it
 * admits. What it points to must stay as long as it is there. NULL: takes it out again.
 * CAIRN_INVALID: the name, or no run(). */
cairn_status cairn_device_own(struct cairn_device *device, enum cairn_op op,
                              const struct cairn_own *own);

#ifdef __cplusplus
}
#endif
#endif
