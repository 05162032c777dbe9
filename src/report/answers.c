#include "report/answers.h"

#include "base/error.h"
#include "base/exact.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- counting --- */

int cairn_answers_probable(const struct cairn_trained *t)
{
    const struct cairn_node *nodes = t->session.model->nodes;
    int n = t->session.model->node_count - 1;
    while (n >= 0 &&
           (nodes[n].layer.kind == CAIRN_LAYER_NONE || nodes[n].layer.kind == CAIRN_LAYER_FLATTEN ||
            nodes[n].layer.kind == CAIRN_LAYER_DROPOUT))
        n = nodes[n].input;
    return n >= 0 && nodes[n].layer.kind == CAIRN_LAYER_SOFTMAX &&
           t->recipe.train.loss != CAIRN_LOSS_CHOICE_CROSS_ENTROPY;
}

int cairn_answers_find(const float *z, int classes)
{
    int best = 0;
    for (int j = 0; j < classes; j++) {
        if (z[j] != z[j]) return -1;
        if (z[j] > z[best]) best = j;
    }
    return best;
}

static double term(const float *z, int j, int best)
{
    return j == best || z[j] == z[best] ? 1.0 : (double)cairn_exact_exp(z[j] - z[best]);
}

double cairn_answers_probability(const float *z, int classes, int best, int class)
{
    double sum = 0;
    for (int j = 0; j < classes; j++) sum += term(z, j, best);
    return term(z, class, best) / sum;
}

static int compare_mistakes(const void *a, const void *b)
{
    const struct cairn_report_mistake *x = a, *y = b;
    if (x->label != y->label) return x->label - y->label;
    if (x->probability != y->probability) return x->probability > y->probability ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static cairn_status keep(struct cairn_report_class *class,
                         const struct cairn_report_mistake *mistakes, int64_t count)
{
    class->mistakes = malloc((size_t)count * sizeof *mistakes);
    if (!class->mistakes) return cairn_fail(CAIRN_MEMORY, "out of memory");
    memcpy(class->mistakes, mistakes, (size_t)count * sizeof *mistakes);
    class->count = count;
    return CAIRN_OK;
}

/* Finds the mistakes of all images, sorts them, and keeps the first `most` of each class. */
static cairn_status pick(const struct cairn_trained *t, const float *logits, int64_t most,
                         struct cairn_report_mistake *all, struct cairn_report *report)
{
    cairn_status st = CAIRN_OK;
    int classes = report->eval.classes, probable = cairn_answers_probable(t);
    int64_t count = 0;
    for (int64_t i = 0; i < report->eval.images; i++) {
        const float *z = &logits[i * classes];
        int label = t->session.test_labels[i], answer = cairn_answers_find(z, classes);
        if (answer < 0 || answer == label) continue;
        all[count++] = (struct cairn_report_mistake){
            .index = t->rows ? t->rows[i] : i,
            .label = label,
            .answer = answer,
            .probability = probable ? (double)z[answer]
                                    : cairn_answers_probability(z, classes, answer, answer)};
    }
    qsort(all, (size_t)count, sizeof *all, compare_mistakes);
    for (int64_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && all[end].label == all[i].label;) end++;
        TRY(keep(&report->classes[all[i].label], &all[i], end - i < most ? end - i : most));
    }
out:
    return st;
}

static cairn_status pick_mistakes(const struct cairn_trained *t, int64_t most,
                                  struct cairn_report *report)
{
    cairn_status st = CAIRN_OK;
    size_t images = (size_t)report->eval.images, classes = (size_t)report->eval.classes;
    size_t bytes = images * classes * sizeof(float);
    float *logits = malloc(bytes);
    struct cairn_report_mistake *all = malloc(images * sizeof *all);
    if (!logits || !all) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(cairn_buffer_read(t->session.memory.buffers[CAIRN_REGION_LOGITS], 0, logits, bytes));
    TRY(pick(t, logits, most, all, report));
out:
    free(logits);
    free(all);
    return st;
}

