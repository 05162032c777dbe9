/* Fetching the files of a data set: addresses in turn, partial files, digests, unpacking. */
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/place.h"
#include "io/http.h"
#include "io/tar.h"
#include <cairn/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE 30 /* seconds */
#define ROUNDS 5    /* over all addresses, as long as bytes came */
#define MOST_MIRRORS 64

struct fetch {
    const struct cairn_fetch_options *options;
    struct cairn_fetch_result *result;
    struct cairn_dataset_entry entry;
    const char *addresses[MOST_MIRRORS + CAIRN_DATASET_ADDRESSES];
    int address_count;
    char *target; /* the folder */
};

/* A file being fetched. */
struct job {
    const struct cairn_dataset_file *file;
    int number; /* in its data set's files; -1: the archive */
    char *path, *part, *url;
    int given_up[MOST_MIRRORS + CAIRN_DATASET_ADDRESSES]; /* addresses that are not asked again */
    char why[768];                                        /* what each address answered */
    struct cairn_fetch_file *done;
};

static void tell(const struct fetch *f, enum cairn_fetch_event_kind kind, const struct job *job,
                 const char *text, int64_t bytes, int64_t total)
{
    const struct cairn_fetch_event event = {
        .kind = kind,
        .file = job ? job->file->name : NULL,
        .address = job ? job->url : NULL,
        .text = text,
        .bytes = bytes,
        .total = total,
        .done = kind == CAIRN_FETCH_FILE ? job->done : NULL,
    };
    if (f->options->event) f->options->event(f->options->context, &event);
}

static int64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* --- checking --- */

static int wanted_members(const struct cairn_dataset_entry *entry, char names[7][32],
                          struct cairn_tar_member members[7])
{
    const int64_t record = 1 + (int64_t)entry->c * entry->h * entry->w;
    for (int i = 0; i < CAIRN_CIFAR_TRAIN_FILES; i++) {
        snprintf(names[i], 32, "data_batch_%d.bin", i + 1);
        members[i].size = entry->train / CAIRN_CIFAR_TRAIN_FILES * record;
    }
    snprintf(names[5], 32, "test_batch.bin");
    members[5].size = entry->test * record;
    snprintf(names[6], 32, "batches.meta.txt");
    members[6].size = -1;
    members[6].optional = 1;
    for (int i = 0; i < 7; i++) members[i].name = names[i];
    return 7;
}

static cairn_status take_members(const struct fetch *f, const char *archive, const char *to)
{
    char names[7][32];
    struct cairn_tar_member members[7] = {{0}};
    int count = wanted_members(&f->entry, names, members);
    return cairn_tar_take(archive, CAIRN_CIFAR_FOLDER, members, count, to);
}

/* Whether a file is what was published: by its digest, or where none is known by its content. */
static cairn_status check(const struct fetch *f, const struct job *job, const char *path)
{
    const struct cairn_dataset_file *file = job->file;
    int md5 = !*file->sha256;
    const char *wanted = md5 ? file->md5 : file->sha256;
    char found[65];
    if (*wanted) {
        cairn_status st = cairn_digest_file(path, md5, found);
        if (st == CAIRN_OK && strcmp(found, wanted) != 0)
            st = cairn_fail(CAIRN_FORMAT, "its %s is %s, not %s as published",
                            md5 ? "MD5" : "SHA-256", found, wanted);
        return st;
    }
    if (job->number < 0) return take_members(f, path, NULL);
    struct cairn_idx array;
    cairn_status st = cairn_dataset_read_array(&f->entry, path, job->number, &array);
    if (st == CAIRN_OK) cairn_idx_free(&array);
    return st;
}

static void finish(const struct fetch *f, const struct job *job)
{
    struct cairn_fetch_file *done = job->done;
    snprintf(done->name, sizeof done->name, "%s", job->file->name);
    snprintf(done->digest, sizeof done->digest, "%s",
             *job->file->sha256 ? "sha256"
             : *job->file->md5  ? "md5"
                                : "");
    done->bytes = size_of(job->path);
    f->result->file_count++;
    tell(f, CAIRN_FETCH_FILE, job, NULL, done->bytes, done->bytes);
}

/* --- one file --- */

struct watcher {
    const struct fetch *fetch;
    const struct job *job;
};

