/* Included last by each clone: the reference's sources, with their functions renamed by CLONE. */
#define NAME2(a, b) a##_##b
#define NAME1(a, b) NAME2(a, b)
#define NAME(a) NAME1(a, CLONE)
#define ref_product(argument) NAME(product)(argument) /* not the struct of that name */
#define ref_tile_create NAME(tile_create)
#define ref_activate NAME(activate)
#define ref_activation NAME(activation)
#define ref_activation_grad NAME(activation_grad)
#define ref_chunk_sum NAME(chunk_sum)
#define ref_tree_add NAME(tree_add)
#define ref_tree_finish NAME(tree_finish)
#define ref_sum NAME(sum)
#define ref_sum_values NAME(sum_values)
#define ref_reduce NAME(reduce)
#define ref_add NAME(add)
#define ref_batchnorm_stats NAME(batchnorm_stats)
#define ref_batchnorm NAME(batchnorm)
#define ref_batchnorm_grad NAME(batchnorm_grad)
#define ref_sgd NAME(sgd)
#define ref_adam NAME(adam)
#define ref_rmsprop NAME(rmsprop)
#define ref_adagrad NAME(adagrad)
#define ref_adadelta NAME(adadelta)
#define ref_clip NAME(clip)

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "reference/reduce.c"
#include "reference/activation.c"
#include "reference/add.c"
#include "reference/batchnorm.c"
#include "reference/optimizer.c"
#include "reference/product.c"

const struct clone NAME(clone) = {
    .tile_create = NAME(tile_create),
    .product = NAME(product),
    .activate = NAME(activate),
    .chunk_sum = NAME(chunk_sum),
    .activation = NAME(activation),
    .activation_grad = NAME(activation_grad),
    .add = NAME(add),
    .batchnorm_stats = NAME(batchnorm_stats),
    .batchnorm = NAME(batchnorm),
    .batchnorm_grad = NAME(batchnorm_grad),
    .sgd = NAME(sgd),
    .adam = NAME(adam),
    .rmsprop = NAME(rmsprop),
    .adagrad = NAME(adagrad),
    .adadelta = NAME(adadelta),
    .clip = NAME(clip),
};
