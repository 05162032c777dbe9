#include "data/register.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "io/yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "data/datasets.yaml"
#define HEX "0123456789abcdef"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
#define MOST (1 << 30) /* images, and bytes of one */

/* An entry being read, and the name of its file. */
struct place {
    const char *file;
    const struct cairn_yaml *map;
};

#define FAIL(p, node, ...) cairn_yaml_fail(CAIRN_FORMAT, (p)->file, node, __VA_ARGS__)

static const char *const kinds[] = {
    [CAIRN_DATASET_IDX] = "idx",
    [CAIRN_DATASET_GLYPHS] = "glyphs",
    [CAIRN_DATASET_CIFAR] = "cifar",
    [CAIRN_DATASET_IMAGES] = "images",
};

const char *cairn_register_kind(enum cairn_dataset_kind kind)
{
    return kinds[kind];
}

/* All keys of a map are among the words of `known`. */
static cairn_status check_keys(const struct place *p, const struct cairn_yaml *map,
                               const char *known)
{
    if (map->kind != CAIRN_YAML_MAP)
        return FAIL(p, map, CAIRN_YAML_AT_VALUE, "%s: keys and values are expected: %s", map->key,
                    known);
    for (const struct cairn_yaml *node = map->first; node; node = node->next) {
        size_t n = strlen(node->key);
        const char *at = n && !strchr(node->key, ' ') ? strstr(known, node->key) : NULL;
        while (at && ((at != known && at[-1] != ' ') || (at[n] && at[n] != ' ')))
            at = strstr(at + 1, node->key);
        if (!at)
            return FAIL(p, node, CAIRN_YAML_AT_KEY, "%s: there is no key '%s'; there are: %s",
                        map->key, node->key, known);
    }
    return CAIRN_OK;
}

/* Copies a text; one that is missing leaves "". */
static cairn_status copy_text(const struct place *p, const struct cairn_yaml *map, const char *key,
                              char *to, size_t size)
{
    const struct cairn_yaml *node = cairn_yaml_get(map, key);
    *to = '\0';
    if (!node) return CAIRN_OK;
    if (node->kind != CAIRN_YAML_TEXT || strlen(node->text) >= size)
        return FAIL(p, node, CAIRN_YAML_AT_VALUE, "%s: a text of up to %zu characters is expected",
                    key, size - 1);
    snprintf(to, size, "%s", node->text);
    return CAIRN_OK;
}

/* A whole number of at least 1; `text` is a part of the node's. */
static cairn_status read_number(const struct place *p, const struct cairn_yaml *node,
                                const char *text, int64_t most, int64_t *value)
{
    if (cairn_text_int(text, 1, most, value) == CAIRN_OK) return CAIRN_OK;
    return FAIL(p, node, CAIRN_YAML_AT_VALUE, "%s: '%s' is no whole number from 1 to %lld",
                node->key, text, (long long)most);
}

static cairn_status read_count(const struct place *p, const char *key, int64_t most, int64_t *value)
{
    const struct cairn_yaml *node = cairn_yaml_get(p->map, key);
    if (!node)
        return FAIL(p, p->map, CAIRN_YAML_AT_KEY, "%s: the key '%s' is missing", p->map->key, key);
    return read_number(p, node, node->text ? node->text : "", most, value);
}

static cairn_status read_shape(const struct place *p, struct cairn_dataset_entry *entry)
{
    const struct cairn_yaml *node = cairn_yaml_get(p->map, "shape");
    int64_t sizes[3];
    char text[64], *rest = text;
    if (!node)
        return FAIL(p, p->map, CAIRN_YAML_AT_KEY, "%s: the key 'shape' is missing", p->map->key);
    snprintf(text, sizeof text, "%s", node->text ? node->text : "");
    for (int i = 0; i < 3; i++) {
        char *end = i < 2 ? strchr(rest, 'x') : NULL;
        if (i < 2 && !end)
            return FAIL(p, node, CAIRN_YAML_AT_VALUE,
                        "shape: CxHxW (channels x height x width) is expected, like 1x28x28");
        if (end) *end = '\0';
        cairn_status st = read_number(p, node, rest, 1 << 15, &sizes[i]);
        if (st != CAIRN_OK) return st;
        rest = end ? end + 1 : rest;
    }
    if (sizes[0] * sizes[1] * sizes[2] > MOST)
        return FAIL(p, node, CAIRN_YAML_AT_VALUE, "shape: images of more than %d bytes", MOST);
    entry->c = (int)sizes[0];
    entry->h = (int)sizes[1];
    entry->w = (int)sizes[2];
    return CAIRN_OK;
}

