/* cairn eval: a run's weights on the images of a part: loss, accuracy, confusion matrix, mistakes.
 */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

static const char *part_name(enum cairn_report_part part)
{
    return part == CAIRN_REPORT_VALIDATION ? "validation"
           : part == CAIRN_REPORT_TRAIN    ? "train"
                                           : "test";
}

static json_t *name_json(const char *name)
{
    return name ? tool_json_text(name) : json_null();
}

static json_t *mistakes_json(const struct cairn_report *report)
{
    json_t *rows = json_array();
    for (int c = 0; c < report->eval.classes; c++) {
        const struct cairn_report_class *class = &report->classes[c];
        json_t *mistakes = json_array();
        for (int64_t i = 0; i < class->count; i++) {
            const struct cairn_report_mistake *m = &class->mistakes[i];
            json_array_append_new(mistakes,
                                  json_pack("{s:I s:i s:i s:o}", "index", (json_int_t)m->index,
                                            "label", m->label, "answer", m->answer, "probability",
                                            tool_json_number(m->probability)));
        }
        json_array_append_new(
            rows,
            json_pack("{s:i s:o s:I s:I s:I s:o}", "class", c, "name", name_json(class->name),
                      "images", (json_int_t) class->images, "wrong", (json_int_t) class->wrong,
                      "unanswered", (json_int_t) class->unanswered, "mistakes", mistakes));
    }
    return rows;
}

static json_t *files_json(const struct cairn_report *report)
{
    json_t *files = json_array();
    for (int i = 0; i < report->file_count; i++)
        json_array_append_new(files, tool_json_text(report->files[i]));
    return files;
}

static int print_json(const struct cairn_report *report, const struct cairn_report_options *options)
{
    const struct cairn_eval_result *r = &report->eval;
    char loss[32], accuracy[32];
    json_t *rows = json_array();
    for (int i = 0; i < r->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < r->classes; j++)
            json_array_append_new(row, json_integer(r->confusion[i * r->classes + j]));
        json_array_append_new(rows, row);
    }
    snprintf(loss, sizeof loss, "%s_loss", part_name(options->part));
    snprintf(accuracy, sizeof accuracy, "%s_accuracy", part_name(options->part));
    json_t *object =
        json_pack("{s:o s:s s:o s:o s:I s:I s:I s:s s:o s:o}", "run", tool_json_text(options->run),
                  "data", r->data, loss, tool_json_number(r->loss), accuracy,
                  tool_json_number(r->accuracy), "images", (json_int_t)r->images, "correct",
                  (json_int_t)r->correct, "epoch", (json_int_t)r->epoch, "weights_sha256",
                  r->weights_sha256, "device", tool_json_text(r->device), "confusion", rows);
    if (options->mistakes > 0) json_object_set_new(object, "classes", mistakes_json(report));
    if (options->out) json_object_set_new(object, "files", files_json(report));
    return tool_json_print("eval", object);
}

/* --- text --- */

/* A name from a folder of images may hold anything. */
static void print_name(const char *name)
{
    for (; name && *name; name++) putchar((unsigned char)*name < ' ' ? '?' : *name);
}

static void print_confusion(const struct cairn_eval_result *r)
{
    printf("confusion matrix: a row for each label, a column for each answer\n     ");
    for (int j = 0; j < r->classes; j++) printf("%6d", j);
    for (int i = 0; i < r->classes; i++) {
        printf("\n%4d ", i);
        for (int j = 0; j < r->classes; j++)
            printf("%6lld", (long long)r->confusion[i * r->classes + j]);
    }
    putchar('\n');
}

static void print_classes(const struct cairn_report *report)
{
    int names = 0;
    for (int c = 0; c < report->eval.classes; c++) names |= report->classes[c].name != NULL;
    printf("\nmistakes by class\n%5s %9s %9s %10s%s\n", "class", "images", "wrong", "share",
           names ? "  name" : "");
    for (int c = 0; c < report->eval.classes; c++) {
        const struct cairn_report_class *class = &report->classes[c];
        double share = class->images ? 100.0 * (double)class->wrong / (double)class->images : 0;
        printf("%5d %9lld %9lld %8.2f %%%s", c, (long long)class->images, (long long)class->wrong,
               share, names ? "  " : "");
        print_name(class->name);
        if (class->unanswered) printf("  (%lld without an answer)", (long long)class->unanswered);
        putchar('\n');
    }
}

