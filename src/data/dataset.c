#include "data/dataset.h"

#include "base/error.h"
#include "data/formats.h"
#include "data/place.h"
#include "io/idx.h"
#include "io/npz.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status cairn_dataset_read_array(const struct cairn_dataset_entry *entry, const char *path,
                                      int i, struct cairn_idx *array)
{
    int images = i == CAIRN_TRAIN_IMAGES || i == CAIRN_TEST_IMAGES;
    const char *dot = strrchr(path, '.');
    int rank = images ? 3 : 1;
    if (dot && !strcmp(dot, ".part")) /* NAME.npz.part */
        for (dot = dot - 1; dot > path && *dot != '.';) dot--;
    cairn_status st = dot && !strncmp(dot, ".npz", 4) ? cairn_npz_read(path, rank, array)
                                                      : cairn_idx_read(path, rank, array);
    if (st != CAIRN_OK) return st;
    if (images && (array->dims[1] != entry->h || array->dims[2] != entry->w))
        st = cairn_fail(CAIRN_FORMAT, "%s: its images are %lldx%lld, those of %s are %dx%d", path,
                        (long long)array->dims[1], (long long)array->dims[2], entry->name, entry->h,
                        entry->w);
    for (int64_t k = 0; k < array->dims[0] && !images && st == CAIRN_OK; k++)
        if (array->data[k] >= entry->classes)
            st = cairn_fail(CAIRN_FORMAT, "%s: the label of image %lld is %d, not 0 to %d", path,
                            (long long)k, array->data[k], entry->classes - 1);
    if (st != CAIRN_OK) cairn_idx_free(array);
    return st;
}

/* One part: the files `first` (images) and `first` + 1 (labels) of the entry. */
static cairn_status load_part(const struct cairn_dataset_entry *entry, const char *folder,
                              int first, struct cairn_images *images)
{
    cairn_status st = CAIRN_OK;
    char *image_path = NULL, *label_path = NULL;
    struct cairn_idx pixels = {0}, labels = {0};
    TRY(cairn_place_file(entry, folder, first, &image_path));
    TRY(cairn_place_file(entry, folder, first + 1, &label_path));
    TRY(cairn_dataset_read_array(entry, image_path, first, &pixels));
    TRY(cairn_dataset_read_array(entry, label_path, first + 1, &labels));
    if (pixels.dims[0] != labels.dims[0]) {
        st = cairn_fail(CAIRN_FORMAT, "%s has %lld labels for the %lld images of %s", label_path,
                        (long long)labels.dims[0], (long long)pixels.dims[0], image_path);
        goto out;
    }
    images->count = pixels.dims[0];
    images->pixels = pixels.data;
    images->labels = labels.data;
    pixels.data = labels.data = NULL;
out:
    cairn_idx_free(&pixels);
    cairn_idx_free(&labels);
    free(image_path);
    free(label_path);
    return st;
}

/* A part that another thread loads. */
struct loading {
    pthread_t thread;
    const struct cairn_dataset_entry *entry;
    const char *folder;
    struct cairn_images *images;
    cairn_status status;
    char error[512];
};

static void *run_loading(void *argument)
{
    struct loading *l = argument;
    l->status = load_part(l->entry, l->folder, CAIRN_TEST_IMAGES, l->images);
    if (l->status != CAIRN_OK) snprintf(l->error, sizeof l->error, "%s", cairn_error());
    return NULL;
}

/* Both parts side by side: most of the time goes into unpacking. */
static cairn_status load_both(const struct cairn_dataset_entry *entry, const char *folder,
                              struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    struct loading test = {.entry = entry, .folder = folder, .images = &dataset->test};
    int threaded = pthread_create(&test.thread, NULL, run_loading, &test) == 0;
    st = load_part(entry, folder, CAIRN_TRAIN_IMAGES, &dataset->train);
    if (!threaded)
        return st == CAIRN_OK ? load_part(entry, folder, CAIRN_TEST_IMAGES, &dataset->test) : st;
    pthread_join(test.thread, NULL);
    if (st == CAIRN_OK && test.status != CAIRN_OK) st = cairn_fail(test.status, "%s", test.error);
    return st;
}

static void copy_entry(const struct cairn_dataset_entry *entry, struct cairn_dataset *dataset)
{
    snprintf(dataset->name, sizeof dataset->name, "%s", entry->name);
    dataset->c = entry->c;
    dataset->h = entry->h;
    dataset->w = entry->w;
    dataset->classes = entry->classes;
}

/* The register's names, where the files have none. */
static cairn_status name_classes(const struct cairn_dataset_entry *entry,
                                 struct cairn_dataset *dataset)
{
    const char *name = entry->names;
    if (!*name || dataset->class_names) return CAIRN_OK;
    dataset->class_names = calloc((size_t)dataset->classes, sizeof *dataset->class_names);
    for (int i = 0; dataset->class_names && i < dataset->classes; i++, name += strlen(name) + 1)
        if (!(dataset->class_names[i] = strdup(name))) goto failed;
    if (dataset->class_names) return CAIRN_OK;
failed:
    return cairn_fail(CAIRN_MEMORY, "no memory for the names of the classes of %s", entry->name);
}

