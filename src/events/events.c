#include "events/events.h"

#include "base/error.h"
#include "base/file.h"
#include "events/summaries.h"
#include "report/canvas.h"
#include "report/place.h"
#include "report/raw.h"
#include "report/weights.h"
#include "train/report.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES 16 /* drawn of those to train on, eight in a row */
#define COLUMNS 8
#define IMAGE_SIDE 64         /* pixels of each, about */
#define WEIGHTS 100           /* pictures of weights, about */
#define WEIGHT_NUMBERS 262144 /* a matrix of more is not drawn */

struct cairn_events {
    char *folder, *made; /* made: the topmost folder that was made for it; NULL: none */
    const struct cairn_session *session;
    const struct cairn_compute *compute;
    struct cairn_shape raw; /* of the data set's images */
    struct cairn_png images;
    struct cairn_records records;
    char *name;   /* the file's, kept when it is closed */
    int layer;    /* whose weights are drawn; -1: none */
    int replaces; /* there are files of a run that is replaced */
    int told;     /* the failure was */
    char failure[512];
};

/* --- before the training --- */

/* Where a folder is missing, that which it would be made in. */
static cairn_status check_parent(const char *folder)
{
    cairn_status st = CAIRN_OK;
    char *parent = strdup(folder);
    if (!parent) return cairn_fail(CAIRN_MEMORY, "out of memory");
    while (st == CAIRN_OK && access(parent, W_OK | X_OK) != 0) {
        char *slash = strrchr(parent, '/');
        if (errno != ENOENT || !strcmp(parent, "."))
            st = cairn_fail_errno(CAIRN_IO, "--tensorboard: %s cannot be made in %s", folder,
                                  parent);
        else if (slash)
            slash[slash == parent] = '\0';
        else
            strcpy(parent, ".");
    }
    free(parent);
    return st;
}

static cairn_status check_folder(const char *folder, int taken)
{
    struct stat info;
    int64_t count, latest;
    if (stat(folder, &info)) {
        if (errno == ENOENT) return check_parent(folder);
        return cairn_fail_errno(errno == ENOTDIR ? CAIRN_EXISTS : CAIRN_IO, "--tensorboard: %s",
                                folder);
    }
    if (!S_ISDIR(info.st_mode))
        return cairn_fail(CAIRN_EXISTS, "--tensorboard: %s is not a folder", folder);
    if (access(folder, W_OK | X_OK))
        return cairn_fail_errno(CAIRN_IO, "--tensorboard: cannot write to the folder %s", folder);
    cairn_status st = cairn_records_look(folder, &count, &latest);
    if (st == CAIRN_OK && count > 0 && !taken)
        st = cairn_fail(CAIRN_EXISTS,
                        "--tensorboard: %s holds the events of another training: choose another "
                        "folder, or replace them with the run (--force)",
                        folder);
    return st;
}

/* FOLDER/fold-N, or FOLDER; from malloc. */
static char *place_of(const char *folder, int64_t fold)
{
    char name[32];
    snprintf(name, sizeof name, "fold-%lld", (long long)fold);
    return fold ? cairn_file_join(folder, name) : strdup(folder);
}

cairn_status cairn_events_check(const char *folder, int64_t folds, int resume, int force)
{
    cairn_status st = CAIRN_OK;
    if (!*folder) return cairn_fail(CAIRN_INVALID, "--tensorboard: the folder has an empty name");
    TRY(check_folder(folder, resume || force));
    for (int64_t fold = 1; fold <= folds && cairn_file_exists(folder); fold++) {
        char *place = place_of(folder, fold);
        if (!place) return cairn_fail(CAIRN_MEMORY, "out of memory");
        st = check_folder(place, resume || force);
        free(place);
        if (st != CAIRN_OK) break;
    }
out:
    return st;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first images of the training's file, as the data set has them. */
static cairn_status draw_images(struct cairn_events *e, const struct cairn_dataset *data)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_recipe *recipe = e->session->recipe;
    struct cairn_shape raw = e->raw;
    int64_t count = least(IMAGES, data->train.count), side = raw.h > raw.w ? raw.h : raw.w,
            scale = side < IMAGE_SIDE ? IMAGE_SIDE / side : 1, columns = least(COLUMNS, count),
            rows = (count + columns - 1) / columns, high = raw.h * scale + 1,
            wide = raw.w * scale + 1;
    uint8_t *image = malloc((size_t)cairn_shape_count(raw));
    if (!image) return cairn_fail(CAIRN_MEMORY, "out of memory");
    TRY(cairn_canvas_create(&e->images, (int)raw.c, rows * high + 1, columns * wide + 1, 255,
                            "the picture of images"));
    for (int64_t i = 0; i < count; i++) {
        const size_t size = (size_t)data->c * (size_t)data->h * (size_t)data->w;
        cairn_raw_image(recipe, raw, data->train.pixels + (size_t)i * size, image);
        cairn_canvas_image(&e->images, 1 + i / columns * high, 1 + i % columns * wide, scale, raw.c,
                           raw.h, raw.w, image);
    }
out:
    free(image);
    return st;
}