static void on_progress(void *context, int64_t bytes, int64_t total)
{
    const struct watcher *w = context;
    tell(w->fetch, CAIRN_FETCH_BYTES, w->job, NULL, bytes, total);
}

static cairn_status make_url(struct job *job, const char *address)
{
    size_t n = strlen(address), room = n + strlen(job->file->name) + 2;
    free(job->url);
    job->url = malloc(room);
    if (!job->url) return cairn_fail(CAIRN_MEMORY, "no memory for an address");
    snprintf(job->url, room, "%s%s%s", address, n && address[n - 1] == '/' ? "" : "/",
             job->file->name);
    return CAIRN_OK;
}

/* Adds what went wrong, which is in cairn_error(), to what is told in the end. */
static void give_up(const struct fetch *f, struct job *job)
{
    size_t n = strlen(job->why);
    if (!strstr(job->why, cairn_error()))
        snprintf(job->why + n, sizeof job->why - n, "%s%s", n ? "; " : "", cairn_error());
    tell(f, CAIRN_FETCH_WARNING, job, cairn_error(), 0, 0);
}

static cairn_status throw_away(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT) return CAIRN_OK;
    return cairn_fail_errno(CAIRN_IO, "cannot remove %s", path);
}

static cairn_status interrupted(const struct job *job)
{
    int64_t size = size_of(job->part);
    if (size == 0) unlink(job->part);
    if (size <= 0) return cairn_fail(CAIRN_INTERRUPTED, "interrupted");
    return cairn_fail(CAIRN_INTERRUPTED,
                      "interrupted; %s is kept, and the next fetch goes on from its %lld bytes",
                      job->part, (long long)size);
}

/* One request. *have: the file is whole and right. Not CAIRN_OK: no other address would help. A
 * partial file of an earlier try that turns out wrong is thrown away: *again, from the start. */
static cairn_status ask(const struct fetch *f, struct job *job, int address, int64_t *got,
                        int *have, int *again)
{
    const struct watcher watcher = {f, job};
    const struct cairn_http_request request = {
        .url = job->url,
        .part = job->part,
        .patience = f->options->patience ? f->options->patience : PATIENCE,
        .stop = f->options->stop,
        .progress = on_progress,
        .context = (void *)&watcher,
    };
    struct cairn_http_result result;
    int64_t before = size_of(job->part);
    if (f->options->stop && *f->options->stop) return interrupted(job);
    tell(f, CAIRN_FETCH_ASKING, job, NULL, before > 0 ? before : 0, 0);
    cairn_status st = cairn_http_get(&request, &result);
    *got += result.bytes;
    if (st == CAIRN_INTERRUPTED) return interrupted(job);
    if (st != CAIRN_OK && !result.remote) return st;
    if (st == CAIRN_OK) {
        job->done->resumed = result.resumed;
        st = check(f, job, job->part);
        if (st == CAIRN_MEMORY || st == CAIRN_IO || st == CAIRN_UNSUPPORTED) return st;
        if (st == CAIRN_OK) return *have = 1, CAIRN_OK;
        cairn_fail_in(st, "%s: thrown away", job->url);
        *again = result.resumed > 0;
        job->given_up[address] = !*again;
    } else {
        *again = result.foreign && before > 0;
        job->given_up[address] = result.refused && !*again;
        if (!result.foreign) return give_up(f, job), CAIRN_OK;
    }
    give_up(f, job);
    return throw_away(job->part);
}

static cairn_status download(const struct fetch *f, struct job *job)
{
    cairn_status st = CAIRN_OK;
    int have = 0;
    int64_t got = 1;
    for (int round = 0; round < ROUNDS && got > 0 && !have; round++) {
        got = 0;
        for (int i = 0; i < f->address_count && !have; i++) {
            int again = 0;
            if (job->given_up[i]) continue;
            TRY(make_url(job, f->addresses[i]));
            TRY(ask(f, job, i, &got, &have, &again));
            if (again) TRY(ask(f, job, i, &got, &have, &again));
        }
    }
    if (!have) {
        if (size_of(job->part) == 0) unlink(job->part);
        st = cairn_fail(CAIRN_IO, "%s: no address has %s%s: %s", f->entry.name, job->file->name,
                        size_of(job->part) > 0 ? " (what came is kept)" : "", job->why);
        goto out;
    }
    TRY(cairn_file_rename(job->part, job->path));
    snprintf(job->done->address, sizeof job->done->address, "%s", job->url);
out:
    return st;
}

