/* The rows of a comparison: operators of layers, kernels, and sums of them. */
#include "base/error.h"
#include "compare/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cairn_compare_phase_name(enum cairn_compare_phase phase)
{
    static const char *const names[] = {"forward", "backward", "update"};
    return names[phase];
}

/* A fresh row behind the others; NULL when out of memory. */
static struct cairn_compare_row *add_row(struct cairn_compare_row **rows, int *count)
{
    struct cairn_compare_row *grown = realloc(*rows, (size_t)(*count + 1) * sizeof *grown);
    if (!grown) return NULL;
    *rows = grown;
    memset(&grown[*count], 0, sizeof *grown);
    return &grown[(*count)++];
}

int compare_row(struct cairn_compare_result *r, const struct cairn_recipe *recipe,
                const struct cairn_step *step)
{
    int layer = step ? step->layer : -1;
    enum cairn_compare_phase phase = CAIRN_COMPARE_UPDATE;
    const char *op = step ? cairn_op_name(step->problem.op) : "other";
    if (step && step->phase == CAIRN_PHASE_FORWARD) phase = CAIRN_COMPARE_FORWARD;
    if (step && step->phase == CAIRN_PHASE_BACKWARD) phase = CAIRN_COMPARE_BACKWARD;
    for (int i = 0; i < r->row_count; i++)
        if (r->rows[i].layer == layer && r->rows[i].phase == phase && !strcmp(r->rows[i].op, op))
            return i;
    struct cairn_compare_row *row = add_row(&r->rows, &r->row_count);
    if (!row) return -1;
    row->layer = layer;
    row->phase = phase;
    snprintf(row->op, sizeof row->op, "%s", op);
    if (layer >= 0)
        snprintf(row->layer_text, sizeof row->layer_text, "%s", recipe->layers[layer].text);
    return r->row_count - 1;
}

int compare_kernel(struct cairn_compare_result *r, const char *op, const char *kernel)
{
    for (int i = 0; i < r->kernel_count; i++)
        if (!strcmp(r->kernels[i].op, op) && !strcmp(r->kernels[i].name, kernel)) return i;
    struct cairn_compare_kernel *grown =
        realloc(r->kernels, (size_t)(r->kernel_count + 1) * sizeof *grown);
    if (!grown) return -1;
    r->kernels = grown;
    memset(&grown[r->kernel_count], 0, sizeof *grown);
    snprintf(grown[r->kernel_count].op, sizeof grown->op, "%s", op);
    snprintf(grown[r->kernel_count].name, sizeof grown->name, "%s", kernel);
    return r->kernel_count++;
}

static void add_to(struct cairn_compare_row *sum, const struct cairn_compare_row *row)
{
    sum->runs += row->runs;
    sum->values += row->values;
    for (int i = 0; i < CAIRN_COMPARE_LANES; i++) {
        struct cairn_compare_cell *to = &sum->cells[i];
        const struct cairn_compare_cell *from = &row->cells[i];
        to->different += from->different;
        if (from->worst > to->worst) to->worst = from->worst;
        to->seconds += from->seconds;
        to->launches += from->launches;
    }
}

/* The sum of a layer's rows, or with `op` of an operator's. */
static struct cairn_compare_row *sum_of(struct cairn_compare_row **rows, int *count, int layer,
                                        const char *op)
{
    for (int i = 0; i < *count; i++)
        if ((*rows)[i].layer == layer && !strcmp((*rows)[i].op, op)) return &(*rows)[i];
    struct cairn_compare_row *row = add_row(rows, count);
    if (!row) return NULL;
    row->layer = layer;
    snprintf(row->op, sizeof row->op, "%s", op);
    return row;
}

static int number_of(const struct cairn_compare_result *r, const char *op)
{
    int i = 0;
    while (i < r->operator_count && strcmp(r->operators[i].op, op) != 0) i++;
    return i;
}

/* By their operators, those of one as they came. */
static void sort_kernels(struct cairn_compare_result *r)
{
    for (int i = 1; i < r->kernel_count; i++) {
        struct cairn_compare_kernel kernel = r->kernels[i];
        int place = i;
        for (; place > 0 && number_of(r, r->kernels[place - 1].op) > number_of(r, kernel.op);
             place--)
            r->kernels[place] = r->kernels[place - 1];
        r->kernels[place] = kernel;
    }
}

cairn_status compare_sum(struct cairn_compare_result *r)
{
    int layers = 0;
    for (int i = 0; i < r->row_count; i++)
        if (r->rows[i].layer >= layers) layers = r->rows[i].layer + 1;
    for (int layer = 0; layer <= layers; layer++) /* in the recipe's order, the rest behind */
        for (int i = 0; i < r->row_count; i++) {
            const struct cairn_compare_row *row = &r->rows[i];
            if (row->layer != (layer < layers ? layer : -1)) continue;
            struct cairn_compare_row *sum = sum_of(&r->layers, &r->layer_count, row->layer, "");
            if (!sum) return cairn_fail(CAIRN_MEMORY, "out of memory");
            memcpy(sum->layer_text, row->layer_text, sizeof sum->layer_text);
            add_to(sum, row);
        }
    for (int i = 0; i < r->row_count; i++) {
        const struct cairn_compare_row *row = &r->rows[i];
        struct cairn_compare_row *sum = sum_of(&r->operators, &r->operator_count, -1, row->op);
        if (!sum) return cairn_fail(CAIRN_MEMORY, "out of memory");
        add_to(sum, row);
    }
    sort_kernels(r);
    return CAIRN_OK;
}

int cairn_compare_row_name(const struct cairn_compare_row *row, char *text, size_t size)
{
    if (row->op[0]) return snprintf(text, size, "%s", row->op);
    if (row->layer >= 0) return snprintf(text, size, "%d %s", row->layer, row->layer_text);
    return snprintf(text, size, "data, loss and update");
}

void cairn_compare_free(struct cairn_compare_result *r)
{
    free(r->rows);
    free(r->layers);
    free(r->operators);
    free(r->kernels);
    memset(r, 0, sizeof *r);
}
