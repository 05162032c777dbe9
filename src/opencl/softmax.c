/* Softmax with cross-entropy, and the gradient of a softmax layer. */
#include "opencl/row.h"

int ocl_softmax_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return ocl_row_variants(backend, problem->u.softmax.classes, variants);
}

int ocl_softmax_grad_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                              struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    return ocl_row_variants(backend, problem->u.softmax_grad.classes, variants);
}

#define FORMAT "mmmmmmmliiiiffff"
#define ARGUMENTS                                                                                  \
    &p->logits, &p->labels, &p->loss, &p->correct, &p->grad, &p->prob, &p->class_weights, p->rows, \
        (int)p->classes, (int)p->want_grad, (int)p->want_prob, (int)p->weighted, (double)p->scale, \
        (double)p->smoothing, (double)on, (double)off

#define FEW 16       /* classes of a "few" row, as in cl/softmax.cl */
#define FEW_ROWS 128 /* of a work-item: fewer cost more in waking a second core */

cairn_status ocl_softmax(struct cairn_backend *backend, const struct cairn_softmax *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    const float off = p->smoothing / (float)p->classes, on = (1.0f - p->smoothing) + off;
    cl_kernel kernel;
    size_t global, local = 1;
    if (variant == OCL_ROW && be->is_cpu && p->classes <= FEW) {
        global = (size_t)((p->rows + FEW_ROWS - 1) / FEW_ROWS);
        TRY(ocl_kernel(be, "softmax.cl", NULL, "softmax_few", &kernel));
        TRY(ocl_launch(be, kernel, 1, &global, &local, "(mmmmmmm)l(iiii)(ffff)i", ARGUMENTS,
                       FEW_ROWS));
        goto out;
    }
    TRY(ocl_row_kernel(be, "softmax.cl", variant == OCL_ROW ? "softmax_row" : "softmax_group",
                       variant, p->rows, &kernel, &global, &local));
    TRY(variant == OCL_ROW ? ocl_launch(be, kernel, 1, &global, &local, FORMAT, ARGUMENTS)
                           : ocl_launch(be, kernel, 1, &global, &local, FORMAT "LL", ARGUMENTS,
                                        OCL_ROW_LANE_BYTES, OCL_ROW_LANE_BYTES));
out:
    return st;
}

#define GRAD_FORMAT "mmmlii"
#define GRAD_ARGUMENTS &p->y, &p->dy, &p->dx, p->rows, (int)p->classes, (int)p->log

cairn_status ocl_softmax_grad(struct cairn_backend *backend, const struct cairn_softmax_grad *p,
                              int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    size_t global, local;
    TRY(ocl_row_kernel(be, "softmax.cl",
                       variant == OCL_ROW ? "softmax_grad_row" : "softmax_grad_group", variant,
                       p->rows, &kernel, &global, &local));
    TRY(variant == OCL_ROW ? ocl_launch(be, kernel, 1, &global, &local, GRAD_FORMAT, GRAD_ARGUMENTS)
                           : ocl_launch(be, kernel, 1, &global, &local, GRAD_FORMAT "L",
                                        GRAD_ARGUMENTS, OCL_ROW_LANE_BYTES));
out:
    return st;
}
