/* cairn summary: a recipe's layers, shapes, parameters and memory. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

static int print_json(const struct cairn_summary *s)
{
    json_t *layers = json_array();
    for (int i = 0; i < s->row_count; i++) {
        const struct cairn_summary_row *row = &s->rows[i];
        json_array_append_new(layers,
                              json_pack("{s:s s:[I,I,I] s:I}", "layer", row->layer, "output",
                                        (json_int_t)row->c, (json_int_t)row->h, (json_int_t)row->w,
                                        "parameters", (json_int_t)row->parameters));
    }
    json_t *object = json_pack(
        "{s:o s:s s:[I,I,I] s:I s:I s:I s:I s:o s:I s:I s:I s:o s:I s:{s:I s:I s:I s:I s:I s:I "
        "s:I}}",
        "recipe", tool_json_text(s->recipe), "data", s->data, "input", (json_int_t)s->c,
        (json_int_t)s->h, (json_int_t)s->w, "classes", (json_int_t)s->classes, "train_images",
        (json_int_t)s->train_images, "validation_images", (json_int_t)s->validation_images,
        "test_images", (json_int_t)s->test_images, "layers", layers, "parameters",
        (json_int_t)s->parameters, "batch", (json_int_t)s->batch, "steps_per_epoch",
        (json_int_t)s->steps_per_epoch, "device", tool_json_text(s->device), "tuned",
        (json_int_t)s->tuned, "memory_bytes", "weights", (json_int_t)s->weights_bytes, "gradients",
        (json_int_t)s->gradients_bytes, "moments", (json_int_t)s->moments_bytes, "activations",
        (json_int_t)s->activations_bytes, "data", (json_int_t)s->data_bytes, "other",
        (json_int_t)s->other_bytes, "total", (json_int_t)s->total_bytes);
    json_object_set_new(object, "largest_batch",
                        s->largest_batch < 0 ? json_null() : json_integer(s->largest_batch));
    return tool_json_print("summary", object);
}

/* 1234567 as "1,234,567". */
static void print_count(int width, long long value)
{
    char plain[32], text[48];
    int n = snprintf(plain, sizeof plain, "%lld", value), at = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = '\0';
    printf("%*s", width, text);
}

static void print_bytes(const char *what, long long bytes)
{
    char text[32];
    compute_size_text(text, sizeof text, bytes);
    printf("  %-26s %12s\n", what, text);
}

static void print_largest(const struct cairn_summary *s)
{
    char memory[32], once[32];
    if (s->largest_batch < 0) return;
    compute_size_text(memory, sizeof memory, s->device_bytes);
    compute_size_text(once, sizeof once, s->device_max_alloc_bytes);
    if (s->largest_batch == 0)
        printf("\nno batch fits");
    else
        printf("\nlargest batch that fits: %lld%s", (long long)s->largest_batch,
               s->largest_batch == s->train_images ? ", all images" : "");
    printf(" (%s has %s, %s in one buffer)\n", s->device, memory, once);
}

static void print_text(const struct cairn_summary *s)
{
    int width = 5;
    for (int i = 0; i < s->row_count; i++)
        if ((int)strlen(s->rows[i].layer) > width) width = (int)strlen(s->rows[i].layer);
    printf("%s: %lldx%lldx%lld, %lld classes; %lld images to train, %lld to validate, %lld to "
           "test\n\n",
           s->data, (long long)s->c, (long long)s->h, (long long)s->w, (long long)s->classes,
           (long long)s->train_images, (long long)s->validation_images, (long long)s->test_images);
    printf("  #  %-*s  %-16s %14s\n", width, "layer", "output", "parameters");
    for (int i = 0; i < s->row_count; i++) {
        const struct cairn_summary_row *row = &s->rows[i];
        char shape[48];
        snprintf(shape, sizeof shape, "%lldx%lldx%lld", (long long)row->c, (long long)row->h,
                 (long long)row->w);
        printf("%3d  %-*s  %-16s ", i, width, row->layer, shape);
        print_count(14, row->parameters);
        putchar('\n');
    }
    printf("%*s", width + 24, "total ");
    print_count(14, s->parameters);
    printf("\n\nmemory for training with batch %lld (%lld steps an epoch), workspace as on %s:\n",
           (long long)s->batch, (long long)s->steps_per_epoch, s->device);
    if (s->tuned)
        printf("  (%lld problems of this device run as `cairn tune` chose)\n", (long long)s->tuned);
    print_bytes("weights", s->weights_bytes);
    print_bytes("gradients", s->gradients_bytes);
    print_bytes("optimizer's moments", s->moments_bytes);
    print_bytes("activations and workspace", s->activations_bytes);
    print_bytes("data set", s->data_bytes);
    print_bytes("indices, losses, logits", s->other_bytes);
    print_bytes("total", s->total_bytes);
    print_largest(s);
}

int cmd_summary(int argc, char **argv)
{
    struct compute_options options = {0};
    struct cairn_compute compute;
    struct cairn_summary summary;
    struct option_list sets = {.count = 0};
    int64_t batch = 0;
    int as_json = 0, count;
    const struct option_row rows[] = {
        COMPUTE_ROWS(&options),
        COMPUTE_DATA_ROW(&options),
        {"set", OPTION_LIST, &sets, "KEY=VALUE",
         "set a value of the recipe, like vars.act=tanh; may be repeated", 0, 0, NULL},
        {"batch", OPTION_INT, &batch, "N", "another batch size than the recipe's", 1, 1048576,
         NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "summary",
        "RECIPE [OPTION]...",
        "Describes RECIPE: layers, output shapes (channels x rows x columns), parameters, and the "
        "memory that training\n"
        "takes on the device (reference unless --device is given). Nothing is allocated, and no "
        "data is "
        "read but the\n"
        "names and one image of a folder of images (--data-dir).",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = compute_read("summary", &options, &compute);
    if (code != -1) return code;
    cairn_status st = cairn_summarize(argv[1], sets.items, sets.count, batch, &compute, &summary);
    if (st != CAIRN_OK) return tool_fail("summary", st);
    code = 0;
    if (as_json)
        code = print_json(&summary);
    else
        print_text(&summary);
    cairn_summary_free(&summary);
    return code;
}
