/* run-op [--device D] [--math M] [--variant V] PROBLEM FOLDER: one operator on numbers of your own.
 *
 * For authors of kernels, and for scripts that compare Cairn with something else: PROBLEM is a line
 * as `cairn check` prints it, without what follows the colon. Each operand is a file of its name in
 * FOLDER, raw little-endian float32, int32 or uint8 in row-major order, and nothing else. Inputs
 * are read; results are written, over their old values where the operator updates them.
 *
 * run-op --list PROBLEM prints a line for every operand in use: name, type, role and elements.
 * Exit status as of cairn. Built by `ninja`, not installed. */
#include "base/file.h"
#include "device/schema.h"

#include <cairn/device.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096 };
static const char *const types[] = {
    [CAIRN_F32] = "float32", [CAIRN_I32] = "int32", [CAIRN_U8] = "uint8"};
static const char *const roles[] = {
    [CAIRN_IN] = "in", [CAIRN_OUT] = "out", [CAIRN_INOUT] = "inout", [CAIRN_WORK] = "work"};

struct run {
    const char *device_spec, *variant, *line, *folder;
    struct cairn_device_options options;
    int list;
    struct cairn_device *device;
    struct cairn_problem problem;
    const struct cairn_operand *operands;
    struct cairn_buffer *buffers[CAIRN_MAX_OPERANDS];
};

static int complain(cairn_status st)
{
    fprintf(stderr, "run-op: %s\n", *cairn_error() ? cairn_error() : cairn_status_text(st));
    return cairn_status_exit(st);
}

static int misuse(const char *what)
{
    fprintf(stderr,
            "run-op: %s\nusage: run-op [--device D] [--math exact|fast] [--variant V] PROBLEM "
            "FOLDER\n       run-op --list PROBLEM\n",
            what);
    return 2;
}

static int64_t extent_of(const struct run *run, int i)
{
    return run->operands[i].extent ? run->operands[i].extent(&run->problem) : 0;
}

static int path_of(const struct run *run, int i, char path[PATH])
{
    return snprintf(path, PATH, "%s/%s", run->folder, run->operands[i].name) < PATH;
}

/* A buffer for operand i with the file's numbers, or zeros for a result: the gaps of strided ones
 * are not written. Returns an exit status, or -1 to go on. */
static int place(struct run *run, int i, int64_t extent)
{
    const struct cairn_operand *o = &run->operands[i];
    size_t bytes = (size_t)extent * cairn_dtype_size(o->dtype), size = 0;
    char path[PATH], *data = NULL;
    int code = -1;
    if (!path_of(run, i, path)) return misuse("the path of FOLDER is too long");
    cairn_status st = o->role == CAIRN_OUT ? CAIRN_OK : cairn_file_read(path, &data, &size);
    if (st == CAIRN_OK && data && size != bytes) {
        fprintf(stderr, "run-op: %s has %zu bytes; %s of this %s is %lld %s, %zu bytes\n", path,
                size, o->name, cairn_op_name(run->problem.op), (long long)extent, types[o->dtype],
                bytes);
        code = 2;
        goto out;
    }
    if (st == CAIRN_OK && !data && !(data = calloc(bytes, 1))) {
        fprintf(stderr, "run-op: out of memory for %s\n", o->name);
        code = 3;
        goto out;
    }
    if (st == CAIRN_OK) st = cairn_buffer_create(run->device, bytes, &run->buffers[i]);
    if (st == CAIRN_OK) st = cairn_buffer_write(run->buffers[i], 0, data, bytes);
    if (st != CAIRN_OK) code = complain(st);
out:
    free(data);
    return code;
}

static int place_work(struct run *run, int i)
{
    int64_t floats = 0;
    cairn_status st = cairn_work_size(run->device, &run->problem, &floats);
    if (st == CAIRN_OK && floats)
        st = cairn_buffer_create(run->device, (size_t)floats * sizeof(float), &run->buffers[i]);
    return st == CAIRN_OK ? -1 : complain(st);
}

