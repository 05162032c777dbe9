#include "compare_print.h"

#include "commands.h"
#include "compute.h"
#include "json.h"
#include <stdio.h>
#include <string.h>

#define LABEL 26
#define KERNEL 42
#define COLUMN 24

static float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void value_text(const struct cairn_compare_result *r, uint32_t bits, char *text, size_t size)
{
    if (r->is_float)
        snprintf(text, size, "%.9g (%08x)", (double)as_float(bits), bits);
    else
        snprintf(text, size, "%d (%08x)", (int)(int32_t)bits, bits);
}

/* --- text --- */

static void print_lanes(const struct cairn_compare_result *r)
{
    printf("%s: batches of %lld images (%s), %lld parameters, %s\n", r->recipe, (long long)r->batch,
           r->data, (long long)r->parameters, r->math == CAIRN_MATH_FAST ? "fast" : "exact");
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_lane_info *lane = &r->lanes[i];
        printf("%c  %-24s %s", 'A' + i, lane->name, lane->device.name);
        if (lane->device.driver[0]) printf("; driver %s", lane->device.driver);
        if (lane->device.version[0]) printf("; %s", lane->device.version);
        putchar('\n');
    }
}

static void print_values(const struct cairn_compare_result *r)
{
    char text[64];
    if (r->math == CAIRN_MATH_FAST) {
        value_text(r, r->want, text, sizeof text);
        printf("values    reference %s", text);
        value_text(r, r->got, text, sizeof text);
        printf(", %c %s; they may differ by %.3g\n", 'A' + r->lane, text, r->bound);
        return;
    }
    for (int i = 0; i < r->lane_count; i++) {
        value_text(r, r->bits[i], text, sizeof text);
        printf("%-9s %c %s\n", i == 0 ? "values" : "", 'A' + i, text);
    }
}

static void print_difference(const struct cairn_compare_result *r)
{
    char text[1024];
    const struct cairn_compare_row *row = &r->rows[r->row];
    if (row->layer >= 0)
        printf("layer     model[%d] %s, %s\n", row->layer, row->layer_text,
               cairn_compare_phase_name(row->phase));
    else
        printf("layer     none: the data, the loss or the update\n");
    printf("tensor    %s: %lld of %lld elements differ, the first is %lld\n", r->what,
           (long long)r->count, (long long)r->elements, (long long)r->index);
    print_values(r);
    cairn_compare_again(r, text, sizeof text);
    printf("operator  %s\nalone     %s\n", r->problem, text);
}

static void print_heads(const struct cairn_compare_result *r, const char *label)
{
    printf("\n%-*s", LABEL, label);
    for (int i = 0; i < r->lane_count; i++) printf("%*c", COLUMN, 'A' + i);
    putchar('\n');
}

static void print_start(const struct cairn_compare_result *r, const char *label, int again)
{
    char text[64];
    printf("%-*s", LABEL, label);
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_start *s = again ? &r->lanes[i].again : &r->lanes[i].start;
        snprintf(text, sizeof text, "%.2f + %.2f s", s->open, s->kernels);
        printf("%*s", COLUMN, text);
    }
    printf("\n%-*s", LABEL, "    compiled");
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_start *s = again ? &r->lanes[i].again : &r->lanes[i].start;
        if (!strcmp(r->lanes[i].device.spec, "reference"))
            printf("%*s", COLUMN, "no kernels");
        else if (s->compiled == 0)
            printf("%*s", COLUMN, "from the cache");
        else
            printf("%*d", COLUMN, s->compiled);
    }
    putchar('\n');
}

static void print_bytes(const struct cairn_compare_result *r, const char *label, int peak)
{
    char text[32];
    printf("%-*s", LABEL, label);
    for (int i = 0; i < r->lane_count; i++) {
        compute_size_text(text, sizeof text,
                          peak ? r->lanes[i].peak_bytes : r->lanes[i].plan_bytes);
        printf("%*s", COLUMN, text);
    }
    putchar('\n');
}

/* A time, and how many times the first lane's it is. */
static void print_time(double seconds, double first, int is_first)
{
    char text[64];
    if (seconds <= 0)
        snprintf(text, sizeof text, "-");
    else if (is_first || first <= 0)
        snprintf(text, sizeof text, "%.1f us       ", seconds * 1e6);
    else
        snprintf(text, sizeof text, "%.1f us %5.2fx", seconds * 1e6, seconds / first);
    printf("%*s", COLUMN, text);
}

