/* The doctor: is one device fit for exact arithmetic, and where not, what is the smallest case?
 *
 * It asks the probe, runs random cases of every operator by every variant against the reference,
 * holds gradients against slopes, and trains small nets on the built-in images to the reference's
 * weights. What failed is remembered for the device, its driver and these kernels: in exact mode
 * cairn_device_open() then avoids a variant that failed, and refuses a device that failed as a
 * whole, until they pass. */
#ifndef CAIRN_DOCTOR_H
#define CAIRN_DOCTOR_H

#include <cairn/device.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name): what is told. */
#define CAIRN_DOCTOR_KINDS(X)                                                                      \
    X(at)    /* `what` is run next, with the case or the recipe `how`: what failed if the process  \
                does not come back */                                                              \
    X(probe) /* how: the properties that it found wrong; good: none, or those that integers do */  \
    X(check) /* what: an operator; its cases, runs, values and differing ones of them */           \
    X(bad)   /* what: "variant OP NAME" or "device"; how: a case as one line, or what happened;    \
                detail: what differed */                                                           \
    X(grad)  /* what: the net; values: slopes; different: those off */                             \
    X(train) /* what: the net; how: weights_sha256; good: it is the reference's */                 \
    X(end)   /* the last one */
/* What an event tells, in the order of the list. */
enum cairn_doctor_kind {
#define CAIRN_DOCTOR_ENUM(name) CAIRN_DOCTOR_##name,
    CAIRN_DOCTOR_KINDS(CAIRN_DOCTOR_ENUM)
#undef CAIRN_DOCTOR_ENUM
        CAIRN_DOCTOR_KIND_COUNT
};
/* "probe" for CAIRN_DOCTOR_probe. */
const char *cairn_doctor_kind_name(enum cairn_doctor_kind kind);

/* One thing that was examined, or is next. */
struct cairn_doctor_event {
    enum cairn_doctor_kind kind;            /* what it tells */
    const char *what, *how, *detail;        /* never NULL */
    int64_t cases, runs, values, different; /* see the kinds */
    int good; /* 1: nothing is wrong, or only what can be gone around */
};

/* What is examined, and who is told. */
struct cairn_doctor_options {
    const char *device;                /* see cairn_device_find() */
    int64_t cases;                     /* random cases of each operator; 0: 100 */
    int small;                         /* tiny shapes, for simulators and very slow devices */
    uint64_t seed;                     /* which random cases */
    const char *const *skips;          /* "gemm=cpu": variants that are not run */
    int skip_count;                    /* how many */
    const volatile sig_atomic_t *stop; /* may be NULL */
    void (*event)(void *context,
                  const struct cairn_doctor_event *event); /* what happens, as it does; not NULL */
    void *context;                                         /* for event() */
};

/* Runs everything on the device, tells it event by event, and records variants that fail and takes
 * out those that pass. What concerns the device as a whole the caller records, with what it has
 * been told. CAIRN_OK also where something failed; else what kept it from going on. */
cairn_status cairn_doctor(const struct cairn_doctor_options *options);

/* Remembers that something failed on a device ("device", "variant gemm cpu"), with one line of how.
 * CAIRN_IO: it cannot be kept. */
cairn_status cairn_doctor_record(const struct cairn_device_info *info, const char *what,
                                 const char *how);
/* Forgets that, or everything of the device where `what` is NULL. */
cairn_status cairn_doctor_forget(const struct cairn_device_info *info, const char *what);

/* Calls `each` for everything that is remembered of a device. */
cairn_status cairn_doctor_remembered(const struct cairn_device_info *info,
                                     void (*each)(void *context, const char *what, const char *how),
                                     void *context);

#ifdef __cplusplus
}
#endif
#endif
