/* Cross-validation: a training for each part of the training images, which validates while the
 * others train. A fold with a summary.json is done; others go on where their folders left off. */
#include "train/trainer.h"

#include "base/error.h"
#include "base/file.h"
#include "train/report.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct folds {
    const struct cairn_train_options *options;
    struct cairn_folder folder;
    int64_t count;
    int traced; /* a fold of this start has written the trace */
    struct cairn_train_result *results;
};

/* Mean and sample deviation of the member at `offset` of every result. */
static struct cairn_train_figure figure(const struct folds *f, size_t offset)
{
    double sum = 0, squares = 0, value;
    for (int64_t i = 0; i < f->count; i++) {
        memcpy(&value, (const char *)&f->results[i] + offset, sizeof value);
        sum += value;
    }
    double mean = sum / (double)f->count;
    for (int64_t i = 0; i < f->count; i++) {
        memcpy(&value, (const char *)&f->results[i] + offset, sizeof value);
        squares += (value - mean) * (value - mean);
    }
    return (struct cairn_train_figure){mean, sqrt(squares / (double)(f->count - 1))};
}

static void sum_up(const struct folds *f, struct cairn_train_result *all)
{
    const struct cairn_train_result *last = &f->results[f->count - 1];
    snprintf(all->run, sizeof all->run, "%s", f->folder.path);
    memcpy(all->device, last->device, sizeof all->device);
    memcpy(all->driver, last->driver, sizeof all->driver);
    all->test_images = last->test_images;
    all->folds = f->count;
    all->fold_validation_loss = figure(f, offsetof(struct cairn_train_result, validation_loss));
    all->fold_validation_accuracy =
        figure(f, offsetof(struct cairn_train_result, validation_accuracy));
    all->fold_test_loss = figure(f, offsetof(struct cairn_train_result, test_loss));
    all->fold_test_accuracy = figure(f, offsetof(struct cairn_train_result, test_accuracy));
}

static void tell_fold(const struct folds *f, int64_t fold)
{
    const struct cairn_train_result *r = &f->results[fold - 1];
    struct cairn_train_event event = {
        .kind = CAIRN_TRAIN_FOLD,
        .run = f->folder.path,
        .device = r->device,
        .fold = fold,
        .folds = f->count,
        .epoch = r->epochs,
        .step = r->steps,
        .test_images = r->test_images,
        .validation_loss = r->validation_loss,
        .validation_accuracy = r->validation_accuracy,
        .test_loss = r->test_loss,
        .test_accuracy = r->test_accuracy,
        .best_epoch = r->best_epoch,
        .best_step = r->best_step,
        .samples_per_second = r->samples_per_second,
    };
    if (f->options->event) f->options->event(f->options->context, &event);
}

/* Trains a fold, goes on with it, or reads what it gave. What a killed process left without a
 * checkpoint is replaced. */
static cairn_status run_fold(struct folds *f, int64_t fold)
{
    cairn_status st = CAIRN_OK;
    struct cairn_train_options options = *f->options;
    struct cairn_train_result *result = &f->results[fold - 1];
    char name[32];
    snprintf(name, sizeof name, "fold-%lld", (long long)fold);
    struct cairn_folder below = {.path = cairn_folder_file(&f->folder, name)};
    char *last = below.path ? cairn_folder_file(&below, "last.safetensors") : NULL;
    if (!last) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    st = cairn_report_read_summary(&below, result);
    if (st == CAIRN_NOT_FOUND) {
        options.resume = cairn_file_exists(last);
        options.force = !options.resume;
        if (f->traced) options.trace = NULL;
        f->traced = 1;
        st = cairn_train_one(&options, below.path, f->folder.path, fold, result);
        if (cairn_file_exists(last)) f->folder.written = 1;
        /* the figures as a later start would read them */
        if (st == CAIRN_OK) st = cairn_report_read_summary(&below, result);
    }
    if (st == CAIRN_OK) tell_fold(f, fold);
out:
    free(last);
    free(below.path);
    return st;
}

/* recipe.yaml comes first: it is what tells a cross-validation's folder. */
static cairn_status open_folder(struct folds *f, const char *out, const struct cairn_recipe *recipe)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_folder_check_folds(&f->folder, out, f->options->resume, f->options->force));
    if (!f->folder.fresh) return cairn_report_same_recipe(&f->folder, recipe->resolved);
    TRY(cairn_train_check(f->options, recipe, 1));
    TRY(cairn_folder_make(&f->folder));
    TRY(cairn_folder_clear(&f->folder));
    TRY(cairn_folder_write(&f->folder, "recipe.yaml", recipe->resolved));
out:
    return st;
}

cairn_status cairn_train_folds(const struct cairn_train_options *options, const char *out,
                               const struct cairn_recipe *recipe, struct cairn_train_result *result)
{
    cairn_status st = CAIRN_OK;
    struct folds f = {.options = options, .count = recipe->train.folds};
    TRY(open_folder(&f, out, recipe)); /* which holds the count to that of the images */
    f.results = calloc((size_t)f.count, sizeof *f.results);
    if (!f.results) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    for (int64_t fold = 1; fold <= f.count; fold++) TRY(run_fold(&f, fold));
    sum_up(&f, result);
    TRY(cairn_report_folds(&f.folder, recipe, f.results, result));
out:
    cairn_folder_close(&f.folder);
    free(f.results);
    return st;
}