static void print_rate(double rate)
{
    printf(rate < 100 ? "%*.3g" : "%*.0f", COLUMN, rate);
}

static void print_speed(const struct cairn_compare_result *r)
{
    char text[64];
    print_heads(r, "lane");
    print_start(r, "first start: open, kernels", 0);
    if (r->lanes[0].seconds > 0) print_start(r, "again", 1);
    print_bytes(r, "device memory: plan", 0);
    print_bytes(r, "    peak", 1);
    if (r->lanes[0].seconds <= 0) return;
    printf("%-*s", LABEL, "training step");
    for (int i = 0; i < r->lane_count; i++) {
        snprintf(text, sizeof text, i ? "%.3f ms %5.2fx" : "%.3f ms       ",
                 r->lanes[i].seconds * 1e3, r->lanes[i].seconds / r->lanes[0].seconds);
        printf("%*s", COLUMN, text);
    }
    printf("\n%-*s", LABEL, "    least .. most");
    for (int i = 0; i < r->lane_count; i++) {
        snprintf(text, sizeof text, r->lanes[i].most < 1 ? "%.3f .. %.3f ms" : "%.0f .. %.0f ms",
                 r->lanes[i].least * 1e3, r->lanes[i].most * 1e3);
        printf("%*s", COLUMN, text);
    }
    printf("\n%-*s", LABEL, "    steps a second");
    for (int i = 0; i < r->lane_count; i++) print_rate(1 / r->lanes[i].seconds);
    printf("\n%-*s", LABEL, "    images a second");
    for (int i = 0; i < r->lane_count; i++) print_rate(r->lanes[i].images_per_second);
    printf("\n%-*s", LABEL, "    kernels launched");
    for (int i = 0; i < r->lane_count; i++)
        printf("%*lld", COLUMN, (long long)r->lanes[i].launches);
    putchar('\n');
}

static void print_times(const struct cairn_compare_result *r, const char *label,
                        const struct cairn_compare_row *rows, int count)
{
    char text[128];
    print_heads(r, label);
    for (int i = 0; i < count; i++) {
        cairn_compare_row_name(&rows[i], text, sizeof text);
        printf("%-*.*s", LABEL, LABEL, text);
        for (int lane = 0; lane < r->lane_count; lane++)
            print_time(rows[i].cells[lane].seconds, rows[i].cells[0].seconds, lane == 0);
        putchar('\n');
    }
}

static int lanes_to_hold(const struct cairn_compare_result *r)
{
    int count = 0;
    for (int i = 0; i < r->lane_count; i++)
        count += strcmp(r->lanes[i].device.spec, "reference") && r->lanes[i].profiled;
    return count;
}

/* Only lanes that have kernels; held against the first of those. */
static void print_kernels(const struct cairn_compare_result *r)
{
    char text[128];
    int first = 0;
    while (first < r->lane_count && !strcmp(r->lanes[first].device.spec, "reference")) first++;
    printf("\n%-*s", KERNEL, "kernel");
    for (int i = 0; i < r->lane_count; i++) printf("%*c", COLUMN, 'A' + i);
    putchar('\n');
    for (int i = 0; i < r->kernel_count; i++) {
        const struct cairn_compare_kernel *k = &r->kernels[i];
        int used = 0;
        for (int lane = 0; lane < r->lane_count; lane++)
            used |= strcmp(r->lanes[lane].device.spec, "reference") && k->launches[lane];
        if (!used) continue;
        snprintf(text, sizeof text, "%s: %s", k->op, k->name);
        printf("%-*.*s", KERNEL, KERNEL, text);
        for (int lane = 0; lane < r->lane_count; lane++)
            if (!strcmp(r->lanes[lane].device.spec, "reference"))
                printf("%*s", COLUMN, "-");
            else
                print_time(k->seconds[lane], k->seconds[first], lane == first);
        putchar('\n');
    }
}

/* Of exact arithmetic how many elements differ, of fast the largest error as a part of its bound.
 */
