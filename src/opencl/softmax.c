/* Softmax with cross-entropy. */
#include "opencl/opencl.h"

enum { ROW, GROUP };
#define LANES 64          /* as SUM_LANES in cl/sum.h */
#define MOST_GROUPS 65536 /* groups stride over the rows */

/* "row": a work-item per row; "group": a work-group per row, for many classes on a device with many
 * work-items. */
int ocl_softmax_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                         struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    int group = !ocl_of(backend)->is_cpu && problem->u.softmax.classes > LANES;
    variants[ROW] = (struct cairn_variant){.name = "row", .preferred = !group};
    variants[GROUP] = (struct cairn_variant){.name = "group", .preferred = group};
    return 2;
}

#define FORMAT "mmmmmmliiif"
#define ARGUMENTS                                                                                  \
    &p->logits, &p->labels, &p->loss, &p->correct, &p->grad, &p->prob, p->rows, (int)p->classes,   \
        (int)p->want_grad, (int)p->want_prob, (double)p->scale

cairn_status ocl_softmax(struct cairn_backend *backend, const struct cairn_softmax *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel kernel;
    size_t local = 0, global;
    cl_ulong local_bytes;
    if (variant == ROW) {
        TRY(ocl_kernel(be, "softmax.cl", NULL, "softmax_row", &kernel));
        global =
            (size_t)p->rows; /* on a CPU every row is a work-group, so that cores share few rows */
        local = 1;
        TRY(be->is_cpu ? ocl_launch(be, kernel, 1, &global, &local, FORMAT, ARGUMENTS)
                       : ocl_launch_1d(be, kernel, p->rows, 0, FORMAT, ARGUMENTS));
        goto out;
    }
    TRY(ocl_kernel(be, "softmax.cl", NULL, "softmax_group", &kernel));
    TRY(ocl_kernel_limits(be, kernel, &local, &local_bytes));
    if (local > LANES) local = LANES;
    global = (size_t)(p->rows < MOST_GROUPS ? p->rows : MOST_GROUPS) * local;
    TRY(ocl_launch(be, kernel, 1, &global, &local, FORMAT "LL", ARGUMENTS,
                   (size_t)LANES * sizeof(float), (size_t)LANES * sizeof(int)));
out:
    return st;
}