cairn_status cairn_events_create(const char *folder, int64_t fold,
                                 const struct cairn_session *session,
                                 const struct cairn_compute *compute,
                                 const struct cairn_dataset *data, struct cairn_events **events)
{
    cairn_status st = CAIRN_OK;
    struct cairn_dataset own = {0};
    struct cairn_events *e = *events = calloc(1, sizeof *e);
    if (!e) return cairn_fail(CAIRN_MEMORY, "out of memory");
    e->session = session;
    e->compute = compute;
    e->folder = place_of(folder, fold);
    if (!e->folder) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    e->layer = -1;
    for (int i = session->model->node_count - 1; i >= 0; i--)
        if (cairn_weights_drawn(session->model, i)) e->layer = i;
    TRY(cairn_dataset_describe(session->recipe->data.name, compute->data_dir, &own));
    e->raw = (struct cairn_shape){own.c, own.h, own.w};
    TRY(draw_images(e, data));
out:
    cairn_dataset_free(&own);
    return st;
}

/* --- records --- */

static cairn_status add_weights(struct cairn_events *e, int64_t step, const float *flat)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_model *model = e->session->model;
    struct cairn_tiles tiles = {0};
    struct cairn_png canvas = {0};
    struct cairn_inspect_result unused = {.layer = e->layer};
    char layer[48], tag[64];
    if (e->layer < 0) return CAIRN_OK;
    cairn_events_layer(model, e->layer, layer);
    snprintf(tag, sizeof tag, "weights/%s", layer);
    TRY(cairn_weights_tiles(e->session->recipe, model, e->raw, flat, e->layer, &tiles));
    if (tiles.c * tiles.h * tiles.w > WEIGHT_NUMBERS) goto out;
    tiles.rows = least(tiles.rows, (WEIGHTS + tiles.columns - 1) / tiles.columns);
    tiles.count = least(tiles.count, tiles.rows * tiles.columns);
    TRY(cairn_tiles_picture(&tiles, 1, tag, &canvas, &unused));
    TRY(cairn_events_image(&e->records, step, tag, &canvas));
out:
    cairn_png_free(&canvas);
    cairn_tiles_free(&tiles);
    return st;
}

static cairn_status add_parameters(struct cairn_events *e, int64_t step, const float *flat)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_model *model = e->session->model;
    for (int i = 0; i < model->param_count; i++) {
        const struct cairn_param *p = &model->params[i];
        char layer[48], tag[96];
        cairn_events_layer(model, p->layer, layer);
        snprintf(tag, sizeof tag, "%s/%s", layer, strchr(p->name, '.') + 1);
        TRY(cairn_events_histogram(&e->records, step, tag, flat + p->offset, p->count));
    }
    TRY(add_weights(e, step, flat));
out:
    return st;
}

static cairn_status add_figures(struct cairn_events *e, const struct cairn_train_event *event)
{
    const struct {
        const char *tag;
        double value;
        int given;
    } rows[] = {
        {"loss/train", event->train_loss, 1},
        {"accuracy/train", event->train_accuracy, 1},
        {"loss/validation", event->validation_loss, event->validation_images > 0},
        {"accuracy/validation", event->validation_accuracy, event->validation_images > 0},
        {"loss/test", event->test_loss, e->session->recipe->train.test_curve},
        {"accuracy/test", event->test_accuracy, e->session->recipe->train.test_curve},
        {"learning_rate", (double)event->learning_rate, 1},
        {"images_per_second", event->samples_per_second, !isnan(event->samples_per_second)},
    };
    cairn_status st = CAIRN_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given)
            TRY(cairn_events_scalar(&e->records, event->step, rows[i].tag, rows[i].value));
out:
    return st;
}

/* --- the training --- */

/* What a training without events of its own before begins with. */
static cairn_status add_beginning(struct cairn_events *e)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_events_graph(&e->records, e->session));
    TRY(cairn_events_settings(&e->records, e->session, cairn_report_math(e->compute->math)));
    TRY(cairn_events_image(&e->records, 0, "images/train", &e->images));