static void print_differences(const struct cairn_compare_result *r, const char *label,
                              const struct cairn_compare_row *rows, int count)
{
    char text[128];
    int fast = r->math == CAIRN_MATH_FAST;
    print_heads(r, label);
    for (int i = 0; i < count; i++) {
        int differs = 0;
        for (int lane = 0; lane < r->lane_count; lane++)
            differs |= rows[i].cells[lane].different > 0;
        if (!differs && !fast) continue;
        cairn_compare_row_name(&rows[i], text, sizeof text);
        printf("%-*.*s", LABEL, LABEL, text);
        for (int lane = 0; lane < r->lane_count; lane++) {
            const struct cairn_compare_cell *cell = &rows[i].cells[lane];
            if (cell->different)
                snprintf(text, sizeof text, "%lld %s", (long long)cell->different,
                         fast ? "out" : "differ");
            else if (fast)
                snprintf(text, sizeof text, "%.4f", cell->worst);
            else
                snprintf(text, sizeof text, "equal");
            printf("%*s", COLUMN, text);
        }
        putchar('\n');
    }
}

void compare_print(const struct cairn_compare_result *r)
{
    char text[512];
    int fast = r->math == CAIRN_MATH_FAST;
    print_lanes(r);
    cairn_compare_verdict(r, text, sizeof text);
    printf("\n%s\n", text);
    if (r->different) print_difference(r);
    if (fast || r->different) {
        printf("\n%s\n", fast ? "The largest error as a part of its bound, or how many values are "
                                "out of theirs:"
                              : "In that step, every operator given the same operands:");
        print_differences(r, "operator", r->operators, r->operator_count);
        print_differences(r, "layer", r->layers, r->layer_count);
    }
    print_speed(r);
    if (r->lanes[0].seconds <= 0) return;
    printf("\nDevice time in a step, profiled; and how many times A's it is:\n");
    for (int i = 0; i < r->lane_count; i++)
        if (!r->lanes[i].profiled) printf("(%c: its driver tells no times of launches)\n", 'A' + i);
    print_times(r, "operator", r->operators, r->operator_count);
    print_times(r, "layer", r->layers, r->layer_count);
    if (lanes_to_hold(r) > 1) print_kernels(r);
}

/* --- JSON --- */

static json_t *bits_json(uint32_t bits)
{
    char text[16];
    snprintf(text, sizeof text, "%08x", bits);
    return json_string(text);
}

static json_t *start_json(const struct cairn_compare_start *start)
{
    return json_pack("{s:f s:f s:i}", "open_seconds", start->open, "kernel_seconds", start->kernels,
                     "compiled", start->compiled);
}

static json_t *lane_json(const struct cairn_compare_result *r, int number)
{
    const struct cairn_compare_lane_info *lane = &r->lanes[number];
    char letter[2] = {(char)('A' + number), 0};
    json_t *object = json_pack(
        "{s:s s:o s:s s:o s:o s:o s:o s:o s:i s:o s:I s:I}", "lane", letter, "name",
        tool_json_text(lane->name), "spec", lane->device.spec, "kernels",
        lane->kernels[0] ? tool_json_text(lane->kernels) : json_null(), "device",
        tool_json_text(lane->device.name), "platform", tool_json_text(lane->device.platform),
        "driver", tool_json_text(lane->device.driver), "version",
        tool_json_text(lane->device.version), "group", lane->group, "start",
        start_json(&lane->start), "plan_bytes", (json_int_t)lane->plan_bytes, "peak_bytes",
        (json_int_t)lane->peak_bytes);
    if (!object || lane->seconds <= 0) return object;
    json_object_set_new(object, "again", start_json(&lane->again));
    json_object_set_new(object, "profiled", json_boolean(lane->profiled));
    json_object_set_new(object, "step",
                        json_pack("{s:f s:f s:f s:f s:f s:I s:I}", "seconds", lane->seconds, "min",
                                  lane->least, "max", lane->most, "steps_per_second",
                                  1 / lane->seconds, "images_per_second", lane->images_per_second,
                                  "launches", (json_int_t)lane->launches, "steps",
                                  (json_int_t)lane->sample_steps));
    return object;
}

static json_t *cells_json(const struct cairn_compare_result *r, const struct cairn_compare_row *row)
{
    json_t *cells = json_array();
    for (int i = 0; i < r->lane_count; i++) {
        const struct cairn_compare_cell *cell = &row->cells[i];
        json_t *object = json_pack("{s:I}", "different", (json_int_t)cell->different);
        if (r->math == CAIRN_MATH_FAST)
            json_object_set_new(object, "worst", json_real(cell->worst));
        if (r->lanes[i].seconds > 0) {
            json_object_set_new(object, "seconds", json_real(cell->seconds));
            json_object_set_new(object, "launches", json_integer(cell->launches));
        }
        json_array_append_new(cells, object);
    }
    return cells;
}

