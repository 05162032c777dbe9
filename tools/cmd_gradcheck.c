/* cairn gradcheck: slopes of the loss beside back-propagation, as a table. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    struct cairn_gradcheck_options check;
    struct compute_options compute;
    struct option_list sets, weights, patterns;
    int64_t numbers[OPTION_LIST_MAX];
    int64_t directions;
    int has_directions, as_json;
};

static json_t *json_row(const struct cairn_gradcheck_row *row, int is_direction)
{
    json_t *object =
        json_pack("{s:o s:o s:o s:o s:o s:b}", "numerical", tool_json_number(row->numerical),
                  "analytical", tool_json_number(row->analytical), "difference",
                  tool_json_number(row->difference), "epsilon", tool_json_number(row->epsilon),
                  "bound", tool_json_number(row->bound), "within", row->within);
    if (!is_direction) {
        json_object_set_new(object, "pattern", json_integer(row->pattern));
        json_object_set_new(object, "weight", tool_json_text(row->weight.name));
        json_object_set_new(object, "element", json_integer(row->weight.element));
    }
    return object;
}

static int print_json(const struct cairn_gradcheck_result *r)
{
    json_t *weights = json_array(), *directions = json_array();
    for (int i = 0; i < r->row_count; i++) {
        int is_direction = i >= r->row_count - r->direction_count;
        json_array_append_new(is_direction ? directions : weights,
                              json_row(&r->rows[i], is_direction));
    }
    return tool_json_print(
        "gradcheck",
        json_pack("{s:o s:o s:o s:I s:I s:i s:o s:o}", "device", tool_json_text(r->device),
                  "epsilon", tool_json_number(r->epsilon), "allowed", tool_json_number(r->allowed),
                  "parameters", (json_int_t)r->parameters, "images", (json_int_t)r->images,
                  "failed", r->failed, "weights", weights, "directions", directions));
}

static void print_numbers(const struct cairn_gradcheck_row *row)
{
    printf("%14.8f %14.8f %11.2e %9.1e %9.1e%s\n", tool_real(row->numerical),
           tool_real(row->analytical), tool_real(row->difference), row->bound, row->epsilon,
           row->within ? "" : "  DIFFERENT");
}

static void print_text(const struct cairn_gradcheck_result *r)
{
    printf("device %s, epsilon %g, allowed %g\n\n", r->device, r->epsilon, r->allowed);
    printf("pattern  %-24s %14s %14s %11s %9s %9s\n", "weight", "numerical", "analytical",
           "difference", "bound", "epsilon");
    for (int i = 0; i < r->row_count - r->direction_count; i++) {
        const struct cairn_gradcheck_row *row = &r->rows[i];
        char name[64];
        snprintf(name, sizeof name, "%s[%lld]", row->weight.name, (long long)row->weight.element);
        printf("%7lld  %-24s ", (long long)row->pattern, name);
        print_numbers(row);
    }
    if (r->direction_count)
        printf("\nall %lld parameters along random directions, %lld images:\n",
               (long long)r->parameters, (long long)r->images);
    for (int i = r->row_count - r->direction_count; i < r->row_count; i++) {
        printf("         %-24s ", r->rows[i].weight.name);
        print_numbers(&r->rows[i]);
    }
    printf("\n%d of %d differences are within their bounds\n", r->row_count - r->failed,
           r->row_count);
}

/* "7" or "last". */
static int read_patterns(struct arguments *a)
{
    for (int i = 0; i < a->patterns.count; i++) {
        const char *word = a->patterns.items[i];
        size_t n = strspn(word, "0123456789");
        if (strcmp(word, "last") != 0 && (n == 0 || n > 9 || word[n] || word[0] == '0'))
            return tool_misuse("gradcheck",
                               "--pattern: '%s' is neither the number of a training image, from 1, "
                               "nor 'last'",
                               word);
        a->numbers[i] = word[0] == 'l' ? -1 : atoll(word);
    }
    a->check.patterns = a->numbers;
    a->check.pattern_count = a->patterns.count;
    return -1;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    const struct option_row rows[] = {
        COMPUTE_ROWS(&a->compute),
        COMPUTE_DATA_ROW(&a->compute),
        {"set", OPTION_LIST, &a->sets, "KEY=VALUE", "set a value of the recipe; may be repeated", 0,
         0, NULL},
        {"epsilon", OPTION_REAL, &a->check.epsilon, "E", "change of a weight (0.01)", 0, 0, NULL},
        {"allowed", OPTION_REAL, &a->check.allowed, "D", "largest difference (1e-4)", 0, 0, NULL},
        {"pattern", OPTION_LIST, &a->patterns, "N", "training image, from 1, or last (1, 6, last)",
         0, 0, NULL},
        {"weight", OPTION_LIST, &a->weights, "NAME[ELEMENT]",
         "like 0.weight[17]; without ELEMENT that of the largest gradient", 0, 0, NULL},
        {"images", OPTION_INT, &a->check.images, "N", "of the directions' batch (the recipe's)", 1,
         1 << 20, NULL},
        {"directions", OPTION_INT, &a->directions, "N", "random directions (5)", 0, 10000,
         &a->has_directions},
        {"json", OPTION_FLAG, &a->as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "gradcheck",
        "RECIPE [OPTION]...",
        "Measures slopes of the training loss, (L(w + E) - L(w - E)) / 2E, beside the gradients of "
        "back-propagation: for a\n"
        "bias and two weights of the first and the last layer on single training images, and for "
        "all "
        "parameters at once\n"
        "along random directions. A difference above its bound is measured again with E / 4, E / "
        "16 "
        "and E / 64: those of\n"
        "kinks (ReLU) shrink, a wrong gradient stays wrong. Exit status 1 if one does.",
        rows,
        1,
        1,
    };
    int count, code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = compute_read("gradcheck", &a->compute, &a->check.compute);
    if (code == -1) code = read_patterns(a);
    if (code != -1) return code;
    a->check.recipe = argv[1];
    a->check.sets = a->sets.items;
    a->check.set_count = a->sets.count;
    a->check.weights = a->weights.items;
    a->check.weight_count = a->weights.count;
    if (a->has_directions) a->check.directions = a->directions ? (int)a->directions : -1;
    return -1;
}

int cmd_gradcheck(int argc, char **argv)
{
    struct arguments a = {.as_json = 0};
    struct cairn_gradcheck_result result;
    int code = parse(argc, argv, &a);
    if (code != -1) return code;
    cairn_status st = cairn_gradcheck(&a.check, &result);
    if (st != CAIRN_OK) return tool_fail("gradcheck", st);
    code = 0;
    if (a.as_json)
        code = print_json(&result);
    else
        print_text(&result);
    if (code == 0 && result.failed) code = 1;
    cairn_gradcheck_free(&result);
    return code;
}
