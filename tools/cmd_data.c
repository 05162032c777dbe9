/* cairn data: the list of data sets, and fetching their files. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE                                                                                       \
    {                                                                                              \
        NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL                                            \
    }

/* --- list --- */

static json_t *or_null(const char *text)
{
    return text && *text ? tool_json_text(text) : json_null();
}

static int print_rows_json(const struct cairn_data_row *rows, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct cairn_data_row *r = &rows[i];
        json_t *shape = r->c ? json_pack("[i,i,i]", r->c, r->h, r->w) : json_null();
        json_array_append_new(
            list, json_pack("{s:s s:s s:s s:o s:o s:o s:o s:o s:o s:o s:b}", "name", r->name,
                            "title", r->title, "kind", r->kind, "shape", shape, "classes",
                            r->classes ? json_integer(r->classes) : json_null(), "train_images",
                            r->train ? json_integer(r->train) : json_null(), "test_images",
                            r->test ? json_integer(r->test) : json_null(), "folder",
                            or_null(r->folder), "home", or_null(r->home), "licence",
                            or_null(r->licence), "fetchable", r->fetchable));
    }
    return tool_json_print("data list", list);
}

static void print_row(const struct cairn_data_row *r)
{
    char shape[48] = "any", classes[16] = "any", train[24] = "any", test[24] = "any";
    int drawn = !strcmp(r->kind, "glyphs");
    if (r->c) {
        snprintf(shape, sizeof shape, "%dx%dx%d", r->c, r->h, r->w);
        snprintf(classes, sizeof classes, "%d", r->classes);
        snprintf(train, sizeof train, "%lld", (long long)r->train);
        snprintf(test, sizeof test, "%lld", (long long)r->test);
    }
    printf("%-16s %-9s %7s %7s %7s  %-7s %s\n", r->name, shape, classes, train, test, r->kind,
           r->folder ? r->folder
           : drawn   ? "built in"
                     : "not here");
    printf("%-16s %s%s%s\n", "", r->title, *r->home ? "; " : "", r->home);
}

