#include "data/place.h"

#include "base/error.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cairn_status no_memory(void)
{
    return cairn_fail(CAIRN_MEMORY, "no memory for a path");
}

static int is_there(const char *folder, const char *name)
{
    char *path = cairn_file_join(folder, name);
    int there = path && cairn_file_exists(path);
    free(path);
    return there;
}

cairn_status cairn_place_base(const struct cairn_dataset_entry *entry, const char *folder,
                              char **base)
{
    const char *given = folder ? folder : getenv("CAIRN_DATA_DIR");
    *base = given && *given ? strdup(given) : cairn_file_data_dir();
    if (*base) return CAIRN_OK;
    if ((given && *given) || getenv("HOME")) return no_memory();
    return cairn_fail(CAIRN_NOT_FOUND,
                      "no folder for the data set %s is known: give it with --data-dir or in "
                      "CAIRN_DATA_DIR",
                      entry->name);
}

cairn_status cairn_place_find(const struct cairn_dataset_entry *entry, const char *folder,
                              char **found)
{
    char *base = NULL;
    *found = NULL;
    cairn_status st = cairn_place_base(entry, folder, &base);
    if (st != CAIRN_OK) return st;
    char *below = cairn_file_join(base, entry->name);
    if (!below) {
        free(base);
        return no_memory();
    }
    int use_below = cairn_place_complete(entry, below) ||
                    (cairn_file_exists(below) && !cairn_place_complete(entry, base));
    *found = use_below ? below : base;
    free(use_below ? base : below);
    return CAIRN_OK;
}

/* A file is there as itself or in the folder that the archive has. */
static int has_batch(const char *where, const char *name)
{
    char below[64];
    snprintf(below, sizeof below, CAIRN_CIFAR_FOLDER "/%s", name);
    return is_there(where, name) || is_there(where, below);
}

/* The names that file i may have. */
static void names_of(const struct cairn_dataset_entry *entry, int i, char plain[64],
                     const char *names[3])
{
    names[0] = entry->files[i].name;
    names[1] = plain;
    names[2] = entry->npz[i].name;
    snprintf(plain, 64, "%s", names[0]);
    char *dot = strrchr(plain, '.');
    if (dot && !strcmp(dot, ".gz")) *dot = '\0';
}

int cairn_place_complete(const struct cairn_dataset_entry *entry, const char *where)
{
    char name[64];
    const char *names[3];
    switch (entry->kind) {
    case CAIRN_DATASET_GLYPHS:
        return 1;
    case CAIRN_DATASET_IMAGES:
        return is_there(where, "train") && is_there(where, "test");
    case CAIRN_DATASET_CIFAR:
        for (int i = 1; i <= CAIRN_CIFAR_TRAIN_FILES; i++) {
            snprintf(name, sizeof name, "data_batch_%d.bin", i);
            if (!has_batch(where, name)) return 0;
        }
        return has_batch(where, "test_batch.bin");
    case CAIRN_DATASET_IDX:
        break;
    }
    for (int i = 0; i < CAIRN_DATASET_FILES; i++) {
        names_of(entry, i, name, names);
        if (!is_there(where, names[0]) && !is_there(where, names[1]) &&
            !(*names[2] && is_there(where, names[2])))
            return 0;
    }
    return 1;
}

cairn_status cairn_place_file(const struct cairn_dataset_entry *entry, const char *where, int i,
                              char **found)
{
    char plain[64];
    const char *names[3];
    int why = ENOENT, of = 0;
    names_of(entry, i, plain, names);
    for (int k = 0; k < 3 && *names[k]; k++) {
        char *path = cairn_file_join(where, names[k]);
        if (!path) return no_memory();
        if (cairn_file_exists(path)) {
            *found = path;
            return CAIRN_OK;
        }
        if (errno != ENOENT && errno != ENOTDIR) {
            why = errno;
            of = k;
        }
        free(path);
    }
    if (why != ENOENT) {
        errno = why;
        return cairn_fail_errno(CAIRN_IO, "data set %s: looking for %s in %s", entry->name,
                                names[of], where);
    }
    return cairn_fail(CAIRN_NOT_FOUND,
                      "data set %s: neither %s nor %s%s%s is in %s; `cairn data fetch %s` fetches "
                      "them, --data-dir or CAIRN_DATA_DIR tells where they are",
                      entry->name, names[0], plain, *names[2] ? " nor " : "", names[2], where,
                      entry->name);
}
