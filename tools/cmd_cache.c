/* cairn cache: what is kept from run to run, and removing what is of no use. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <cairn/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Files of the same kind, state and owner. */
struct group {
    struct cairn_cache_entry of; /* used: the latest; path is not kept */
    int64_t files, bytes, removed, removed_bytes;
};

struct groups {
    struct group *items;
    int count, failed;
};

static int is_same(const struct cairn_cache_entry *a, const struct cairn_cache_entry *b)
{
    return a->kind == b->kind && a->state == b->state && !strcmp(a->device, b->device) &&
           !strcmp(a->platform, b->platform) && !strcmp(a->driver, b->driver) &&
           !strcmp(a->version, b->version) && !strcmp(a->kernels, b->kernels);
}

static void add(void *context, const struct cairn_cache_entry *e)
{
    struct groups *groups = context;
    int i = 0;
    while (i < groups->count && !is_same(&groups->items[i].of, e)) i++;
    if (i == groups->count) {
        struct group *grown = realloc(groups->items, (size_t)(groups->count + 1) * sizeof *grown);
        if (!grown) {
            groups->failed = 1;
            return;
        }
        groups->items = grown;
        groups->items[groups->count++] = (struct group){.of = *e};
    }
    struct group *g = &groups->items[i];
    g->of.path = NULL;
    if (e->used > g->of.used) g->of.used = e->used;
    g->files++;
    g->bytes += e->bytes;
    g->removed += e->removed;
    g->removed_bytes += e->removed ? e->bytes : 0;
}

static int compare(const void *a, const void *b)
{
    const struct cairn_cache_entry *x = &((const struct group *)a)->of,
                                   *y = &((const struct group *)b)->of;
    int order = (int)x->kind - (int)y->kind;
    if (!order) order = (int)x->state - (int)y->state;
    if (!order) order = strcmp(x->device, y->device);
    return order ? order : strcmp(x->kernels, y->kernels);
}

/* --- JSON --- */

static json_t *or_null(const char *text)
{
    return *text ? tool_json_text(text) : json_null();
}

static json_t *groups_json(const struct groups *groups, int with_removed)
{
    json_t *list = json_array();
    for (int i = 0; i < groups->count; i++) {
        const struct group *g = &groups->items[i];
        const struct cairn_cache_entry *e = &g->of;
        json_t *object = json_pack(
            "{s:s s:s s:o s:o s:o s:o s:o s:I s:I s:I}", "kind", cairn_cache_kind_name(e->kind),
            "state", cairn_cache_state_name(e->state), "device", or_null(e->device), "platform",
            or_null(e->platform), "driver", or_null(e->driver), "version", or_null(e->version),
            "kernels", or_null(e->kernels), "files", (json_int_t)g->files, "bytes",
            (json_int_t)g->bytes, "used", (json_int_t)e->used);
        if (with_removed) {
            json_object_set_new(object, "removed_files", json_integer(g->removed));
            json_object_set_new(object, "removed_bytes", json_integer(g->removed_bytes));
        }
        json_array_append_new(list, object);
    }
    return list;
}

/* --- text --- */

static void used_text(int64_t used, char *text, size_t size)
{
    time_t seconds = (time_t)used;
    struct tm tm;
    if (!localtime_r(&seconds, &tm) || !strftime(text, size, "%Y-%m-%d", &tm)) text[0] = '\0';
}

static void print_groups(const struct groups *groups)
{
    printf("%-10s %-14s %6s %10s  %-10s  %s\n", "what", "state", "files", "size", "last use",
           "device, driver, kernels");
    for (int i = 0; i < groups->count; i++) {
        const struct group *g = &groups->items[i];
        const struct cairn_cache_entry *e = &g->of;
        char bytes[32], used[32];
        int foreign = e->kind == CAIRN_CACHE_FOREIGN || e->kind == CAIRN_CACHE_TEMPORARY;
        compute_size_text(bytes, sizeof bytes, g->bytes);
        used_text(e->used, used, sizeof used);
        printf("%-10s %-14s %6lld %10s  %-10s  ", cairn_cache_kind_name(e->kind),
               foreign ? "-" : cairn_cache_state_name(e->state), (long long)g->files, bytes, used);
        if (*e->device)
            printf("%s, %s %s, %.8s\n", e->device, e->platform, e->driver, e->kernels);
        else
            puts("-");
    }
}

static void total(const struct groups *groups, long long *files, long long *bytes,
                  long long *removed, long long *removed_bytes)
{
    *files = *bytes = *removed = *removed_bytes = 0;
    for (int i = 0; i < groups->count; i++) {
        *files += groups->items[i].files;
        *bytes += groups->items[i].bytes;
        *removed += groups->items[i].removed;
        *removed_bytes += groups->items[i].removed_bytes;
    }
}

static void print_count(const char *end, long long files, long long bytes)
{
    char text[32];
    compute_size_text(text, sizeof text, bytes);
    printf("%lld file%s, %s%s", files, files == 1 ? "" : "s", text, end);
}

/* --- the two parts --- */

