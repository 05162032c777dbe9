/* Gathering a batch: one launch for the images, one for the labels. */
#include "opencl/opencl.h"

#define GROUP 256
#define MOST_ROWS                                                                                  \
    32768 /* work-groups stride over the rows: some devices take 65535 in the second dimension */

int ocl_gather_variants(struct cairn_backend *backend, const struct cairn_problem *problem,
                        struct cairn_variant variants[CAIRN_MAX_VARIANTS])
{
    (void)backend;
    (void)problem;
    return ocl_one_variant(variants);
}

cairn_status ocl_gather(struct cairn_backend *backend, const struct cairn_gather *p, int variant)
{
    cairn_status st = CAIRN_OK;
    struct ocl_backend *be = ocl_of(backend);
    cl_kernel images, labels;
    size_t limit = 0;
    cl_ulong local_bytes;
    (void)variant;
    TRY(ocl_kernel(be, "gather.cl", NULL, "gather", &images));
    TRY(ocl_kernel(be, "gather.cl", NULL, "gather_labels", &labels));
    TRY(ocl_kernel_limits(be, images, &limit, &local_bytes));
    size_t group = limit < GROUP ? limit : GROUP;
    size_t local[2] = {group, 1},
           global[2] = {((size_t)p->item + group - 1) / group * group, (size_t)p->count};
    if (global[1] > MOST_ROWS) global[1] = MOST_ROWS;
    TRY(ocl_launch(be, images, 2, global, local, "mmmlliff", &p->table, &p->indices, &p->x,
                   p->count, p->item, (int)p->total, (double)p->shift, (double)p->scale));
    TRY(ocl_launch_1d(be, labels, p->count, 0, "mmmli", &p->labels, &p->indices, &p->y, p->count,
                      (int)p->total));
out:
    return st;
}