static json_t *rows_json(const struct cairn_compare_result *r)
{
    json_t *rows = json_array();
    for (int i = 0; i < r->row_count; i++) {
        const struct cairn_compare_row *row = &r->rows[i];
        json_array_append_new(rows,
                              json_pack("{s:o s:o s:s s:s s:I s:I s:o}", "layer",
                                        row->layer >= 0 ? json_integer(row->layer) : json_null(),
                                        "layer_text", tool_json_text(row->layer_text), "phase",
                                        cairn_compare_phase_name(row->phase), "op", row->op, "runs",
                                        (json_int_t)row->runs, "values", (json_int_t)row->values,
                                        "lanes", cells_json(r, row)));
    }
    return rows;
}

static json_t *kernels_json(const struct cairn_compare_result *r)
{
    json_t *kernels = json_array();
    for (int i = 0; i < r->kernel_count; i++) {
        const struct cairn_compare_kernel *k = &r->kernels[i];
        json_t *lanes = json_array();
        for (int lane = 0; lane < r->lane_count; lane++)
            json_array_append_new(lanes, json_pack("{s:f s:I}", "seconds", k->seconds[lane],
                                                   "launches", (json_int_t)k->launches[lane]));
        json_array_append_new(kernels, json_pack("{s:s s:o s:o}", "op", k->op, "kernel",
                                                 tool_json_text(k->name), "lanes", lanes));
    }
    return kernels;
}

static void add_difference(json_t *object, const struct cairn_compare_result *r)
{
    char text[1024];
    const struct cairn_compare_row *row = &r->rows[r->row];
    cairn_compare_again(r, text, sizeof text);
    json_object_set_new(object, "device", tool_json_text(r->lanes[r->lane].device.name));
    json_object_set_new(object, "lane", json_integer(r->lane));
    json_object_set_new(object, "held", r->held >= 0 ? json_integer(r->held) : json_null());
    json_object_set_new(object, "step", json_integer(r->step));
    json_object_set_new(object, "layer", row->layer >= 0 ? json_integer(row->layer) : json_null());
    json_object_set_new(object, "layer_text", tool_json_text(row->layer_text));
    json_object_set_new(object, "phase", json_string(cairn_compare_phase_name(row->phase)));
    json_object_set_new(object, "tensor", tool_json_text(r->what));
    json_object_set_new(object, "problem", tool_json_text(r->problem));
    json_object_set_new(object, "again", tool_json_text(text));
    json_object_set_new(object, "index", json_integer(r->index));
    json_object_set_new(object, "count", json_integer(r->count));
    json_object_set_new(object, "elements", json_integer(r->elements));
    json_object_set_new(object, "want_bits", bits_json(r->want));
    json_object_set_new(object, "got_bits", bits_json(r->got));
    if (r->math == CAIRN_MATH_FAST) json_object_set_new(object, "bound", json_real(r->bound));
}

json_t *compare_json(const struct cairn_compare_result *r)
{
    char verdict[512];
    json_t *lanes = json_array();
    int fast = r->math == CAIRN_MATH_FAST;
    cairn_compare_verdict(r, verdict, sizeof verdict);
    for (int i = 0; i < r->lane_count; i++) json_array_append_new(lanes, lane_json(r, i));
    json_t *object = json_pack(
        "{s:o s:s s:I s:I s:s s:b s:o s:I s:I s:I s:I s:o s:o s:o s:o}", "recipe",
        tool_json_text(r->recipe), "data", r->data, "batch", (json_int_t)r->batch, "parameters",
        (json_int_t)r->parameters, "math", fast ? "fast" : "exact", "different", r->different,
        "verdict", tool_json_text(verdict), "equal_steps", (json_int_t)r->steps, "steps",
        (json_int_t)r->ran, "operators", (json_int_t)r->operations, "values", (json_int_t)r->values,
        "first", tool_json_text(r->lanes[0].device.name), "lanes", lanes, "rows", rows_json(r),
        "kernels", kernels_json(r));
    if (object && fast) json_object_set_new(object, "worst", json_real(r->worst));
    if (object && r->different) add_difference(object, r);
    return object;
}