static cairn_status read_digest(const struct place *p, const struct cairn_yaml *node,
                                const char *key, char *to, size_t size)
{
    cairn_status st = copy_text(p, node, key, to, size);
    if (st != CAIRN_OK || !*to) return st;
    if (strspn(to, HEX) == size - 1) return CAIRN_OK;
    return FAIL(p, cairn_yaml_get(node, key), CAIRN_YAML_AT_VALUE,
                "%s: %zu hexadecimal digits in lower case are expected", key, size - 1);
}

/* A name of letters, digits and _ - . that is no hidden file's: it cannot lead out of a folder. */
static int is_plain(const char *name)
{
    return *name && *name != '.' && *name != '-' && strspn(name, LETTERS) == strlen(name);
}

static cairn_status read_file(const struct place *p, const struct cairn_yaml *node,
                              struct cairn_dataset_file *file)
{
    cairn_status st = CAIRN_OK;
    TRY(check_keys(p, node, "name md5 sha256"));
    TRY(copy_text(p, node, "name", file->name, sizeof file->name));
    TRY(read_digest(p, node, "md5", file->md5, sizeof file->md5));
    TRY(read_digest(p, node, "sha256", file->sha256, sizeof file->sha256));
    if (!is_plain(file->name))
        st = FAIL(p, node, CAIRN_YAML_AT_VALUE,
                  "%s: the name of a file is expected: letters, digits and _ - . without a folder",
                  node->key);
out:
    return st;
}

/* The files that a member of the entry, `files` or `npz`, names. */
static cairn_status read_files(const struct place *p, const char *member,
                               struct cairn_dataset_file read[CAIRN_DATASET_FILES])
{
    static const char *const keys[CAIRN_DATASET_FILES] = {"train-images", "train-labels",
                                                          "test-images", "test-labels"};
    cairn_status st = CAIRN_OK;
    const struct cairn_yaml *files = cairn_yaml_get(p->map, member);
    if (!files)
        return FAIL(p, p->map, CAIRN_YAML_AT_KEY, "%s: the key '%s' is missing", p->map->key,
                    member);
    TRY(check_keys(p, files, "train-images train-labels test-images test-labels"));
    for (int i = 0; i < CAIRN_DATASET_FILES; i++) {
        const struct cairn_yaml *node = cairn_yaml_get(files, keys[i]);
        if (!node)
            return FAIL(p, files, CAIRN_YAML_AT_KEY, "%s: the file '%s' is missing", member,
                        keys[i]);
        TRY(read_file(p, node, &read[i]));
    }
out:
    return st;
}

static cairn_status read_addresses(const struct place *p, struct cairn_dataset_entry *entry)
{
    const struct cairn_yaml *list = cairn_yaml_get(p->map, "addresses"), *node;
    int count = 0;
    if (!list) return CAIRN_OK;
    for (node = list->first; node && list->kind == CAIRN_YAML_LIST; node = node->next) {
        const char *text = node->text ? node->text : "";
        if (count == CAIRN_DATASET_ADDRESSES ||
            (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0) ||
            strlen(text) >= sizeof *entry->addresses)
            break;
        snprintf(entry->addresses[count++], sizeof *entry->addresses, "%s", text);
    }
    if (!node && list->kind == CAIRN_YAML_LIST) return CAIRN_OK;
    return FAIL(p, node ? node : list, CAIRN_YAML_AT_VALUE,
                "addresses: a list of up to %d folders is expected, http:// or https://, of up to "
                "%zu characters",
                CAIRN_DATASET_ADDRESSES, sizeof *entry->addresses - 1);
}

