#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES "batches.meta.txt"

/* FOLDER/NAME or FOLDER/cifar-10-batches-bin/NAME. From malloc. */
static cairn_status find_batch(const struct cairn_dataset_entry *entry, const char *folder,
                               const char *name, char **found)
{
    char below[64];
    const char *names[2] = {name, below};
    snprintf(below, sizeof below, CAIRN_CIFAR_FOLDER "/%s", name);
    for (int i = 0; i < 2; i++) {
        char *path = cairn_file_join(folder, names[i]);
        if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
        if (cairn_file_exists(path)) {
            *found = path;
            return CAIRN_OK;
        }
        free(path);
    }
    return cairn_fail(CAIRN_NOT_FOUND,
                      "data set %s: neither %s nor %s is in %s; `cairn data fetch %s` fetches it, "
                      "--data-dir or CAIRN_DATA_DIR tells where it is",
                      entry->name, name, below, folder, entry->name);
}

/* Puts the records of a file's bytes behind the images that are there. */
static cairn_status append(const struct cairn_dataset_entry *entry, const char *path,
                           const uint8_t *bytes, size_t size, struct cairn_images *images)
{
    size_t item = (size_t)entry->c * (size_t)entry->h * (size_t)entry->w, record = item + 1;
    size_t count = size / record, before = (size_t)images->count;
    if (count == 0 || size % record != 0)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: cut off or another kind of file: %llu bytes are no whole number of "
                          "records of %llu (%s)",
                          path, (unsigned long long)size, (unsigned long long)record,
                          count ? "some bytes are left over" : "there is none");
    uint8_t *pixels = realloc(images->pixels, (before + count) * item);
    if (pixels) images->pixels = pixels;
    uint8_t *labels = realloc(images->labels, before + count);
    if (labels) images->labels = labels;
    if (!pixels || !labels) return cairn_fail(CAIRN_MEMORY, "no memory for the images of %s", path);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = bytes + i * record;
        if (*from >= entry->classes)
            return cairn_fail(CAIRN_FORMAT, "%s: the label of image %llu is %d, not 0 to %d", path,
                              (unsigned long long)i, *from, entry->classes - 1);
        labels[before + i] = *from;
        memcpy(pixels + (before + i) * item, from + 1, item);
    }
    images->count += (int64_t)count;
    return CAIRN_OK;
}

static cairn_status load_batch(const struct cairn_dataset_entry *entry, const char *folder,
                               const char *name, struct cairn_images *images)
{
    cairn_status st = CAIRN_OK;
    char *path = NULL, *bytes = NULL;
    size_t size;
    TRY(find_batch(entry, folder, name, &path));
    TRY(cairn_file_read(path, &bytes, &size));
    TRY(append(entry, path, (const uint8_t *)bytes, size, images));
out:
    free(bytes);
    free(path);
    return st;
}

/* The next line of a text, without its end; NULL behind the last. */
static char *next_line(char **text)
{
    char *line = *text, *end = line + strcspn(line, "\r\n");
    if (!*line) return NULL;
    *text = end + strspn(end, "\r\n"); /* blank lines are none */
    *end = '\0';
    return line;
}

static cairn_status read_names(const char *path, struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    char *text = NULL;
    size_t size;
    int count = 0;
    TRY(cairn_file_read_text(path, "list of names", &text, &size));
    dataset->class_names = calloc((size_t)dataset->classes, sizeof *dataset->class_names);
    if (!dataset->class_names) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the names of %s", path);
        goto out;
    }
    char *at = text + strspn(text, "\r\n");
    for (char *line; (line = next_line(&at)); count++)
        if (count < dataset->classes && !(dataset->class_names[count] = strdup(line))) {
            st = cairn_fail(CAIRN_MEMORY, "no memory for the names of %s", path);
            goto out;
        }
    if (count != dataset->classes)
        st = cairn_fail(CAIRN_FORMAT, "%s: %d names of classes, where %d are expected, a line each",
                        path, count, dataset->classes);
out:
    free(text);
    return st;
}

static cairn_status load_names(const char *folder, struct cairn_dataset *dataset)
{
    static const char *const names[2] = {NAMES, CAIRN_CIFAR_FOLDER "/" NAMES};
    for (int i = 0; i < 2; i++) {
        char *path = cairn_file_join(folder, names[i]);
        if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
        int there = cairn_file_exists(path);
        cairn_status st = there ? read_names(path, dataset) : CAIRN_OK;
        free(path);
        if (there) return st;
    }
    return CAIRN_OK;
}

cairn_status cairn_cifar_load(const struct cairn_dataset_entry *entry, const char *folder,
                              unsigned parts, struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    for (int i = 1; i <= CAIRN_CIFAR_TRAIN_FILES && parts & CAIRN_DATASET_TRAIN; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        TRY(load_batch(entry, folder, name, &dataset->train));
    }
    if (parts & CAIRN_DATASET_TEST)
        TRY(load_batch(entry, folder, "test_batch.bin", &dataset->test));
    TRY(load_names(folder, dataset));
out:
    return st;
}
