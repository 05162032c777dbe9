/* Devices: finding, opening and using them; memory on them; running operators.
 *
 * A device is the reference backend or one OpenCL device. Commands run in order; the host blocks
 * only in cairn_buffer_read(), cairn_device_sync() and where documented. A failure that the device
 * reports late is returned by the next call that waits and by every call after it. A device and its
 * buffers belong to one thread at a time. */
#ifndef CAIRN_DEVICE_H
#define CAIRN_DEVICE_H

#include <cairn/problem.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_device;

/* Arithmetic: bit for bit the reference's, or whatever is fast within computed bounds. */
enum cairn_math { CAIRN_MATH_EXACT, CAIRN_MATH_FAST };

/* A device as it describes itself. */
struct cairn_device_info {
    char spec[64]; /* what selects exactly this device: "reference", "opencl:0.1" */
    char name[128], vendor[128], platform[128]; /* as the driver has them */
    char driver[128];                           /* driver version */
    char version[128];                          /* OpenCL version text */
    char type[16];                              /* "cpu", "gpu", "accelerator", "reference" */
    int platform_index, device_index;           /* as OpenCL lists them; -1: the reference */
    int64_t compute_units, max_work_group, local_bytes, global_bytes,
        max_alloc_bytes; /* processors; work-items of a group; bytes of local memory, of memory, of
                            the largest buffer; 0: unknown */
    int available;       /* 0: listed by its driver but not usable; see note */
    char note[128];      /* why it is not available; else "" */
    char features[128];  /* what it says of its floats: "denormals fma rounded-division" */
    /* Set by opening or probing: */
    int probed, exact,
        soft_fma; /* exact: every probe case right, perhaps with the integer fma (soft_fma = 1) */
    char probe_note[256]; /* the failing properties, "" when none */
    char avoided[256];    /* set by opening in exact mode: the variants that failed here before and
                             are not chosen, "gemm=cpu conv=cpu"; "" when none */
};

/* Calls `each` for every device: the reference first, then every device of every OpenCL platform.
 * Platforms that are empty or fail are skipped. No OpenCL at all is not an error. */
cairn_status cairn_device_list(void (*each)(void *context, const struct cairn_device_info *info),
                               void *context);

/* Finds a device by text: "reference"; "opencl" (GPUs before accelerators before CPUs, then in
 * order); "opencl:N" (the N-th OpenCL device, from 0); "opencl:P.D" (platform.device);
 * "opencl:TEXT" (part of a device's, platform's or vendor's name, any case). CAIRN_NOT_FOUND lists
 * what is there; CAIRN_DEVICE: there is no OpenCL device at all. */
cairn_status cairn_device_find(const char *spec, struct cairn_device_info *info);

/* How a device is opened; all zero: exact. */
struct cairn_device_options {
    enum cairn_math math; /* exact or fast */
    int wait_each; /* debugging: wait after every operator, so that a late failure names it */
    int profile;   /* record device time per launch: of kernels, on the reference of operators */
    int unchecked; /* exact: also a device and variants that failed before, to try them again */
    /* A folder whose kernel files (gemm.cl) and headers stand for those of the same names; NULL:
     * none. What failed before is not heeded with them, and nothing is noted of them. */
    const char *kernels;
};

/* Opens a device; options may be NULL (exact). An OpenCL device is probed first: in exact mode one
 * that fails where the integer fma cannot help is refused with CAIRN_UNSUPPORTED and the failing
 * property's name; so is one that failed a check before, and variants that failed one are not
 * chosen. */
cairn_status cairn_device_open(const char *spec, const struct cairn_device_options *options,
                               struct cairn_device **device);
void cairn_device_close(
    struct cairn_device *device); /* NULL is fine; all its buffers must be gone */

/* What is known of an open device; lives as long as that. */
const struct cairn_device_info *cairn_device_info(const struct cairn_device *device);
/* The arithmetic that it was opened for. */
enum cairn_math cairn_device_math(const struct cairn_device *device);

/* Runs the probe of hard cases on a device without opening it for work; fills info's probe fields.
 */
cairn_status cairn_device_probe(const char *spec, struct cairn_device_info *info);

/* Waits for all commands. */
cairn_status cairn_device_sync(struct cairn_device *device);

/* Device memory in bytes, at least 1. Its content is undefined until written. */
cairn_status cairn_buffer_create(struct cairn_device *device, size_t bytes,
                                 struct cairn_buffer **buffer);
void cairn_buffer_destroy(struct cairn_buffer *buffer); /* NULL is fine */
/* Its size in bytes, as it was created. */
size_t cairn_buffer_bytes(const struct cairn_buffer *buffer);

