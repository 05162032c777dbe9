#include "data/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "io/idx.h"
#include "io/npz.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the files of an entry are: FOLDER/NAME if that is there, else FOLDER itself. From malloc.
 */
static cairn_status find_folder(const struct cairn_dataset_entry *entry, const char *folder,
                                char **found)
{
    char *base = NULL, *below = NULL;
    const char *given = folder ? folder : getenv("CAIRN_DATA_DIR");
    *found = NULL;
    base = given && *given ? strdup(given) : cairn_file_data_dir();
    if (!base)
        return cairn_fail(CAIRN_NOT_FOUND,
                          "no folder for the data set %s is known: give it with --data-dir or in "
                          "CAIRN_DATA_DIR",
                          entry->name);
    below = cairn_file_join(base, entry->name);
    if (!below) {
        free(base);
        return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    }
    int use_below = cairn_file_exists(below);
    *found = use_below ? below : base;
    free(use_below ? base : below);
    return CAIRN_OK;
}

/* The path of file i, that is published as NAME.gz: packed, plain, or in its NPZ form. From malloc.
 */
static cairn_status find_file(const struct cairn_dataset_entry *entry, const char *folder, int i,
                              char **found)
{
    char plain[64];
    const char *name = entry->files[i].name, *npz = entry->npz[i].name;
    snprintf(plain, sizeof plain, "%s", name);
    char *dot = strrchr(plain, '.');
    if (dot && !strcmp(dot, ".gz")) *dot = '\0';
    const char *names[3] = {name, plain, npz};
    for (int k = 0; k < 3 && *names[k]; k++) {
        char *path = cairn_file_join(folder, names[k]);
        if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
        if (cairn_file_exists(path)) {
            *found = path;
            return CAIRN_OK;
        }
        free(path);
    }
    return cairn_fail(CAIRN_NOT_FOUND,
                      "data set %s: neither %s nor %s%s%s is in %s; fetch the files from %s, or "
                      "give their folder with --data-dir or in CAIRN_DATA_DIR",
                      entry->name, name, plain, *npz ? " nor " : "", npz, folder, entry->home);
}

static cairn_status read_array(const char *path, int rank, struct cairn_idx *array)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcmp(dot, ".npz") ? cairn_npz_read(path, rank, array)
                                       : cairn_idx_read(path, rank, array);
}

static cairn_status check_labels(const char *path, const struct cairn_idx *labels, int classes)
{
    for (int64_t i = 0; i < labels->dims[0]; i++)
        if (labels->data[i] >= classes)
            return cairn_fail(CAIRN_FORMAT, "%s: the label of image %lld is %d, not 0 to %d", path,
                              (long long)i, labels->data[i], classes - 1);
    return CAIRN_OK;
}

/* One part: the files `first` (images) and `first` + 1 (labels) of the entry. */
static cairn_status load_part(const struct cairn_dataset_entry *entry, const char *folder,
                              int first, struct cairn_images *images)
{
    cairn_status st = CAIRN_OK;
    char *image_path = NULL, *label_path = NULL;
    struct cairn_idx pixels = {0}, labels = {0};
    TRY(find_file(entry, folder, first, &image_path));
    TRY(find_file(entry, folder, first + 1, &label_path));
    TRY(read_array(image_path, 3, &pixels));
    TRY(read_array(label_path, 1, &labels));
    if (pixels.dims[1] != entry->h || pixels.dims[2] != entry->w) {
        st = cairn_fail(CAIRN_FORMAT, "%s: its images are %lldx%lld, those of %s are %dx%d",
                        image_path, (long long)pixels.dims[1], (long long)pixels.dims[2],
                        entry->name, entry->h, entry->w);
        goto out;
    }
    if (pixels.dims[0] != labels.dims[0]) {
        st = cairn_fail(CAIRN_FORMAT, "%s has %lld labels for the %lld images of %s", label_path,
                        (long long)labels.dims[0], (long long)pixels.dims[0], image_path);
        goto out;
    }
    TRY(check_labels(label_path, &labels, entry->classes));
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

static void copy_entry(const struct cairn_dataset_entry *entry, struct cairn_dataset *dataset)
{
    snprintf(dataset->name, sizeof dataset->name, "%s", entry->name);
    dataset->c = entry->c;
    dataset->h = entry->h;
    dataset->w = entry->w;
    dataset->classes = entry->classes;
}

cairn_status cairn_dataset_load(const char *name, const char *folder, uint64_t seed,
                                struct cairn_dataset *dataset)
{
    struct cairn_dataset_entry entry;
    char *where = NULL;
    memset(dataset, 0, sizeof *dataset);
    cairn_status st = cairn_register_find(name, &entry);
    if (st != CAIRN_OK) return st;
    if (entry.kind == CAIRN_DATASET_GLYPHS)
        return cairn_glyphs_generate(seed, entry.train, entry.test, dataset);

    copy_entry(&entry, dataset);
    TRY(find_folder(&entry, folder, &where));
    switch (entry.kind) {
    case CAIRN_DATASET_IDX:
        TRY(load_part(&entry, where, CAIRN_TRAIN_IMAGES, &dataset->train));
        TRY(load_part(&entry, where, CAIRN_TEST_IMAGES, &dataset->test));
        break;
    case CAIRN_DATASET_CIFAR:
        TRY(cairn_cifar_load(&entry, where, dataset));
        break;
    case CAIRN_DATASET_IMAGES:
        TRY(cairn_folders_load(where, dataset));
        break;
    case CAIRN_DATASET_GLYPHS: /* drawn above */
        break;
    }
out:
    free(where);
    if (st != CAIRN_OK) cairn_dataset_free(dataset);
    return st;
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
    if (entry.kind != CAIRN_DATASET_IMAGES) return CAIRN_OK;
    st = find_folder(&entry, folder, &where);
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
    int64_t times[256] = {
        0}; /* how often each byte occurs: the sums are then short and in a fixed order */
    double total = (double)(count * item), sum = 0, squares = 0;
    *mean = *deviation = 0;
    if (total < 1) return;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *image = images->pixels + (indices ? indices[i] : i) * item;
        for (int64_t j = 0; j < item; j++) times[image[j]]++;
    }
    for (int v = 0; v < 256; v++) sum += (double)(times[v] * v);
    *mean = sum / total;
    for (int v = 0; v < 256; v++) squares += (double)times[v] * ((v - *mean) * (v - *mean));
    *deviation = sqrt(squares / total);
}