static void print_mistakes(const struct cairn_report *report)
{
    printf("\nthe wrong answers given with the highest confidence\n%5s %9s %7s %13s\n", "class",
           "image", "answer", "probability");
    for (int c = 0; c < report->eval.classes; c++)
        for (int64_t i = 0; i < report->classes[c].count; i++) {
            const struct cairn_report_mistake *m = &report->classes[c].mistakes[i];
            printf("%5d %9lld %7d %11.2f %%\n", m->label, (long long)m->index, m->answer,
                   100 * m->probability);
        }
}

static void print_text(const struct cairn_report *report,
                       const struct cairn_report_options *options)
{
    const struct cairn_eval_result *r = &report->eval;
    const char *part = part_name(options->part);
    int width = options->part == CAIRN_REPORT_VALIDATION ? 21 : 16;
    printf("%s accuracy%*s%.2f %% (%lld of %lld images of %s)\n", part,
           width - 9 - (int)strlen(part), "", 100 * r->accuracy, (long long)r->correct,
           (long long)r->images, r->data);
    printf("%s loss%*s%.4f\n", part, width - 5 - (int)strlen(part), "", tool_real(r->loss));
    printf("%-*s%s (epoch %lld)\n", width, "weights_sha256", r->weights_sha256,
           (long long)r->epoch);
    printf("%-*s%s\n\n", width, "device", r->device);
    print_confusion(r);
    if (options->mistakes > 0) print_classes(report);
    if (options->mistakes > 0 && !options->out) print_mistakes(report);
    for (int i = 0; i < report->file_count; i++)
        printf("%s%s\n", i == 0 ? "\nwritten\n  " : "  ", report->files[i]);
}

static int read_part(const char *word, enum cairn_report_part *part)
{
    static const enum cairn_report_part parts[] = {CAIRN_REPORT_TEST, CAIRN_REPORT_VALIDATION,
                                                   CAIRN_REPORT_TRAIN};
    for (int i = 0; i < 3; i++)
        if (!word || !strcmp(word, part_name(parts[i]))) {
            *part = parts[i];
            return -1;
        }
    return tool_misuse("eval", "--part: '%s' is none of test, validation, train", word);
}

int cmd_eval(int argc, char **argv)
{
    struct cairn_report_options options = {0};
    struct cairn_report report;
    struct compute_options compute = {0};
    const char *part = NULL;
    int best = 0, as_json = 0, count;
    const struct option_row rows[] = {
        COMPUTE_ROWS(&compute),
        COMPUTE_DATA_ROW(&compute),
        COMPUTE_BEST_ROW(&best),
        COMPUTE_LAST_ROW(&options.last),
        {"part", OPTION_TEXT, &part, "test|validation|train", "which images (test)", 0, 0, NULL},
        {"mistakes", OPTION_INT, &options.mistakes, "K",
         "mistakes by class, and of each the K most confident", 1, CAIRN_REPORT_MOST, NULL},
        {"confusion", OPTION_FLAG, &options.confusion, NULL,
         "the confusion matrix among the files of --out", 0, 0, NULL},
        {"out", OPTION_TEXT, &options.out, "DIR",
         "write tables (CSV) and pictures (PNG) of these to a folder", 0, 0, NULL},
        {"force", OPTION_FLAG, &options.force, NULL, "replace files in it", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "eval",
        "RUN [OPTION]...",
        "Tests the weights in the folder RUN that `cairn train` made: loss, accuracy and confusion "
        "matrix.\nWith --out: confusion.csv and confusion.png, mistakes.csv, and a strip of "
        "pictures class-N.png for\neach class with mistakes.",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1 && best && options.last)
        code = tool_misuse("eval", "--best and --last exclude each other");
    if (code == -1 && options.out && !options.confusion && !options.mistakes)
        code = tool_misuse("eval", "--out: say what to write: --confusion, --mistakes K or both");
    if (code == -1 && options.force && !options.out)
        code = tool_misuse("eval", "--force belongs to --out DIR");
    if (code == -1) code = read_part(part, &options.part);
    if (code == -1) code = compute_read("eval", &compute, &options.compute);
    if (code != -1) return code;
    options.run = argv[1];
    cairn_status st = cairn_report_evaluate(&options, &report);
    code = 0;
    if (st != CAIRN_OK)
        code = tool_fail("eval", st);
    else if (as_json)
        code = print_json(&report, &options);
    else
        print_text(&report, &options);
    cairn_report_free(&report);
    return code;
}