/* Transfers in bytes. Write returns when `data` may be reused; read waits for everything before it.
 */
cairn_status cairn_buffer_write(struct cairn_buffer *buffer, size_t offset, const void *data,
                                size_t bytes);
/* Waits for everything enqueued before, then copies `bytes` bytes from `offset` on to `data`.
 * CAIRN_INVALID: outside the buffer; a late failure of the device. */
cairn_status cairn_buffer_read(struct cairn_buffer *buffer, size_t offset, void *data,
                               size_t bytes);
/* Copies bytes between two buffers of one device, or two parts of one that do not overlap;
 * enqueued. */
cairn_status cairn_buffer_copy(struct cairn_buffer *to, size_t to_offset, struct cairn_buffer *from,
                               size_t from_offset, size_t bytes);
/* Fills with a 32-bit pattern; offset and bytes are multiples of 4. */
cairn_status cairn_buffer_fill(struct cairn_buffer *buffer, size_t offset, size_t bytes,
                               uint32_t pattern);

/* Bytes allocated on this device by cairn_buffer_create, now. */
size_t cairn_device_bytes(const struct cairn_device *device);
/* The most at any time. */
size_t cairn_device_peak_bytes(const struct cairn_device *device);

/* Kernels launched since the device was opened; 0 on the reference, which has none. */
int64_t cairn_device_launches(const struct cairn_device *device);

/* One way of a backend to run a problem. */
struct cairn_variant {
    char name[16]; /* "cpu", "gpu", "small"; "plain" where there is only one */
    int preferred; /* the default choice for this problem on this device */
    int64_t work;  /* floats of workspace that it needs */
};
#define CAIRN_MAX_VARIANTS 16 /* no operator has more on a device */

/* The variants that the device admits for a problem; returns how many (at least 1) or -1 with the
 * error detail set. */
int cairn_device_variants(struct cairn_device *device, const struct cairn_problem *problem,
                          struct cairn_variant variants[CAIRN_MAX_VARIANTS]);

/* The names of an operator's variants on this device, over all problems; returns how many. */
int cairn_device_variant_names(struct cairn_device *device, enum cairn_op op,
                               char names[CAIRN_MAX_VARIANTS][16]);

/* Forces a variant by operator and name for every later run of that operator ("gemm", "cpu"); name
 * NULL: back to the default. Forcing gemm also forces the product inside the convolutions.
 * CAIRN_INVALID if the operator or name is unknown. */
cairn_status cairn_device_force(struct cairn_device *device, const char *op, const char *name);

/* Prefers a variant for one problem in every later run; NULL: the default again. It stands for all
 * problems with the same sizes and kinds: scalars, seeds, memory and what moves from step to step
 * (step, first, stream, total) do not count. A forced variant wins over it; one that the device
 * does not admit for the problem is passed over. As forcing it changes workspaces: prefer before
 * plans are compiled. */
cairn_status cairn_device_prefer(struct cairn_device *device, const struct cairn_problem *problem,
                                 const char *variant);

/* What the variants' results depend on beside the device: SHA-256 of the kernels of this
 * kind of device, CAIRN_KERNEL_DIR considered, and of what launches them. */
cairn_status cairn_device_sources(const struct cairn_device_info *info, char digest[65]);

/* Floats of workspace that cairn_run() will need for this problem, with the variant that it will
 * choose. */
cairn_status cairn_work_size(struct cairn_device *device, const struct cairn_problem *problem,
                             int64_t *floats);

/* Runs a problem: checks fields, that every operand lies inside its buffer on this device, and that
 * outputs overlap nothing (except operands documented as usable in place), then enqueues it. The
 * workspace operand, where there is one, must hold cairn_work_size() floats. */
cairn_status cairn_run(struct cairn_device *device, const struct cairn_problem *problem);

/* Told as programs are compiled: the file of the last, how many are done, of `all`. */
typedef void cairn_device_compiling(void *context, const char *program, int done, int all);

/* Compiling ahead of the first run, which else compiles kernel after kernel as it comes to them:
 * checks a problem as cairn_run() does, memory included, and notes the kernels that it needs. */
cairn_status cairn_device_note(struct cairn_device *device, const struct cairn_problem *problem);
/* Takes noted kernels that were compiled in an earlier start from the cache, and compiles the rest
 * on all processors. Only where something is left to compile it calls `each` (may be NULL): once
 * before, and with each program that is done. A program that does not compile is told when it is
 * needed, one whose compiler crashes or hangs at once; either only where no other variant does its
 * work, which is chosen from then on. */
