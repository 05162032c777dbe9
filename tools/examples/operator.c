/* One operator on a device, with numbers of one's own: c = relu(a b + bias).
 *
 *   cc operator.c $(pkg-config --cflags --libs cairn) -o operator && ./operator [DEVICE]
 *
 * Every operator is a descriptor of <cairn/problem.h>; `./operator DEVICE` prints the same bits on
 * every device that is exact. */
#include <cairn/cairn.h>
#include <stdio.h>
#include <string.h>

static int complain(cairn_status status)
{
    fprintf(stderr, "operator: %s: %s\n", cairn_status_text(status), cairn_error());
    return cairn_status_exit(status);
}

int main(int argc, char **argv)
{
    float a[2 * 3] = {1, 2, 3, 4, 5, 6};                     /* m x k, row by row */
    float b[3 * 4] = {1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 1, 0}; /* k x n */
    float bias[4] = {0.5f, 0.25f, 0.125f, 0};                /* one for each column */
    float c[2 * 4];                                          /* m x n */
    struct cairn_array arrays[4] = {{"a", a, 6}, {"b", b, 12}, {"bias_v", bias, 4}, {"c", c, 8}};

    struct cairn_device *device;
    cairn_status status = cairn_device_open(argc > 1 ? argv[1] : "reference", NULL, &device);
    if (status != CAIRN_OK) return complain(status);

    struct cairn_problem product = cairn_problem_default(CAIRN_OP_GEMM);
    product.u.gemm.m = 2;
    product.u.gemm.n = 4;
    product.u.gemm.k = 3;
    product.u.gemm.bias = CAIRN_BIAS_N;
    product.u.gemm.act = CAIRN_ACT_RELU;
    status = cairn_problem_complete(&product); /* for its line; to be run it need not be */
    if (status == CAIRN_OK) status = cairn_run_arrays(device, &product, arrays, 4);
    if (status == CAIRN_OK) {
        char line[128]; /* the problem as `cairn check` and `cairn bench` take it */
        cairn_problem_print(&product, line, sizeof line);
        printf("%s, %.0f operations\n", line, cairn_problem_flops(&product));
        for (int i = 0; i < 8; i++) printf("%g%c", c[i], i % 4 == 3 ? '\n' : ' ');
    }
    cairn_device_close(device);
    return status == CAIRN_OK ? 0 : complain(status);
}