static cairn_status read_kind(const struct place *p, enum cairn_dataset_kind *kind)
{
    const struct cairn_yaml *node = cairn_yaml_get(p->map, "kind");
    for (size_t i = 0; node && node->text && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(node->text, kinds[i])) {
            *kind = (enum cairn_dataset_kind)i;
            return CAIRN_OK;
        }
    return FAIL(p, node ? node : p->map, node ? CAIRN_YAML_AT_VALUE : CAIRN_YAML_AT_KEY,
                "%s: kind is idx, glyphs, cifar or images", p->map->key);
}

static cairn_status read_names(const struct place *p, struct cairn_dataset_entry *entry)
{
    const struct cairn_yaml *list = cairn_yaml_get(p->map, "names"), *node;
    size_t used = 0;
    int count = 0;
    if (!list) return CAIRN_OK;
    for (node = list->first; node && list->kind == CAIRN_YAML_LIST; node = node->next, count++) {
        size_t size = node->text ? strlen(node->text) + 1 : 0;
        if (size < 2 || size > sizeof entry->names - used || count == entry->classes) break;
        memcpy(entry->names + used, node->text, size);
        used += size;
    }
    if (!node && count == entry->classes) return CAIRN_OK;
    return FAIL(p, node ? node : list, CAIRN_YAML_AT_VALUE,
                "names: a list of %d names of classes is expected, of up to %zu bytes in all",
                entry->classes, sizeof entry->names);
}

/* What the kind asks for, and what it has no use for. */
static cairn_status read_content(const struct place *p, struct cairn_dataset_entry *entry)
{
    cairn_status st = CAIRN_OK;
    int64_t classes = 0;
    const struct cairn_yaml *archive = cairn_yaml_get(p->map, "archive");
    static const char *const known[] = {
        [CAIRN_DATASET_IDX] =
            "title kind shape classes names licence train test home addresses files npz",
        [CAIRN_DATASET_GLYPHS] = "title kind shape classes licence train test",
        [CAIRN_DATASET_CIFAR] =
            "title kind shape classes names licence train test home addresses archive",
        [CAIRN_DATASET_IMAGES] = "title kind licence home",
    };
    TRY(check_keys(p, p->map, known[entry->kind]));
    if (entry->kind == CAIRN_DATASET_IMAGES) return CAIRN_OK;
    TRY(read_shape(p, entry));
    TRY(read_count(p, "classes", 256, &classes)); /* a label is a byte */
    TRY(read_count(p, "train", MOST, &entry->train));
    TRY(read_count(p, "test", MOST, &entry->test));
    entry->classes = (int)classes;
    TRY(read_names(p, entry));
    if (entry->kind == CAIRN_DATASET_IDX) TRY(read_files(p, "files", entry->files));
    if (cairn_yaml_get(p->map, "npz")) TRY(read_files(p, "npz", entry->npz));
    if (archive) TRY(read_file(p, archive, &entry->archive));
    if (entry->kind == CAIRN_DATASET_IDX && entry->c != 1)
        st = FAIL(p, cairn_yaml_get(p->map, "shape"), CAIRN_YAML_AT_VALUE,
                  "shape: images of the kind idx have one channel");
    if (entry->kind == CAIRN_DATASET_CIFAR && entry->train % CAIRN_CIFAR_TRAIN_FILES != 0)
        st = FAIL(p, cairn_yaml_get(p->map, "train"), CAIRN_YAML_AT_VALUE,
                  "train: images of the kind cifar are in %d files of equal size",
                  CAIRN_CIFAR_TRAIN_FILES);
    if (entry->kind == CAIRN_DATASET_GLYPHS &&
        (strcmp(entry->name, "glyphs") != 0 || entry->c != 1 || entry->h != 28 || entry->w != 28 ||
         entry->classes != 10))
        st = FAIL(p, p->map, CAIRN_YAML_AT_KEY,
                  "%s: the kind glyphs is that of the data set glyphs, 1x28x28 in 10 classes",
                  entry->name);
out:
    return st;
}