static cairn_status fetch_file(const struct fetch *f, const struct cairn_dataset_file *file,
                               int number)
{
    cairn_status st = CAIRN_OK;
    struct job job = {.file = file, .number = number};
    char part[80];
    job.done = &f->result->files[f->result->file_count];
    snprintf(part, sizeof part, "%s.part", file->name);
    job.path = cairn_file_join(f->target, file->name);
    job.part = cairn_file_join(f->target, part);
    if (!job.path || !job.part) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for a path");
        goto out;
    }
    if (cairn_file_exists(job.path)) {
        st = check(f, &job, job.path);
        job.done->kept = st == CAIRN_OK;
        if (st == CAIRN_MEMORY || st == CAIRN_IO || st == CAIRN_UNSUPPORTED) goto out;
        if (st != CAIRN_OK) {
            cairn_fail_in(st, "%s is replaced", job.path);
            tell(f, CAIRN_FETCH_WARNING, &job, cairn_error(), 0, 0);
        }
    }
    st = CAIRN_OK;
    if (!job.done->kept) TRY(download(f, &job));
    finish(f, &job);
out:
    free(job.path);
    free(job.part);
    free(job.url);
    return st;
}

/* --- the data set --- */

static int file_count(const struct fetch *f)
{
    return f->entry.kind == CAIRN_DATASET_CIFAR ? 1 : CAIRN_DATASET_FILES;
}

static const struct cairn_dataset_file *file_at(const struct fetch *f, int i)
{
    if (f->entry.kind == CAIRN_DATASET_CIFAR) return &f->entry.archive;
    return f->options->npz ? &f->entry.npz[i] : &f->entry.files[i];
}

static cairn_status check_options(struct fetch *f)
{
    const struct cairn_fetch_options *o = f->options;
    const char *name = f->entry.name;
    if (f->entry.kind == CAIRN_DATASET_GLYPHS)
        return cairn_fail(CAIRN_INVALID, "%s: there is nothing to fetch: it is drawn from a seed",
                          name);
    if (f->entry.kind == CAIRN_DATASET_IMAGES)
        return cairn_fail(CAIRN_INVALID,
                          "%s: there is nothing to fetch: the images are your own, in the folder "
                          "given with --data-dir or in CAIRN_DATA_DIR",
                          name);
    if (o->npz && !*f->entry.npz[0].name)
        return cairn_fail(CAIRN_INVALID, "%s: it is not published in the NPZ form", name);
    if (!*file_at(f, 0)->name)
        return cairn_fail(CAIRN_INVALID, "%s: the register names no archive to fetch", name);
    if (o->mirror_count > MOST_MIRRORS)
        return cairn_fail(CAIRN_INVALID, "more than %d mirrors", MOST_MIRRORS);
    for (int i = 0; i < o->mirror_count; i++) {
        const char *url = o->mirrors[i];
        if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
            return cairn_fail(CAIRN_INVALID,
                              "mirror '%s': the address of a folder is expected, http:// or "
                              "https:// (files that are here need no mirror: --data-dir)",
                              url);
        f->addresses[f->address_count++] = url;
    }
    for (int i = 0; i < CAIRN_DATASET_ADDRESSES && *f->entry.addresses[i]; i++)
        f->addresses[f->address_count++] = f->entry.addresses[i];
    if (f->address_count == 0)
        return cairn_fail(CAIRN_INVALID, "%s: the register has no address: give one with --mirror",
                          name);
    return CAIRN_OK;
}

/* All files of the archive are in a folder, or in the archive's folder there, with their sizes. */
static int is_unpacked(const struct fetch *f, const char *folder)
{
    char names[7][32];
    struct cairn_tar_member members[7] = {{0}};
    int all = 1;
    char *inner = cairn_file_join(folder, CAIRN_CIFAR_FOLDER);
    wanted_members(&f->entry, names, members);
    for (int i = 0; i < 6 && all; i++) {
        char *paths[2] = {inner ? cairn_file_join(inner, names[i]) : NULL,
                          cairn_file_join(folder, names[i])};
        all = (paths[0] && size_of(paths[0]) == members[i].size) ||
              (paths[1] && size_of(paths[1]) == members[i].size);
        free(paths[0]);
        free(paths[1]);
    }
    free(inner);
    return all;
}

