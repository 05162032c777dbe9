#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "io/png.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define MAX_CLASSES 256 /* a label is a byte */
#define LAYOUT "the images of a class are train/CLASS/*.png and test/CLASS/*.png"

/* The names in a folder, sorted by bytes. */
struct names {
    char *path; /* the folder */
    char **all;
    int64_t count;
};

/* One part, train or test: a folder of names for each class. */
struct part {
    struct names classes, files[MAX_CLASSES];
    int64_t images, longest; /* in all; of the class that has most */
};

static void free_names(struct names *names)
{
    for (int64_t i = 0; i < names->count; i++) free(names->all[i]);
    free(names->all);
    free(names->path);
    memset(names, 0, sizeof *names);
}

static void free_part(struct part *part)
{
    for (int i = 0; i < MAX_CLASSES; i++) free_names(&part->files[i]);
    free_names(&part->classes);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static cairn_status add_name(struct names *names, const char *name)
{
    int64_t n = names->count;
    if ((n & (n - 1)) == 0) { /* grows at powers of two */
        char **more = realloc(names->all, (size_t)(n ? 2 * n : 1) * sizeof *more);
        if (!more) return cairn_fail(CAIRN_MEMORY, "no memory for the names in %s", names->path);
        names->all = more;
    }
    names->all[n] = strdup(name);
    if (!names->all[n])
        return cairn_fail(CAIRN_MEMORY, "no memory for the names in %s", names->path);
    names->count++;
    return CAIRN_OK;
}

/* All names of FOLDER/NAME but the hidden ones. */
static cairn_status list(const char *folder, const char *name, struct names *names)
{
    cairn_status st = CAIRN_OK;
    struct dirent *item;
    names->path = cairn_file_join(folder, name);
    if (!names->path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    DIR *stream = opendir(names->path);
    if (!stream && (errno == ENOENT || errno == ENOTDIR))
        return cairn_fail(errno == ENOENT ? CAIRN_NOT_FOUND : CAIRN_FORMAT,
                          "%s is no folder; " LAYOUT, names->path);
    if (!stream) return cairn_fail_errno(CAIRN_IO, "cannot list %s", names->path);
    for (errno = 0; (item = readdir(stream)); errno = 0)
        if (item->d_name[0] != '.') TRY(add_name(names, item->d_name));
    if (errno) {
        st = cairn_fail_errno(CAIRN_IO, "cannot list %s", names->path);
        goto out;
    }
    if (names->count) qsort(names->all, (size_t)names->count, sizeof *names->all, by_bytes);
out:
    closedir(stream);
    return st;
}

static int is_png(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcasecmp(name + n - 4, ".png");
}

static cairn_status list_class(struct part *part, int64_t i)
{
    struct names *files = &part->files[i];
    cairn_status st = list(part->classes.path, part->classes.all[i], files);
    if (st != CAIRN_OK) return st;
    for (int64_t k = 0; k < files->count; k++)
        if (!is_png(files->all[k]))
            return cairn_fail(CAIRN_FORMAT,
                              "%s/%s: not a .png file, and " LAYOUT "; take it away, or convert it",
                              files->path, files->all[k]);
    if (files->count == 0)
        return cairn_fail(CAIRN_FORMAT,
                          "%s: a class without images; " LAYOUT ", at least one in each",
                          files->path);
    part->images += files->count;
    if (files->count > part->longest) part->longest = files->count;
    return CAIRN_OK;
}

static cairn_status list_part(const char *folder, const char *name, struct part *part)
{
    cairn_status st = CAIRN_OK;
    TRY(list(folder, name, &part->classes));
    if (part->classes.count < 2 || part->classes.count > MAX_CLASSES) {
        st = cairn_fail(CAIRN_FORMAT,
                        "%s: %lld folders of classes, where 2 to %d are accepted; " LAYOUT,
                        part->classes.path, (long long)part->classes.count, MAX_CLASSES);
        goto out;
    }
    for (int64_t i = 0; i < part->classes.count; i++) TRY(list_class(part, i));
out:
    return st;
}

/* Both parts have the same classes. */
static cairn_status compare_classes(const struct part *train, const struct part *test)
{
    const struct names *a = &train->classes, *b = &test->classes;
    for (int64_t i = 0, k = 0; i < a->count || k < b->count; i++, k++) {
        int order = i == a->count ? 1 : k == b->count ? -1 : strcmp(a->all[i], b->all[k]);
        if (order)
            return cairn_fail(CAIRN_FORMAT,
                              "%s has a class '%s' that %s has not; train and test must have the "
                              "same classes",
                              order < 0 ? a->path : b->path, order < 0 ? a->all[i] : b->all[k],
                              order < 0 ? b->path : a->path);
    }
    return CAIRN_OK;
}

static cairn_status read_image(const struct names *files, int64_t i, struct cairn_png *png)
{
    assert(i < files->count && files->all);
    char *path = cairn_file_join(files->path, files->all[i]);
    if (!path) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    cairn_status st = cairn_png_read(path, png);
    free(path);
    return st;
}

/* Room for one image more; it grows with what has been read, whatever the number of files. */
static cairn_status make_room(struct cairn_images *images, int64_t *room, size_t item)
{
    if (images->count < *room) return CAIRN_OK;
    int64_t more = *room ? *room * 2 : 64;
    uint8_t *pixels = realloc(images->pixels, (size_t)more * item);
    if (pixels) images->pixels = pixels;
    uint8_t *labels = realloc(images->labels, (size_t)more);
    if (labels) images->labels = labels;
    if (!pixels || !labels)
        return cairn_fail(CAIRN_MEMORY, "no memory for %lld images", (long long)more);
    *room = more;
    return CAIRN_OK;
}

static cairn_status append(struct cairn_dataset *dataset, const struct names *files, int64_t i,
                           int label, struct cairn_images *images, int64_t *room)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png png = {0};
    size_t item = (size_t)dataset->c * (size_t)dataset->h * (size_t)dataset->w;
    TRY(read_image(files, i, &png));
    if (png.c != dataset->c || png.h != dataset->h || png.w != dataset->w) {
        st = cairn_fail(CAIRN_FORMAT,
                        "%s/%s: an image of %dx%dx%d (channels x height x width), where the first "
                        "one is of %dx%dx%d; all must be of one kind and size",
                        files->path, files->all[i], png.c, png.h, png.w, dataset->c, dataset->h,
                        dataset->w);
        goto out;
    }
    assert(png.pixels && item > 0);
    TRY(make_room(images, room, item));
    memcpy(images->pixels + (size_t)images->count * item, png.pixels, item);
    images->labels[images->count++] = (uint8_t)label;
out:
    cairn_png_free(&png);
    return st;
}

static cairn_status load_part(struct cairn_dataset *dataset, const struct part *part,
                              struct cairn_images *images)
{
    cairn_status st = CAIRN_OK;
    int64_t room = 0;
    for (int64_t i = 0; i < part->longest; i++)
        for (int label = 0; label < dataset->classes; label++)
            if (i < part->files[label].count)
                TRY(append(dataset, &part->files[label], i, label, images, &room));
out:
    return st;
}

/* Everything but the images. */
static cairn_status look(const char *folder, struct part parts[2], struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    struct cairn_png first = {0};
    TRY(list_part(folder, "train", &parts[0]));
    TRY(list_part(folder, "test", &parts[1]));
    TRY(compare_classes(&parts[0], &parts[1]));
    TRY(read_image(&parts[0].files[0], 0, &first));
    dataset->c = first.c;
    dataset->h = first.h;
    dataset->w = first.w;
    dataset->classes = (int)parts[0].classes.count;
    dataset->class_names = calloc((size_t)dataset->classes, sizeof *dataset->class_names);
    for (int i = 0; dataset->class_names && i < dataset->classes; i++) {
        dataset->class_names[i] = parts[0].classes.all[i];
        parts[0].classes.all[i] = NULL;
    }
    if (!dataset->class_names) st = cairn_fail(CAIRN_MEMORY, "no memory for the names of classes");
out:
    cairn_png_free(&first);
    return st;
}

static cairn_status run(const char *folder, unsigned wanted, struct cairn_dataset *dataset)
{
    cairn_status st = CAIRN_OK;
    struct part *parts = calloc(2, sizeof *parts);
    if (!parts) return cairn_fail(CAIRN_MEMORY, "no memory for the names in %s", folder);
    TRY(look(folder, parts, dataset));
    if (wanted & CAIRN_DATASET_TRAIN) TRY(load_part(dataset, &parts[0], &dataset->train));
    if (wanted & CAIRN_DATASET_TEST) TRY(load_part(dataset, &parts[1], &dataset->test));
    dataset->train.count = parts[0].images;
    dataset->test.count = parts[1].images;
out:
    free_part(&parts[0]);
    free_part(&parts[1]);
    free(parts);
    return st;
}

cairn_status cairn_folders_load(const char *folder, unsigned parts, struct cairn_dataset *dataset)
{
    return run(folder, parts, dataset);
}

cairn_status cairn_folders_describe(const char *folder, struct cairn_dataset *dataset)
{
    return run(folder, 0, dataset);
}
