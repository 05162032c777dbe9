/* The loops of the reference that are built for several instruction sets, built here for just one:
 * CLONE names it and REF_CLONES its target. The loader picks one of them on each machine; the test
 * holds all of them to the same bits. */
#ifndef CAIRN_TESTS_CLONE_H
#define CAIRN_TESTS_CLONE_H

#include "reference/reference.h"

/* What a clone offers: the reference's functions under other names. */
struct clone {
    struct ref_tile *(*tile_create)(void);
    void (*product)(const struct ref_product *product);
    void (*activate)(enum cairn_activation_kind kind, const float *x, float *y, int64_t count);
    float (*chunk_sum)(const float *x, int64_t first, int64_t count, int64_t n2, int64_t far,
                       int square);
    cairn_status (*activation)(struct cairn_backend *backend, const struct cairn_activation *p,
                               int variant);
    cairn_status (*activation_grad)(struct cairn_backend *backend,
                                    const struct cairn_activation_grad *p, int variant);
    cairn_status (*add)(struct cairn_backend *backend, const struct cairn_add *p, int variant);
    cairn_status (*batchnorm_stats)(struct cairn_backend *backend,
                                    const struct cairn_batchnorm_stats *p, int variant);
    cairn_status (*batchnorm)(struct cairn_backend *backend, const struct cairn_batchnorm *p,
                              int variant);
    cairn_status (*batchnorm_grad)(struct cairn_backend *backend,
                                   const struct cairn_batchnorm_grad *p, int variant);
    cairn_status (*sgd)(struct cairn_backend *backend, const struct cairn_sgd *p, int variant);
    cairn_status (*adam)(struct cairn_backend *backend, const struct cairn_adam *p, int variant);
    cairn_status (*rmsprop)(struct cairn_backend *backend, const struct cairn_rmsprop *p,
                            int variant);
    cairn_status (*adagrad)(struct cairn_backend *backend, const struct cairn_adagrad *p,
                            int variant);
    cairn_status (*adadelta)(struct cairn_backend *backend, const struct cairn_adadelta *p,
                             int variant);
    cairn_status (*clip)(struct cairn_backend *backend, const struct cairn_clip *p, int variant);
};
extern const struct clone clone_plain, clone_fma, clone_avx512;

#endif