/* Writes the file of result i; an exit status, or -1 to go on. */
static int fetch(struct run *run, int i, int64_t extent)
{
    size_t bytes = (size_t)extent * cairn_dtype_size(run->operands[i].dtype);
    char path[PATH], *data = malloc(bytes);
    if (!data) return fprintf(stderr, "run-op: out of memory\n"), 3;
    (void)path_of(run, i, path); /* it fitted before */
    cairn_status st = cairn_buffer_read(run->buffers[i], 0, data, bytes);
    if (st == CAIRN_OK) st = cairn_file_write(path, data, bytes);
    free(data);
    return st == CAIRN_OK ? -1 : complain(st);
}

static int run_problem(struct run *run)
{
    int code = -1;
    for (int i = 0; run->operands[i].name && code < 0; i++) {
        int64_t extent = extent_of(run, i);
        if (run->operands[i].role == CAIRN_WORK)
            code = place_work(run, i);
        else if (extent)
            code = place(run, i, extent);
        if (run->buffers[i])
            *cairn_problem_mem(&run->problem, &run->operands[i]) =
                (struct cairn_mem){run->buffers[i], 0};
    }
    if (code < 0) {
        cairn_status st = cairn_run(run->device, &run->problem);
        if (st != CAIRN_OK) code = complain(st);
    }
    for (int i = 0; run->operands[i].name && code < 0; i++)
        if (run->operands[i].role == CAIRN_OUT || run->operands[i].role == CAIRN_INOUT)
            if (extent_of(run, i)) code = fetch(run, i, extent_of(run, i));
    for (int i = 0; i < CAIRN_MAX_OPERANDS; i++) cairn_buffer_destroy(run->buffers[i]);
    return code < 0 ? 0 : code;
}

/* Returns an exit status, or -1 to go on. */
static int parse(struct run *run, int argc, char **argv)
{
    int words = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--list")) {
            run->list = 1;
        } else if (!strncmp(argv[i], "--", 2)) {
            if (!value) return misuse("an option is unknown or has no value");
            if (!strcmp(argv[i], "--device"))
                run->device_spec = value;
            else if (!strcmp(argv[i], "--variant"))
                run->variant = value;
            else if (!strcmp(argv[i], "--math") && !strcmp(value, "fast"))
                run->options.math = CAIRN_MATH_FAST;
            else if (strcmp(argv[i], "--math") != 0 || strcmp(value, "exact") != 0)
                return misuse("an option or its value is unknown");
            i++;
        } else if (words < 2) {
            *(words++ ? &run->folder : &run->line) = argv[i];
        } else {
            return misuse("there is one argument too many");
        }
    }
    return words == 2 - run->list ? -1 : misuse("PROBLEM or FOLDER is missing, or one too many");
}

int main(int argc, char **argv)
{
    struct run run = {.device_spec = "reference"};
    int code = parse(&run, argc, argv);
    if (code >= 0) return code;
    cairn_status st = cairn_problem_parse(run.line, &run.problem, NULL);
    if (st != CAIRN_OK) return complain(st);
    run.operands = cairn_schema_of(run.problem.op)->operands;
    if (run.list) {
        for (int i = 0; run.operands[i].name; i++)
            if (extent_of(&run, i))
                printf("%s %s %s %lld\n", run.operands[i].name, types[run.operands[i].dtype],
                       roles[run.operands[i].role], (long long)extent_of(&run, i));
        return 0;
    }
    st = cairn_device_open(run.device_spec, &run.options, &run.device);
    if (st == CAIRN_OK && run.variant)
        st = cairn_device_force(run.device, cairn_op_name(run.problem.op), run.variant);
    code = st == CAIRN_OK ? run_problem(&run) : complain(st);
    cairn_device_close(run.device);
    return code;
}