static int list(int argc, char **argv)
{
    const char *data_dir = NULL;
    int as_json = 0, count, code;
    struct cairn_data_row *rows;
    const struct option_row options[] = {
        {"data-dir", OPTION_TEXT, &data_dir, "DIR", "where to look for the files", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        NONE,
    };
    const struct option_set set = {
        "data list",
        "[OPTION]...",
        "Lists the data sets that recipes can name: shape (channels x height x width), classes, "
        "images to train and to test,\n"
        "kind, and where the files are on this machine. CAIRN_DATASETS may name a file of more, in "
        "the form of\ndata/datasets.yaml.",
        options,
        0,
        0,
    };
    code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    cairn_status st = cairn_data_list(data_dir, &rows, &count);
    if (st != CAIRN_OK) return tool_fail("data list", st);
    if (as_json) {
        code = print_rows_json(rows, count);
    } else {
        printf("%-16s %-9s %7s %7s %7s  %-7s %s\n", "name", "shape", "classes", "train", "test",
               "kind", "where");
        for (int i = 0; i < count; i++) print_row(&rows[i]);
        code = 0;
    }
    cairn_data_list_free(rows, count);
    return code;
}

/* --- fetch --- */

struct view {
    int quiet, bar;
};

static void show(void *context, const struct cairn_fetch_event *e)
{
    const struct view *view = context;
    char bytes[32], total[32];
    if (view->quiet) return;
    if (view->bar) fputs("\r\033[K", stderr);
    compute_size_text(bytes, sizeof bytes, e->bytes);
    compute_size_text(total, sizeof total, e->total);
    switch (e->kind) {
    case CAIRN_FETCH_ASKING:
        fprintf(stderr, "fetching %s", e->address);
        if (e->bytes) fprintf(stderr, ", of which %s are here", bytes);
        fputc('\n', stderr);
        break;
    case CAIRN_FETCH_BYTES:
        if (view->bar)
            fprintf(stderr, "%s: %s%s%s", e->file, bytes, e->total ? " of " : "",
                    e->total ? total : "");
        fflush(stderr);
        break;
    case CAIRN_FETCH_WARNING:
        fprintf(stderr, "%s\n", e->text);
        break;
    case CAIRN_FETCH_UNPACKING:
        fprintf(stderr, "unpacking %s\n", e->text);
        break;
    case CAIRN_FETCH_FILE:
        break;
    }
}

static int print_result_json(const char *name, const struct cairn_fetch_result *r)
{
    json_t *files = json_array();
    for (int i = 0; i < r->file_count; i++) {
        const struct cairn_fetch_file *file = &r->files[i];
        json_array_append_new(files,
                              json_pack("{s:s s:b s:I s:I s:o s:o}", "file", file->name, "kept",
                                        file->kept, "bytes", (json_int_t)file->bytes,
                                        "resumed_from", (json_int_t)file->resumed, "digest",
                                        or_null(file->digest), "address", or_null(file->address)));
    }
    return tool_json_print("data fetch",
                           json_pack("{s:s s:o s:o s:b s:I s:I}", "name", name, "folder",
                                     tool_json_text(r->folder), "files", files, "unpacked",
                                     r->unpacked, "train_images", (json_int_t)r->train,
                                     "test_images", (json_int_t)r->test));
}

static void print_result(const char *name, const struct cairn_fetch_result *r)
{
    for (int i = 0; i < r->file_count; i++) {
        const struct cairn_fetch_file *file = &r->files[i];
        char size[32];
        compute_size_text(size, sizeof size, file->bytes);
        printf("%-28s %-8s %10s  %s\n", file->name, file->kept ? "kept" : "fetched", size,
               !strcmp(file->digest, "md5")      ? "MD5 as published"
               : !strcmp(file->digest, "sha256") ? "SHA-256 as published"
                                                 : "no digest is known; its content is sound");
    }
    printf("%s: %lld images to train, %lld to test, in %s\n", name, (long long)r->train,
           (long long)r->test, r->folder);
}

static int fetch(int argc, char **argv)
{
    struct cairn_fetch_options o = {.event = show};
    struct cairn_fetch_result result;
    struct option_list mirrors = {.count = 0};
    struct view view = {0};
    int64_t patience = 30;
    int as_json = 0, count;
    const struct option_row options[] = {
        {"data-dir", OPTION_TEXT, &o.data_dir, "DIR", "fetch to DIR/NAME", 0, 0, NULL},
        {"mirror", OPTION_LIST, &mirrors, "URL",
         "a folder (http or https) that is asked first; may be given again", 0, 0, NULL},
        {"npz", OPTION_FLAG, &o.npz, NULL, "the files in their NPZ form (kmnist)", 0, 0, NULL},
        {"timeout", OPTION_INT, &patience, "SECONDS",
         "without a byte until the next address is asked (30)", 1, 86400, NULL},
        {"quiet", OPTION_FLAG, &view.quiet, NULL, "no progress", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print the result as JSON", 0, 0, NULL},
        NONE,
    };
    const struct option_set set = {
        "data fetch",
        "NAME [OPTION]...",
        "Fetches the files of the data set NAME to --data-dir, $CAIRN_DATA_DIR or "
        "$XDG_DATA_HOME/cairn, where training finds\n"
        "them. What is there and right is kept, what was broken off is gone on with (FILE.part), "
        "and what has not the\n"
        "published digest is thrown away. https_proxy and the like are obeyed.",
        options,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    view.bar = !view.quiet && tool_can_rewrite();
    o.name = argv[1];
    o.mirrors = mirrors.items;
    o.mirror_count = mirrors.count;
    o.patience = (int)patience;
    o.context = &view;
    o.stop = tool_watch_signals(0);
    cairn_status st = cairn_data_fetch(&o, &result);
    if (view.bar) fputs("\r\033[K", stderr);
    if (st != CAIRN_OK) {
        cairn_fetch_result_free(&result);
        return tool_fail("data fetch", st);
    }
    code = 0;
    if (as_json)
        code = print_result_json(o.name, &result);
    else
        print_result(o.name, &result);
    cairn_fetch_result_free(&result);
    return code;
}

int cmd_data(int argc, char **argv)
{
    static const struct option_part parts[] = {
        {"list", "[OPTION]...", list},
        {"fetch", "NAME [OPTION]...", fetch},
        {NULL, NULL, NULL},
    };
    return options_parts("data", "Lists the data sets that there are, or fetches the files of one.",
                         parts, argc, argv);
}