out:
    return st;
}

cairn_status cairn_events_begin(struct cairn_events *e, int resume, int64_t step, const float *flat)
{
    cairn_status st = CAIRN_OK;
    int64_t count, latest;
    TRY(cairn_records_look(e->folder, &count, &latest));
    e->made = cairn_file_topmost_missing(e->folder);
    TRY(cairn_place_make(e->folder));
    TRY(cairn_records_open(&e->records, e->folder, latest));
    e->name = strdup(e->records.path);
    if (!e->name) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(cairn_events_version(&e->records));
    e->replaces = !resume && count > 0;
    if (count > 0) TRY(cairn_events_purge(&e->records, resume ? step + 1 : 0));
    if (!resume || count == 0) TRY(add_beginning(e));
    if (!resume) TRY(add_parameters(e, 0, flat));
    TRY(cairn_records_flush(&e->records));
out:
    if (st != CAIRN_OK && e->records.path) unlink(e->records.path);
    cairn_png_free(&e->images);
    return st;
}

/* The training goes on without. */
static void give_up(struct cairn_events *e)
{
    snprintf(e->failure, sizeof e->failure, "%s", cairn_error());
    (void)cairn_records_close(&e->records);
}

void cairn_events_tell(struct cairn_events *e)
{
    char text[sizeof e->failure + 128];
    if (!e || !*e->failure || e->told) return;
    e->told = 1;
    snprintf(text, sizeof text, "%s; the training goes on without more events for TensorBoard",
             e->failure);
    if (e->compute->note) e->compute->note(text);
}

/* Removes the files of a run that was replaced: all but the own one. */
static cairn_status replace(struct cairn_events *e)
{
    size_t n = strlen(CAIRN_RECORDS_PREFIX);
    const char *own = strrchr(e->name, '/') + 1;
    DIR *dir = e->replaces ? opendir(e->folder) : NULL;
    cairn_status st = CAIRN_OK;
    if (e->replaces && !dir) return cairn_fail_errno(CAIRN_IO, "%s: reading the folder", e->folder);
    e->replaces = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (!strncmp(entry->d_name, CAIRN_RECORDS_PREFIX, n) && strcmp(entry->d_name, own) != 0 &&
            unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT)
            st = cairn_fail_errno(CAIRN_IO, "%s/%s: removing the old file", e->folder,
                                  entry->d_name);
    if (dir) closedir(dir);
    return st;
}

void cairn_events_evaluated(struct cairn_events *e, const struct cairn_train_event *event,
                            const float *flat)
{
    cairn_status st = CAIRN_OK;
    if (!e || !e->records.file) return;
    TRY(add_figures(e, event));
    TRY(add_parameters(e, event->step, flat));
    TRY(cairn_records_flush(&e->records));
    TRY(replace(e));
out:
    if (st != CAIRN_OK) give_up(e);
}

void cairn_events_finished(struct cairn_events *e, const struct cairn_train_result *result)
{
    const double values[] = {result->test_accuracy, result->test_loss, result->validation_accuracy,
                             result->validation_loss};
    cairn_status st = CAIRN_OK;
    if (!e || !e->records.file) return;
    for (int i = 0; i < (e->session->counts[CAIRN_PART_VALIDATION] > 0 ? 4 : 2); i++)
        TRY(cairn_events_scalar(&e->records, result->steps, cairn_events_final_tags[i], values[i]));
    TRY(cairn_events_success(&e->records, result->steps));
    TRY(cairn_records_flush(&e->records));
    TRY(replace(e));
    TRY(cairn_records_close(&e->records));
out:
    if (st != CAIRN_OK) give_up(e);
    cairn_events_tell(e);
}

const char *cairn_events_file(const struct cairn_events *e)
{
    return e->name;
}

const char *cairn_events_failure(const struct cairn_events *e)
{
    return e->failure;
}

void cairn_events_close(struct cairn_events *e, int keep)
{
    char why[1024]; /* a failure's, which none of closing must hide */
    if (!e) return;
    snprintf(why, sizeof why, "%s", cairn_error());
    if (e->records.file && keep) (void)replace(e);
    if (e->records.file) (void)cairn_records_close(&e->records);
    if (!keep && e->name) unlink(e->name);
    if (!keep && e->made) cairn_file_rmdirs(e->folder, e->made);
    (void)cairn_fail(CAIRN_IO, "%s", why);
    cairn_png_free(&e->images);
    free(e->name);
    free(e->made);
    free(e->folder);
    free(e);
}
