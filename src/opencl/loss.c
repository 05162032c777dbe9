/* Losses on raw outputs. */
#include "opencl/row.h"

int ocl_loss_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                      struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return ocl_row_variants(backend, problem->u.loss.classes, variants);
}

static const char *const names[][2] = {
    [CAIRN_LOSS_MSE] = {[OCL_ROW] = "mse_row", [OCL_ROW_GROUP] = "mse_group"},
    [CAIRN_LOSS_PERCEPTRON] = {[OCL_ROW] = "perceptron_row", [OCL_ROW_GROUP] = "perceptron_group"},
};

#define FORMAT "mmmmmmliiif"
#define ARGUMENTS                                                                                  \
    &p->z, &p->labels, &p->class_weights, &p->loss, &p->correct, &p->grad, p->rows,                \
        (int)p->classes, (int)p->want_grad, (int)p->weighted, (double)p->scale

static cairn_status launch_mse(struct ocl_backend *be, const struct cairn_loss *p, int variant,
                               cl_kernel kernel, size_t global, size_t local)
{
    double share = (double)(2.0f / (float)p->classes);
    if (variant == OCL_ROW)
        return ocl_launch(be, kernel, 1, &global, &local, FORMAT "f", ARGUMENTS, share);
    return ocl_launch(be, kernel, 1, &global, &local, FORMAT "fLL", ARGUMENTS, share,
                      OCL_ROW_LANE_BYTES, OCL_ROW_LANE_BYTES);
}

static cairn_status launch_perceptron(struct ocl_backend *be, const struct cairn_loss *p,
                                      int variant, cl_kernel kernel, size_t global, size_t local)
{
    if (variant == OCL_ROW) return ocl_launch(be, kernel, 1, &global, &local, FORMAT, ARGUMENTS);
    return ocl_launch(be, kernel, 1, &global, &local, FORMAT "LL", ARGUMENTS, OCL_ROW_LANE_BYTES,
                      OCL_ROW_LANE_BYTES);
}

cairn_status ocl_loss(struct cairn_backend *backend, const struct cairn_loss *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    size_t global, local;
    TRY(ocl_row_kernel(be, "loss.cl", names[p->kind][variant], variant, p->rows, &kernel, &global,
                       &local));
    TRY(p->kind == CAIRN_LOSS_MSE ? launch_mse(be, p, variant, kernel, global, local)
                                  : launch_perceptron(be, p, variant, kernel, global, local));
out:
    return st;
}
