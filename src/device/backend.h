/* The wall: what a backend must implement.
 *
 * Invariant: everything above this floor reaches a device only through src/device/ops.c, which
 * checks fields, extents, aliasing and ownership before it calls a slot. A slot may therefore trust
 * its descriptor: it is complete (see cairn_problem_complete), every used operand lies inside a
 * buffer of this backend, outputs overlap no other operand except where the schema says "inplace",
 * and the workspace has the size that variants() named.
 *
 * The formulas of the operators, with shapes, are the comments of <cairn/problem.h>; their bits -
 * every order, constant and special case - are docs/ARITHMETIC.md. A slot enqueues and returns: it
 * never waits for the device, except in the reference, where everything happens at once. Slots
 * return CAIRN_DEVICE for a failure of the device, CAIRN_BUILD for a kernel that does not compile,
 * CAIRN_MEMORY for exhausted memory. No backend calls another: all slots are implemented. */
#ifndef CAIRN_DEVICE_BACKEND_H
#define CAIRN_DEVICE_BACKEND_H

#include "device/profile.h"

#include <cairn/own.h>

struct cairn_backend;

/* A backend's buffer starts with this; the backend's own part follows. */
struct cairn_buffer {
    struct cairn_device *device; /* set by the wall */
    struct cairn_backend *backend;
    size_t bytes;
};

/* So does a kernel of somebody's own. */
struct cairn_kernel {
    struct cairn_device *device; /* set by the wall */
    struct cairn_kernel *next;
};

struct cairn_backend_ops {
    /* --- life --- */
    void (*close)(
        struct cairn_backend *backend); /* releases everything; buffers are gone already */
    cairn_status (*sync)(
        struct cairn_backend *backend); /* waits; returns a late failure, again and again */

    /* --- memory; offsets and sizes in bytes, checked by the wall --- */
    cairn_status (*alloc)(struct cairn_backend *backend, size_t bytes,
                          struct cairn_buffer **buffer);
    void (*release)(struct cairn_backend *backend, struct cairn_buffer *buffer);
    cairn_status (*write)(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                          const void *data, size_t bytes); /* data may be reused on return */
    cairn_status (*read)(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                         void *data, size_t bytes); /* waits */
    cairn_status (*copy)(struct cairn_backend *backend, struct cairn_buffer *to, size_t to_offset,
                         struct cairn_buffer *from, size_t from_offset,
                         size_t bytes); /* ranges do not overlap */
    cairn_status (*fill)(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                         size_t bytes, uint32_t pattern); /* multiples of 4 */

    /* --- choice --- */
    /* Lists the ways to run a problem (memory unset), at least one, exactly one of them preferred.
     * Variant numbers passed to the slots are indices of this list. The order and length depend on
     * the device only through its limits. */
    int (*variants)(struct cairn_backend *backend, const struct cairn_problem *problem,
                    struct cairn_variant variants[CAIRN_MAX_VARIANTS]);

    /* Compiling ahead; both NULL where nothing is compiled. While notes are on, slots enqueue
     * nothing but note what they would need. compile() builds that, see cairn_device_compile(). */
    cairn_status (*notes)(struct cairn_backend *backend, int on);
    cairn_status (*compile)(struct cairn_backend *backend, cairn_device_compiling *each,
                            void *context);

    /* Waits for the launches that were made while backend->profile was there and adds them to it.
     * NULL where a slot returns when its work is done: the wall then takes its time. */
    cairn_status (*collect)(struct cairn_backend *backend);

    /* --- limits, for benchmarks; NULL where nobody asks --- */
    /* Enqueues chains of `rounds` fma in registers and tells how many operations those are; out has
     * spin_floats() floats. */
    int64_t (*spin_floats)(struct cairn_backend *backend);
    cairn_status (*spin)(struct cairn_backend *backend, struct cairn_buffer *out, int64_t rounds,
                         double *flops);
    /* Enqueues a copy by all compute units; bytes is a multiple of 64. */
    cairn_status (*stream)(struct cairn_backend *backend, struct cairn_buffer *to,
                           struct cairn_buffer *from, size_t bytes);