cairn_status cairn_device_compile(struct cairn_device *device, cairn_device_compiling *each,
                                  void *context);

/* The life of the helper program, cairn-compile, which programs that are not in the cache are
 * compiled by: a compiler or a kernel that crashes ends that process and not this one. It is found
 * beside the running program, where this build installs it, or by $CAIRN_COMPILE (off: compile in
 * this process). Returns an exit status. */
int cairn_device_serve(void);

/* --- the functions of the exact arithmetic, see docs/ARITHMETIC.md --- */

/* X(name): of one operand; sqrt, divide and fma as the kernels use them on this device, and made of
 * integers. Those of more operands make the others from the first: divide from all its bits,
 * divide_hard so that the quotient lies next to the middle of two floats, fma near the product.
 * ...16 are those that kernels for CPUs compute for 16 values side by side. */
#define CAIRN_FUNCTION_LIST(X)                                                                     \
    X(exp)                                                                                         \
    X(expm1)                                                                                       \
    X(log)                                                                                         \
    X(tanh)                                                                                        \
    X(sigmoid)                                                                                     \
    X(softplus)                                                                                    \
    X(erf)                                                                                         \
    X(sqrt)                                                                                        \
    X(divide)                                                                                      \
    X(divide_hard)                                                                                 \
    X(fma)                                                                                         \
    X(sqrt_integer)                                                                                \
    X(divide_integer) X(divide_hard_integer) X(fma_integer) X(exp16) X(tanh16) X(sigmoid16)
/* The functions, in the order of the list. */
enum cairn_function {
#define CAIRN_FUNCTION_ENUM(name) CAIRN_FUNCTION_##name,
    CAIRN_FUNCTION_LIST(CAIRN_FUNCTION_ENUM)
#undef CAIRN_FUNCTION_ENUM
        CAIRN_FUNCTION_COUNT
};
const char *cairn_function_name(enum cairn_function function); /* "exp" */

/* Enqueues out[i] = f(first + i step) for count operands, which are the bits of a float, modulo
 * 2^32; results are bits, too. CAIRN_UNSUPPORTED where the device's kernels do not use it. */
cairn_status cairn_device_function(struct cairn_device *device, enum cairn_function function,
                                   uint32_t first, uint32_t step, int64_t count,
                                   struct cairn_buffer *out);

/* --- profiling: devices that were opened with profile = 1; CAIRN_INVALID on others --- */

/* What a launch belongs to, in the words of those who run operators: kept and handed back. */
struct cairn_mark {
    const void *what; /* whatever the caller likes; not looked at */
    int64_t step;     /* likewise */
};

/* A launch that is over. The reference has no kernels: there it is an operator, by its name. */
struct cairn_launch {
    const char *kernel;     /* its name; on the reference an operator's */
    struct cairn_mark mark; /* {NULL, 0} where none was set */
    double start, seconds;  /* start: by the device's own clock, from some point in the past */
};

/* The mark of all that is run from now on; does nothing on a device that is not profiled. */
void cairn_device_mark(struct cairn_device *device, const void *what, int64_t step);

/* Waits, and from then on calls `each` for every launch, in order, some time after it ended and
 * before cairn_device_sync() returns. each = NULL: no more. */
cairn_status cairn_device_watch(struct cairn_device *device,
                                void (*each)(void *context, const struct cairn_launch *launch),
                                void *context);

/* Device time per kernel since the device was opened, or since the last call; `each` gets name,
 * calls and seconds. Waits. */
cairn_status cairn_device_profile(struct cairn_device *device,
                                  void (*each)(void *context, const char *kernel, int64_t calls,
                                               double seconds),
                                  void *context);

/* --- what the device can do at most --- */

/* What a device can do at most. */
struct cairn_roofline {
    double gflops; /* 1e9 operations a second: fma in registers, each two operations; with the
                      integer fma where exact kernels have that */
    double gbytes; /* 1e9 bytes a second, read and written: copying more than caches hold */
};

/* Measures both, in some tenths of a second, with a few hundred megabytes at most.
 * CAIRN_UNSUPPORTED on the reference. */
cairn_status cairn_device_roofline(struct cairn_device *device, struct cairn_roofline *roofline);

/* The least time that these operations and bytes can take: the longer of both. Operands that stay
 * in caches, which are faster than memory, can take less. */
double cairn_roofline_seconds(const struct cairn_roofline *roofline, double flops, double bytes);

#ifdef __cplusplus
}
#endif
#endif
