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

#include <cairn/own.h>

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

static int path_of(const struct run *run, const struct cairn_operand_info *o, char path[PATH])
{
    return snprintf(path, PATH, "%s/%s", run->folder, o->name) < PATH;
}

static size_t bytes_of(const struct cairn_operand_info *o)
{
    return (size_t)o->elements * cairn_dtype_size(o->dtype);
}

/* The file's numbers, or zeros for a result: the gaps of strided ones are not written. Returns an
 * exit status, or -1 to go on. */
static int read_operand(const struct run *run, const struct cairn_operand_info *o,
                        struct cairn_array *array)
{
    size_t bytes = bytes_of(o), size = 0;
    char path[PATH], *data = NULL;
    if (!path_of(run, o, path)) return misuse("the path of FOLDER is too long");
    cairn_status st = o->role == CAIRN_OUT ? CAIRN_OK : cairn_file_read(path, &data, &size);
    if (st != CAIRN_OK) return complain(st);
    if (data && size != bytes) {
        fprintf(stderr, "run-op: %s has %zu bytes; %s of this %s is %lld %s, %zu bytes\n", path,
                size, o->name, cairn_op_name(run->problem.op), (long long)o->elements,
                types[o->dtype], bytes);
        free(data);
        return 2;
    }
    if (!data && !(data = calloc(bytes, 1))) {
        fprintf(stderr, "run-op: out of memory for %s\n", o->name);
        return 3;
    }
    *array = (struct cairn_array){o->name, data, o->elements};
    return -1;
}

static int run_problem(struct run *run)
{
    struct cairn_array arrays[CAIRN_MAX_OPERANDS] = {{0}};
    struct cairn_operand_info o;
    char path[PATH];
    int code = -1, count = 0;
    for (int i = 0; cairn_problem_operand(&run->problem, i, &o) && code < 0; i++)
        if (o.role != CAIRN_WORK) code = read_operand(run, &o, &arrays[count++]);
    if (code < 0) {
        cairn_status st = cairn_run_arrays(run->device, &run->problem, arrays, count);
        if (st != CAIRN_OK) code = complain(st);
    }
    for (int i = 0, j = 0; cairn_problem_operand(&run->problem, i, &o) && code < 0; i++) {
        if (o.role == CAIRN_OUT || o.role == CAIRN_INOUT) {
            (void)path_of(run, &o, path); /* it fitted before */
            cairn_status st = cairn_file_write(path, arrays[j].data, bytes_of(&o));
            if (st != CAIRN_OK) code = complain(st);
        }
        j += o.role != CAIRN_WORK;
    }
    for (int i = 0; i < count; i++) free(arrays[i].data);
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
    struct cairn_operand_info o;
    for (int i = 0; run.list && cairn_problem_operand(&run.problem, i, &o); i++)
        if (o.role != CAIRN_WORK)
            printf("%s %s %s %lld\n", o.name, types[o.dtype], roles[o.role], (long long)o.elements);
    if (run.list) return 0;
    st = cairn_device_open(run.device_spec, &run.options, &run.device);
    if (st == CAIRN_OK && run.variant)
        st = cairn_device_force(run.device, cairn_op_name(run.problem.op), run.variant);
    code = st == CAIRN_OK ? run_problem(&run) : complain(st);
    cairn_device_close(run.device);
    return code;
}