/* What is left of a failure: what was found before it is told, too. */
static int end(const char *command, cairn_status st, struct groups *groups, int code)
{
    free(groups->items);
    if (st != CAIRN_OK) return tool_fail(command, st);
    if (!groups->failed) return code;
    fprintf(stderr, "cairn %s: out of memory\n", command);
    return cairn_status_exit(CAIRN_MEMORY);
}

static int list(int argc, char **argv)
{
    struct groups groups = {NULL, 0, 0};
    char folder[4096];
    long long files, bytes, removed, removed_bytes;
    int as_json = 0, count, code;
    const struct option_row rows[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "cache list",
        "[OPTION]...",
        "Lists what is kept from run to run, by kind, device, driver and kernels: compiled "
        "kernels, what `cairn tune`\n"
        "found, and what failed on a device. Of no use any more is what was last used with other "
        "kernels than those of\n"
        "now, belongs to a driver that was replaced, or was written by another version of Cairn.",
        rows,
        0,
        0,
    };
    code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    cairn_status st = cairn_cache_folder(folder, sizeof folder);
    if (st == CAIRN_OK) st = cairn_cache_list(add, &groups);
    if (st != CAIRN_OK || groups.failed) return end("cache list", st, &groups, 0);
    if (groups.count) qsort(groups.items, (size_t)groups.count, sizeof *groups.items, compare);
    total(&groups, &files, &bytes, &removed, &removed_bytes);
    code = 0;
    if (as_json) {
        code = tool_json_print("cache list",
                               json_pack("{s:o s:I s:I s:o}", "folder", tool_json_text(folder),
                                         "files", (json_int_t)files, "bytes", (json_int_t)bytes,
                                         "groups", groups_json(&groups, 0)));
    } else {
        if (groups.count) print_groups(&groups);
        print_count(" in ", files, bytes);
        puts(folder);
    }
    return end("cache list", CAIRN_OK, &groups, code);
}

static int print_pruned(const struct groups *groups, int as_json, int dry_run)
{
    long long files, bytes, removed, removed_bytes;
    total(groups, &files, &bytes, &removed, &removed_bytes);
    if (as_json)
        return tool_json_print(
            "cache prune",
            json_pack("{s:b s:I s:I s:I s:I s:o}", "dry_run", dry_run, "removed_files",
                      (json_int_t)removed, "removed_bytes", (json_int_t)removed_bytes, "kept_files",
                      (json_int_t)(files - removed), "kept_bytes",
                      (json_int_t)(bytes - removed_bytes), "groups", groups_json(groups, 1)));
    for (int i = 0; i < groups->count; i++) {
        const struct group *g = &groups->items[i];
        if (!g->removed) continue;
        printf("  %s, %s: ", cairn_cache_kind_name(g->of.kind),
               g->of.kind == CAIRN_CACHE_TEMPORARY ? "left over"
                                                   : cairn_cache_state_name(g->of.state));
        print_count("\n", g->removed, g->removed_bytes);
    }
    print_count(dry_run ? " would be removed; " : " removed; ", removed, removed_bytes);
    print_count(dry_run ? " would be kept\n" : " kept\n", files - removed, bytes - removed_bytes);
    return 0;
}

static int prune(int argc, char **argv)
{
    struct groups groups = {NULL, 0, 0};
    struct cairn_cache_prune_options options = {.each = add, .context = &groups};
    int64_t days = 0;
    int as_json = 0, count, code;
    const struct option_row rows[] = {
        {"older-than", OPTION_INT, &days, "DAYS", "also what was not used for so many days", 1,
         36500, NULL},
        {"all", OPTION_FLAG, &options.all, NULL, "also what is of use: kernels are compiled again",
         0, 0, NULL},
        {"dry-run", OPTION_FLAG, &options.dry_run, NULL, "remove nothing, tell what would be", 0, 0,
         NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "cache prune",
        "[OPTION]...",
        "Removes what is of no use any more (see `cairn cache list --help`), and what a killed "
        "process left. What belongs\n"
        "to a device that is not here now stays, and so does every file that Cairn did not write. "
        "What failed on a\n"
        "device that is here stays in any case: `cairn doctor --forget` forgets it. Programs that "
        "run go on.",
        rows,
        0,
        0,
    };
    code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    options.seconds = days * 24 * 60 * 60;
    cairn_status st = cairn_cache_prune(&options);
    if (groups.count) qsort(groups.items, (size_t)groups.count, sizeof *groups.items, compare);
    code = st == CAIRN_OK && !groups.failed ? print_pruned(&groups, as_json, options.dry_run) : 0;
    return end("cache prune", st, &groups, code);
}

int cmd_cache(int argc, char **argv)
{
    static const struct option_part parts[] = {
        {"list", "[OPTION]...", list},
        {"prune", "[OPTION]...", prune},
        {NULL, NULL, NULL},
    };
    return options_parts("cache",
                         "Lists what is kept from run to run under $XDG_CACHE_HOME/cairn, or "
                         "removes what is of no use.",
                         parts, argc, argv);
}