static int has_archive(const struct fetch *f, const char *folder)
{
    char *path = cairn_file_join(folder, f->entry.archive.name);
    int there = path && cairn_file_exists(path);
    free(path);
    return there;
}

/* All files are in a folder, and right. An archive is not asked for where its files are. */
static int all_right(const struct fetch *f, const char *folder)
{
    if (f->entry.kind == CAIRN_DATASET_CIFAR && !has_archive(f, folder))
        return is_unpacked(f, folder);
    for (int i = 0; i < file_count(f); i++) {
        const struct job job = {.file = file_at(f, i), .number = file_count(f) == 1 ? -1 : i};
        char *path = cairn_file_join(folder, job.file->name);
        int right = path && cairn_file_exists(path) && check(f, &job, path) == CAIRN_OK;
        free(path);
        if (!right) return 0;
    }
    return 1;
}

/* FOLDER/NAME; FOLDER itself where that is not there and the files are, and are right. */
static cairn_status find_target(struct fetch *f)
{
    char *base;
    cairn_status st = cairn_place_base(&f->entry, f->options->data_dir, &base);
    if (st != CAIRN_OK) return st;
    f->target = cairn_file_join(base, f->entry.name);
    if (f->target && !cairn_file_exists(f->target) && all_right(f, base)) {
        free(f->target);
        f->target = base;
        return CAIRN_OK;
    }
    free(base);
    if (!f->target) return cairn_fail(CAIRN_MEMORY, "no memory for a path");
    return cairn_file_mkdirs(f->target);
}

/* Takes the files out of the archive unless all are there with their sizes. */
static cairn_status unpack(const struct fetch *f)
{
    cairn_status st = CAIRN_OK;
    if (is_unpacked(f, f->target)) return CAIRN_OK;
    char *archive = cairn_file_join(f->target, f->entry.archive.name);
    char *to = cairn_file_join(f->target, CAIRN_CIFAR_FOLDER);
    if (!archive || !to) {
        st = cairn_fail(CAIRN_MEMORY, "no memory for a path");
        goto out;
    }
    tell(f, CAIRN_FETCH_UNPACKING, NULL, archive, 0, 0);
    TRY(cairn_file_mkdirs(to));
    TRY(take_members(f, archive, to));
    f->result->unpacked = 1;
out:
    free(archive);
    free(to);
    return st;
}

/* An archive whose files are there already is not fetched. */
static cairn_status fetch_archive(const struct fetch *f)
{
    cairn_status st = CAIRN_OK;
    if (!has_archive(f, f->target) && is_unpacked(f, f->target)) return CAIRN_OK;
    TRY(fetch_file(f, &f->entry.archive, -1));
    TRY(unpack(f));
out:
    return st;
}

cairn_status cairn_data_fetch(const struct cairn_fetch_options *options,
                              struct cairn_fetch_result *result)
{
    cairn_status st = CAIRN_OK;
    struct fetch f = {.options = options, .result = result};
    struct cairn_dataset dataset = {0};
    memset(result, 0, sizeof *result);
    TRY(cairn_register_find(options->name, &f.entry));
    TRY(check_options(&f));
    TRY(find_target(&f));
    if (f.entry.kind == CAIRN_DATASET_CIFAR) TRY(fetch_archive(&f));
    for (int i = 0; i < CAIRN_DATASET_FILES && f.entry.kind == CAIRN_DATASET_IDX; i++)
        TRY(fetch_file(&f, file_at(&f, i), i));
    TRY(cairn_dataset_load(options->name, f.target, 0, &dataset));
    result->train = dataset.train.count;
    result->test = dataset.test.count;
    result->folder = f.target;
    f.target = NULL;
out:
    if (f.target) rmdir(f.target); /* where nothing came */
    cairn_dataset_free(&dataset);
    free(f.target);
    return st;
}

void cairn_fetch_result_free(struct cairn_fetch_result *result)
{
    free(result->folder);
    memset(result, 0, sizeof *result);
}