static cairn_status load_parts(const struct cairn_dataset_entry *entry, const char *folder,
                               unsigned parts, struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    if (entry->kind == CAIRN_DATASET_IMAGES) return cairn_folders_load(folder, parts, dataset);
    dataset->train.count = parts & CAIRN_DATASET_TRAIN ? 0 : entry->train;
    dataset->test.count = parts & CAIRN_DATASET_TEST ? 0 : entry->test;
    if (entry->kind == CAIRN_DATASET_CIFAR) return cairn_cifar_load(entry, folder, parts, dataset);
    if ((parts & CAIRN_DATASET_TRAIN) && (parts & CAIRN_DATASET_TEST))
        return load_both(entry, folder, dataset);
    if (parts & CAIRN_DATASET_TRAIN)
        TRY(load_part(entry, folder, CAIRN_TRAIN_IMAGES, &dataset->train));
    if (parts & CAIRN_DATASET_TEST)
        TRY(load_part(entry, folder, CAIRN_TEST_IMAGES, &dataset->test));
out:
    return st;
}

cairn_status cairn_dataset_load_parts(const char *name, const char *folder, uint64_t seed,
                                      unsigned parts, struct cairn_dataset *dataset)
{
    struct cairn_dataset_entry entry;
    char *where = NULL;
    memset(dataset, 0, sizeof *dataset);
    cairn_status st = cairn_register_find(name, &entry);
    if (st != CAIRN_OK) return st;
    if (entry.kind == CAIRN_DATASET_GLYPHS)
        return cairn_glyphs_generate(seed, entry.train, entry.test, dataset);

    copy_entry(&entry, dataset);
    TRY(cairn_place_find(&entry, folder, &where));
    TRY(load_parts(&entry, where, parts, dataset));
    TRY(name_classes(&entry, dataset));
out:
    free(where);
    if (st != CAIRN_OK) cairn_dataset_free(dataset);
    return st;
}

cairn_status cairn_dataset_load(const char *name, const char *folder, uint64_t seed,
                                struct cairn_dataset *dataset)
{
    return cairn_dataset_load_parts(name, folder, seed, CAIRN_DATASET_TRAIN | CAIRN_DATASET_TEST,
                                    dataset);
}

cairn_status cairn_dataset_describe(const char *name, const char *folder,
                                    struct cairn_dataset *dataset)
{
    struct cairn_dataset_entry entry;
    char *where = NULL;
    memset(dataset, 0, sizeof *dataset);
    cairn_status st = cairn_register_find(name, &entry);
    if (st != CAIRN_OK) return st;
    copy_entry(&entry, dataset);
    dataset->train.count = entry.train;
    dataset->test.count = entry.test;
    if (entry.kind != CAIRN_DATASET_IMAGES) {
        st = name_classes(&entry, dataset);
        if (st != CAIRN_OK) cairn_dataset_free(dataset);
        return st;
    }
    st = cairn_place_find(&entry, folder, &where);
    if (st == CAIRN_OK) st = cairn_folders_describe(where, dataset);
    free(where);
    if (st != CAIRN_OK) {
        cairn_dataset_free(dataset);
        cairn_fail_in(st,
                      "the shape, classes and counts of the data set %s are those of its files, "
                      "in the folder given with --data-dir or in CAIRN_DATA_DIR",
                      entry.name);
    }
    return st;
}

void cairn_dataset_free(struct cairn_dataset *dataset)
{
    for (int i = 0; dataset->class_names && i < dataset->classes; i++)
        free(dataset->class_names[i]);
    free(dataset->class_names);
    free(dataset->train.pixels);
    free(dataset->train.labels);
    free(dataset->test.pixels);
    free(dataset->test.labels);
    memset(dataset, 0, sizeof *dataset);
}

void cairn_images_limit(struct cairn_images *images, int64_t n)
{
    if (n > 0 && n < images->count) images->count = n;
}

void cairn_images_moments(const struct cairn_images *images, int64_t item, const int32_t *indices,
                          int64_t count, double *mean, double *deviation)
{
    /* How often each byte occurs: the sums are then short and in a fixed order. Counted in four
     * tables, since neighbours are often equal and would wait for each other. */
    int64_t times[256] = {0}, apart[4][256] = {{0}};
    double total = (double)(count * item), sum = 0, squares = 0;
    *mean = *deviation = 0;
    if (total < 1) return;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *image = images->pixels + (indices ? indices[i] : i) * item;
        for (int64_t j = 0; j < item; j++) apart[j & 3][image[j]]++;
    }
    for (int v = 0; v < 256; v++)
        for (int k = 0; k < 4; k++) times[v] += apart[k][v];
    for (int v = 0; v < 256; v++) sum += (double)(times[v] * v);
    *mean = sum / total;
    for (int v = 0; v < 256; v++) squares += (double)times[v] * ((v - *mean) * (v - *mean));
    *deviation = sqrt(squares / total);
}