static cairn_status read_entry(const struct place *p, struct cairn_dataset_entry *entry)
{
    cairn_status st = CAIRN_OK;
    memset(entry, 0, sizeof *entry);
    if (!is_plain(p->map->key) || strlen(p->map->key) >= sizeof entry->name)
        return FAIL(p, p->map, CAIRN_YAML_AT_KEY,
                    "'%s' is no name of a data set: up to %zu letters, digits and _ - . are "
                    "expected",
                    p->map->key, sizeof entry->name - 1);
    snprintf(entry->name, sizeof entry->name, "%s", p->map->key);
    if (p->map->kind != CAIRN_YAML_MAP)
        return FAIL(p, p->map, CAIRN_YAML_AT_VALUE, "%s: keys and values are expected",
                    entry->name);
    TRY(copy_text(p, p->map, "title", entry->title, sizeof entry->title));
    TRY(copy_text(p, p->map, "home", entry->home, sizeof entry->home));
    TRY(copy_text(p, p->map, "licence", entry->licence, sizeof entry->licence));
    TRY(read_kind(p, &entry->kind));
    TRY(read_content(p, entry));
    TRY(read_addresses(p, entry));
out:
    return st;
}

cairn_status cairn_register_parse(const char *name, const char *text, size_t size,
                                  struct cairn_dataset_entry **entries, int *count)
{
    cairn_status st = CAIRN_OK;
    struct cairn_yaml *root = NULL;
    int n = 0;
    *entries = NULL;
    *count = 0;
    TRY(cairn_yaml_parse(name, text, size, &root));
    if (root->kind != CAIRN_YAML_MAP) {
        st = cairn_yaml_fail(CAIRN_FORMAT, name, root, CAIRN_YAML_AT_VALUE,
                             "the names of data sets are expected, each with its keys");
        goto out;
    }
    for (const struct cairn_yaml *map = root->first; map; map = map->next) n++;
    *entries = calloc((size_t)n + 1, sizeof **entries);
    if (!*entries) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the data sets of %s", name);
        goto out;
    }
    for (const struct cairn_yaml *map = root->first; map; map = map->next, ++*count)
        TRY(read_entry(&(struct place){name, map}, &(*entries)[*count]));
out:
    cairn_yaml_free(root);
    if (st != CAIRN_OK) {
        free(*entries);
        *entries = NULL;
        *count = 0;
    }
    return st;
}

/* $CAIRN_DATASETS; no entries where it is not set. */
static cairn_status read_own(struct cairn_dataset_entry **entries, int *count)
{
    const char *path = getenv("CAIRN_DATASETS");
    char *text;
    size_t size;
    if (!path || !*path) return CAIRN_OK;
    cairn_status st = cairn_file_read_text(path, "register of data sets", &text, &size);
    if (st != CAIRN_OK) return cairn_fail_in(st, "CAIRN_DATASETS");
    st = cairn_register_parse(path, text, size, entries, count);
    free(text);
    return st;
}

cairn_status cairn_register_list(struct cairn_dataset_entry **entries, int *count)
{
    cairn_status st = CAIRN_OK;
    struct cairn_dataset_entry *own = NULL, *built_in = NULL;
    int own_count = 0, built_in_count = 0;
    *entries = NULL;
    *count = 0;
    TRY(read_own(&own, &own_count));
    TRY(cairn_register_parse(FILE_NAME, cairn_register_text, strlen(cairn_register_text), &built_in,
                             &built_in_count));
    struct cairn_dataset_entry *all =
        realloc(own, ((size_t)own_count + (size_t)built_in_count + 1) * sizeof *all);
    if (!all) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the list of data sets");
        goto out;
    }
    own = all;
    int n = own_count;
    for (int i = 0; i < built_in_count; i++) {
        int k = 0;
        while (k < own_count && strcmp(all[k].name, built_in[i].name) != 0) k++;
        if (k == own_count) all[n++] = built_in[i];
    }
    *entries = all;
    *count = n;
    own = NULL;
out:
    free(own);
    free(built_in);
    return st;
}

cairn_status cairn_register_find(const char *name, struct cairn_dataset_entry *entry)
{
    struct cairn_dataset_entry *all;
    char names[512] = "";
    int count, found = 0;
    cairn_status st = cairn_register_list(&all, &count);
    for (int i = 0; i < count && !found; i++) {
        size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", all[i].name);
        found = !strcmp(all[i].name, name);
        if (found) *entry = all[i];
    }
    if (st == CAIRN_OK && !found)
        st = cairn_fail(CAIRN_NOT_FOUND, "there is no data set '%s'; there are: %s", name, names);
    free(all);
    return st;
}