    /* --- kernels of others, see <cairn/own.h>; both NULL where there are none --- */
    /* The kernel is from malloc; what it refers to is released by close(). */
    cairn_status (*own_kernel)(struct cairn_backend *backend, const char *source,
                               const char *options, const char *name, struct cairn_kernel **kernel);
    cairn_status (*own_launch)(struct cairn_backend *backend, const struct cairn_kernel *kernel,
                               int dims, const size_t *global, const size_t *local,
                               const struct cairn_arg *args, int count);

    /* --- functions: see cairn_device_function() --- */
    cairn_status (*function)(struct cairn_backend *backend, enum cairn_function function,
                             uint32_t first, uint32_t step, int64_t count,
                             struct cairn_buffer *out);

    /* --- operators: see <cairn/problem.h> for the formula of each --- */
#define CAIRN_SLOT(slot, NAME, type, member)                                                       \
    cairn_status (*slot)(struct cairn_backend * backend, const struct type *p, int variant);
    CAIRN_OP_LIST(CAIRN_SLOT)
#undef CAIRN_SLOT
};

#define CAIRN_MAX_AVOIDED 64

/* What every backend starts with. */
struct cairn_backend {
    const struct cairn_backend_ops *ops;
    struct cairn_device_info info;
    struct cairn_device_options options;
    /* Forced variant name per operator, "" for the default; read by backends whose operators use
     * others inside (conv: gemm). */
    char forced[CAIRN_OP_COUNT][16];
    /* Variants that failed on this device before: not chosen unless forced. */
    struct {
        enum cairn_op op;
        char name[16];
    } avoided[CAIRN_MAX_AVOIDED];
    int avoided_count;
    int64_t launches;                    /* kernels launched since opening */
    const struct cairn_problem *running; /* while its slot is called, with variant_running */
    int variant_running;
    struct cairn_profile *profile; /* NULL unless launches are timed; set by the wall */
};

/* A kind of backend: the registry's entry. */
struct cairn_driver {
    const char *kind; /* "reference", "opencl" */
    /* Calls `each` for every device; devices that cannot be asked are skipped. */
    cairn_status (*list)(void (*each)(void *context, const struct cairn_device_info *info),
                         void *context);
    /* Opens the device that info describes (platform_index, device_index). */
    cairn_status (*open)(const struct cairn_device_info *info,
                         const struct cairn_device_options *options,
                         struct cairn_backend **backend);
    /* Fills info's probe fields. */
    cairn_status (*probe)(struct cairn_device_info *info);
    /* SHA-256 of the sources of its variants; NULL where there are none to choose from. */
    cairn_status (*sources)(char digest[65]);
};

/* Each backend's source file defines its own; src/device/registry.c is the only user. */
extern const struct cairn_driver cairn_reference_driver;
extern const struct cairn_driver cairn_opencl_driver;

/* Picks a variant: the forced one if its name is in the list, else the preferred one, else - where
 * that is avoided - the first that is not. Returns its index; where all are avoided, that of the
 * preferred one. */
int cairn_pick_variant(const struct cairn_backend *backend, enum cairn_op op,
                       const struct cairn_variant *variants, int count);

/* For a backend that cannot build or launch what a variant needs: it is not chosen any more on this
 * device, and in exact mode that is remembered, with one line of how. Returns 0, and does neither,
 * where there is no other way: the variant is forced, or the only one that is not avoided. */
int cairn_backend_failed(struct cairn_backend *backend, const struct cairn_problem *problem,
                         int variant, const char *how);

/* What forces the variant of an operator: its own name, or the product's for the convolutions that
 * are made of it. */
int cairn_is_forced(const struct cairn_backend *backend, enum cairn_op op);
int cairn_is_avoided(const struct cairn_backend *backend, enum cairn_op op, const char *name);

#endif
