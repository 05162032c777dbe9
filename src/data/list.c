/* The list of data sets, and where each is on this machine. */
#include "base/error.h"
#include "data/place.h"
#include <cairn/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(const struct cairn_dataset_entry *entry, struct cairn_data_row *row)
{
    memcpy(row->name, entry->name, sizeof row->name);
    memcpy(row->title, entry->title, sizeof row->title);
    memcpy(row->home, entry->home, sizeof row->home);
    memcpy(row->licence, entry->licence, sizeof row->licence);
    snprintf(row->kind, sizeof row->kind, "%s", cairn_register_kind(entry->kind));
    row->c = entry->c;
    row->h = entry->h;
    row->w = entry->w;
    row->classes = entry->classes;
    row->train = entry->train;
    row->test = entry->test;
    row->fetchable = *entry->archive.name || *entry->files[0].name;
}

cairn_status cairn_data_list(const char *data_dir, struct cairn_data_row **rows, int *count)
{
    cairn_status st = CAIRN_OK;
    struct cairn_dataset_entry *entries = NULL;
    int n = 0;
    *rows = NULL;
    *count = 0;
    TRY(cairn_register_list(&entries, &n));
    *rows = calloc((size_t)n, sizeof **rows);
    if (!*rows) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for the list of data sets");
        goto out;
    }
    for (int i = 0; i < n; i++, ++*count) {
        char *where = NULL;
        fill(&entries[i], &(*rows)[i]);
        if (entries[i].kind == CAIRN_DATASET_GLYPHS) continue;
        st = cairn_place_find(&entries[i], data_dir, &where);
        if (st == CAIRN_NOT_FOUND) st = CAIRN_OK; /* no folder is known */
        if (st != CAIRN_OK) goto out;
        if (where && cairn_place_complete(&entries[i], where))
            (*rows)[i].folder = where;
        else
            free(where);
    }
out:
    free(entries);
    if (st != CAIRN_OK) {
        cairn_data_list_free(*rows, n);
        *rows = NULL;
        *count = 0;
    }
    return st;
}

void cairn_data_list_free(struct cairn_data_row *rows, int count)
{
    for (int i = 0; rows && i < count; i++) free(rows[i].folder);
    free(rows);
}