cairn_status cairn_answers_count(const struct cairn_trained *t, int64_t mistakes,
                                 struct cairn_report *report)
{
    int classes = report->eval.classes;
    const int64_t *confusion = report->eval.confusion;
    report->classes = calloc((size_t)classes, sizeof *report->classes);
    if (!report->classes) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (int64_t i = 0; i < report->eval.images; i++)
        report->classes[t->session.test_labels[i]].images++;
    for (int c = 0; c < classes; c++) {
        struct cairn_report_class *class = &report->classes[c];
        class->wrong = class->images - confusion[c * classes + c];
        class->unanswered = class->images;
        for (int j = 0; j < classes; j++) class->unanswered -= confusion[c * classes + j];
        if (!t->data.class_names) continue;
        class->name = strdup(t->data.class_names[c]);
        if (!class->name) return cairn_fail(CAIRN_MEMORY, "out of memory");
    }
    return mistakes > 0 ? pick_mistakes(t, mistakes, report) : CAIRN_OK;
}

/* --- text files --- */

char *cairn_answers_strip_name(int class, const char *name)
{
    size_t room = (name ? strlen(name) : 0) + 32;
    char *text = malloc(room);
    if (!text) return NULL;
    snprintf(text, room, "class-%d%s%.64s.png", class, name ? "-" : "", name ? name : "");
    for (char *p = text; name && p < text + strlen(text) - 4; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *p))
            *p = '_';
    return text;
}

/* A field of RFC 4180. */
static void put_field(FILE *file, const char *text)
{
    if (!text) return;
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void put_class(FILE *file, const struct cairn_report *report, int class)
{
    char number[16];
    const char *name = report->classes[class].name;
    snprintf(number, sizeof number, "%d", class);
    put_field(file, name ? name : number);
}

cairn_status cairn_answers_write_confusion(const char *path, const struct cairn_report *report)
{
    struct cairn_file_writer writer;
    int classes = report->eval.classes;
    cairn_status st = cairn_file_open(&writer, path);
    if (st != CAIRN_OK) return st;
    fputs("label", writer.file);
    for (int j = 0; j < classes; j++) {
        fputc(',', writer.file);
        put_class(writer.file, report, j);
    }
    fputc('\n', writer.file);
    for (int i = 0; i < classes; i++) {
        put_class(writer.file, report, i);
        for (int j = 0; j < classes; j++)
            fprintf(writer.file, ",%lld", (long long)report->eval.confusion[i * classes + j]);
        fputc('\n', writer.file);
    }
    return cairn_file_close(&writer, 1);
}

static void put_mistake(FILE *file, const struct cairn_report *report, int64_t rank,
                        const struct cairn_report_mistake *mistake)
{
    fprintf(file, "%lld,%lld,%d,", (long long)rank, (long long)mistake->index, mistake->answer);
    put_field(file, report->classes[mistake->answer].name);
    fprintf(file, ",%.9g\n", mistake->probability);
}

/* A row for each mistake; for a class without any, a row that ends in empty fields. */
cairn_status cairn_answers_write_mistakes(const char *path, const struct cairn_report *report)
{
    struct cairn_file_writer writer;
    cairn_status st = cairn_file_open(&writer, path);
    if (st != CAIRN_OK) return st;
    fputs("label,name,images,wrong,rank,index,answer,answer_name,probability\n", writer.file);
    locale_t before = cairn_text_begin_plain();
    for (int c = 0; c < report->eval.classes; c++) {
        const struct cairn_report_class *class = &report->classes[c];
        for (int64_t i = 0; i < class->count || i == 0; i++) {
            fprintf(writer.file, "%d,", c);
            put_field(writer.file, class->name);
            fprintf(writer.file, ",%lld,%lld,", (long long)class->images, (long long)class->wrong);
            if (class->count > 0)
                put_mistake(writer.file, report, i + 1, &class->mistakes[i]);
            else
                fputs(",,,,\n", writer.file);
        }
    }
    cairn_text_end_plain(before);
    return cairn_file_close(&writer, 1);
}
