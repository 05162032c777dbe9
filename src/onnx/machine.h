/* Running a graph node by node on a device, each operator of ONNX as operators of Cairn, on tensors
 * of the host: for ONNX's own tests, where every node's result is to be seen and speed is nothing.
 */
#ifndef CAIRN_ONNX_MACHINE_H
#define CAIRN_ONNX_MACHINE_H

#include "onnx/read.h"
#include <cairn/device.h>

#define CAIRN_ONNX_OPERANDS 8

/* A node at hand. Inputs that are left out are NULL; outputs begin zeroed and are the caller's. */
struct cairn_onnx_task {
    struct cairn_device *device;
    const Cairn__Onnx__Node *node;
    int64_t opset;
    const char *path; /* the model's */
    const struct cairn_onnx_tensor *in[CAIRN_ONNX_OPERANDS];
    struct cairn_onnx_tensor out[CAIRN_ONNX_OPERANDS];
    int in_count, out_count; /* outputs that are asked for */
};

/* Whether there is such an operator at all. */
int cairn_onnx_knows(const char *op);

/* Runs the node. CAIRN_UNSUPPORTED for a form of the operator that Cairn has not. */
cairn_status cairn_onnx_run(struct cairn_onnx_task *task);

/* A float32 tensor of that shape, its numbers unset; CAIRN_MEMORY. */
cairn_status cairn_onnx_make(struct cairn_onnx_tensor *tensor, int rank, const int64_t *dims);
cairn_status cairn_onnx_copy(struct cairn_onnx_tensor *to, const struct cairn_onnx_tensor *from);

/* An operand of a problem by its name in the schema, as many 4-byte elements as that has. */
struct cairn_onnx_bound {
    const char *name;
    const void *in;
    void *out;
};

/* Runs a problem on the device; inputs that are not named are 0, outputs lost. ends with NULL. */
cairn_status cairn_onnx_launch(struct cairn_device *device, struct cairn_problem *problem,
                               const struct cairn_onnx_bound *operands);

/* --- operators-windows.c --- */
cairn_status cairn_onnx_run_conv(struct cairn_onnx_task *t);
cairn_status cairn_onnx_run_transposed(struct cairn_onnx_task *t);
cairn_status cairn_onnx_run_pool(struct cairn_onnx_task *t);

#endif
