#include "data/register.h"

#include "base/error.h"
#include "base/text.h"
#include "io/yaml.h"
#include <stdio.h>
#include <string.h>

#define FILE_NAME "data/datasets.yaml"

/* Copies a text member; a member that is missing leaves "". */
static void copy_text(const struct cairn_yaml *map, const char *key, char *to, size_t size)
{
    const struct cairn_yaml *node = cairn_yaml_get(map, key);
    snprintf(to, size, "%s", node && node->text ? node->text : "");
}

/* A whole number of at least 1. */
static cairn_status read_count(const struct cairn_yaml *map, const char *key, int64_t *value)
{
    char word[32];
    copy_text(map, key, word, sizeof word);
    if (cairn_text_int(word, 1, 1 << 30, value) == CAIRN_OK) return CAIRN_OK;
    return cairn_fail_in(CAIRN_FORMAT, FILE_NAME ":%d: %s: %s", map->key_line, map->key, key);
}

static void read_file(const struct cairn_yaml *node, struct cairn_dataset_file *file)
{
    copy_text(node, "name", file->name, sizeof file->name);
    copy_text(node, "md5", file->md5, sizeof file->md5);
}

/* The files that a member of the entry, `files` or `npz`, names. */
static cairn_status read_files(const struct cairn_yaml *map, const char *member,
                               struct cairn_dataset_file read[CAIRN_DATASET_FILES])
{
    static const char *const keys[CAIRN_DATASET_FILES] = {"train-images", "train-labels",
                                                          "test-images", "test-labels"};
    const struct cairn_yaml *files = cairn_yaml_get(map, member);
    for (int i = 0; i < CAIRN_DATASET_FILES; i++) {
        read_file(cairn_yaml_get(files, keys[i]), &read[i]);
        if (!*read[i].name)
            return cairn_fail(CAIRN_FORMAT, FILE_NAME ":%d: %s: %s: the file %s is not named",
                              map->key_line, map->key, member, keys[i]);
    }
    return CAIRN_OK;
}

static cairn_status read_kind(const struct cairn_yaml *map, enum cairn_dataset_kind *kind)
{
    static const char *const names[] = {
        [CAIRN_DATASET_IDX] = "idx",
        [CAIRN_DATASET_GLYPHS] = "glyphs",
        [CAIRN_DATASET_CIFAR] = "cifar",
        [CAIRN_DATASET_IMAGES] = "images",
    };
    char word[16];
    copy_text(map, "kind", word, sizeof word);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(word, names[i])) {
            *kind = (enum cairn_dataset_kind)i;
            return CAIRN_OK;
        }
    return cairn_fail(CAIRN_FORMAT, FILE_NAME ":%d: %s: kind is idx, glyphs, cifar or images",
                      map->key_line, map->key);
}

static cairn_status read_sizes(const struct cairn_yaml *map, struct cairn_dataset_entry *entry)
{
    cairn_status st = CAIRN_OK;
    char shape[32];
    int64_t classes;
    copy_text(map, "shape", shape, sizeof shape);
    TRY(read_count(map, "classes", &classes));
    TRY(read_count(map, "train", &entry->train));
    TRY(read_count(map, "test", &entry->test));
    entry->classes = (int)classes;
    if (sscanf(shape, "%dx%dx%d", &entry->c, &entry->h, &entry->w) != 3 || classes > 256) {
        st = cairn_fail(CAIRN_FORMAT, FILE_NAME ":%d: %s: shape is CxHxW, classes at most 256",
                        map->key_line, map->key);
    }
out:
    return st;
}

static cairn_status read_entry(const struct cairn_yaml *map, struct cairn_dataset_entry *entry)
{
    cairn_status st = CAIRN_OK;
    memset(entry, 0, sizeof *entry);
    snprintf(entry->name, sizeof entry->name, "%s", map->key);
    copy_text(map, "home", entry->home, sizeof entry->home);
    read_file(cairn_yaml_get(map, "archive"), &entry->archive);
    TRY(read_kind(map, &entry->kind));
    if (entry->kind != CAIRN_DATASET_IMAGES) TRY(read_sizes(map, entry));
    if (entry->kind == CAIRN_DATASET_IDX) TRY(read_files(map, "files", entry->files));
    if (cairn_yaml_get(map, "npz")) TRY(read_files(map, "npz", entry->npz));
out:
    return st;
}

static cairn_status unknown(const char *name, const struct cairn_yaml *root)
{
    char names[256] = "";
    for (const struct cairn_yaml *node = root->first; node; node = node->next) {
        size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", node->key);
    }
    return cairn_fail(CAIRN_NOT_FOUND, "there is no data set '%s'; there are: %s", name, names);
}

cairn_status cairn_register_find(const char *name, struct cairn_dataset_entry *entry)
{
    struct cairn_yaml *root;
    cairn_status st =
        cairn_yaml_parse(FILE_NAME, cairn_register_text, strlen(cairn_register_text), &root);
    if (st != CAIRN_OK) return st;
    const struct cairn_yaml *map = cairn_yaml_get(root, name);
    st = map ? read_entry(map, entry) : unknown(name, root);
    cairn_yaml_free(root);
    return st;
}
