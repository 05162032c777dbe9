/* cairn devices: what is there, what it can do, whether it is exact. */
#include "commands.h"
#include "json.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct cairn_device_info info;
    cairn_status status; /* of the probe */
    char error[512];
};

struct list {
    struct entry *entries;
    int count, failed;
};

static void add(void *context, const struct cairn_device_info *info)
{
    struct list *list = context;
    struct entry *grown = realloc(list->entries, (size_t)(list->count + 1) * sizeof *grown);
    if (!grown) {
        list->failed = 1;
        return;
    }
    list->entries = grown;
    list->entries[list->count++] = (struct entry){.info = *info};
}

static void probe(struct entry *entry)
{
    struct cairn_device_info info;
    if (!entry->info.available) return;
    entry->status = cairn_device_probe(entry->info.spec, &info);
    if (entry->status == CAIRN_OK)
        entry->info = info;
    else
        snprintf(entry->error, sizeof entry->error, "%s", cairn_error());
}

/* "no (denormals, NaN)", "yes, with the integer fma", ... */
static void exactness(const struct entry *entry, char *text, size_t size)
{
    const struct cairn_device_info *info = &entry->info;
    if (!info->available)
        snprintf(text, size, "not usable: %s", info->note);
    else if (entry->status != CAIRN_OK)
        snprintf(text, size, "the probe failed: %s", entry->error);
    else if (!info->probed)
        snprintf(text, size, "not asked; see --probe");
    else if (!info->exact)
        snprintf(text, size, "no, its %s is wrong: --math fast only", info->probe_note);
    else if (*info->probe_note)
        snprintf(text, size, "yes, with %s done in integers", info->probe_note);
    else
        snprintf(text, size, "yes");
}

static void print_bytes(const char *label, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024 && unit < 4; unit++) value /= 1024;
    printf("%s%.4g %s", label, value, units[unit]);
}

/* What `cairn tune` has found on a device. */
static void print_tuned(const struct cairn_device_info *info)
{
    static const char *const names[] = {"exact", "fast"};
    struct cairn_tune_known known;
    for (int math = CAIRN_MATH_EXACT; math <= CAIRN_MATH_FAST; math++) {
        if (cairn_tune_look(info, (enum cairn_math)math, &known) != CAIRN_OK) continue;
        if (known.note[0]) printf("  tuned     %s: %s\n", names[math], known.note);
        if (known.known)
            printf("  tuned     %s: %d problems, %d of them not with their default (%s)\n",
                   names[math], known.known, known.won, known.path);
    }
}

static void print_text(const struct entry *entry)
{
    const struct cairn_device_info *info = &entry->info;
    char exact[1024];
    exactness(entry, exact, sizeof exact);
    printf("%s  %s\n", info->spec, info->name);
    printf("  type      %s, %s (%s)\n", info->type, info->platform, info->vendor);
    printf("  driver    %s, %s\n", info->driver, info->version);
    printf("  limits    %lld compute units, work-groups of %lld", (long long)info->compute_units,
           (long long)info->max_work_group);
    print_bytes(", memory ", info->global_bytes);
    print_bytes(", one buffer ", info->max_alloc_bytes);
    if (info->local_bytes) print_bytes(", local ", info->local_bytes);
    printf("\n  exact     %s\n", exact);
    if (info->available) print_tuned(info);
}

static json_t *to_json(const struct entry *entry)
{
    const struct cairn_device_info *info = &entry->info;
    json_t *object = json_pack(
        "{s:s s:o s:o s:o s:o s:o s:s s:I s:I s:I s:I s:I s:b s:s s:b}", "spec", info->spec, "name",
        tool_json_text(info->name), "vendor", tool_json_text(info->vendor), "platform",
        tool_json_text(info->platform), "driver", tool_json_text(info->driver), "version",
        tool_json_text(info->version), "type", info->type, "compute_units",
        (json_int_t)info->compute_units, "max_work_group", (json_int_t)info->max_work_group,
        "local_bytes", (json_int_t)info->local_bytes, "global_bytes",
        (json_int_t)info->global_bytes, "max_alloc_bytes", (json_int_t)info->max_alloc_bytes,
        "available", info->available, "note", info->note, "probed", info->probed);
    if (info->probed) {
        json_object_set_new(object, "exact", json_boolean(info->exact));
        json_object_set_new(object, "integer_fma", json_boolean(info->soft_fma));
        json_object_set_new(object, "wrong", tool_json_text(info->probe_note));
    }
    struct cairn_tune_known known;
    if (info->available && cairn_tune_look(info, CAIRN_MATH_EXACT, &known) == CAIRN_OK)
        json_object_set_new(object, "tuned",
                            json_pack("{s:i s:i s:o}", "problems", known.known, "won", known.won,
                                      "file", tool_json_text(known.path)));
    if (entry->status != CAIRN_OK)
        json_object_set_new(object, "error", tool_json_text(entry->error));
    return object;
}

static int print_json(const struct list *list)
{
    json_t *array = json_array();
    for (int i = 0; i < list->count; i++) json_array_append_new(array, to_json(&list->entries[i]));
    return tool_json_print("devices", array);
}

int cmd_devices(int argc, char **argv)
{
    int ask = 0, as_json = 0, count, code;
    struct list list = {0};
    const struct option_row rows[] = {
        {"probe", OPTION_FLAG, &ask, NULL, "ask each device the hard cases of the exact arithmetic",
         0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "devices",
        "[OPTION]...",
        "Lists the devices that --device can name: the reference and every OpenCL device. opencl "
        "is the first\n"
        "GPU, else accelerator, else CPU; opencl:N the N-th OpenCL device from 0; opencl:P.D "
        "device D of\n"
        "platform P; opencl:NAME one with NAME in its name, its platform's or its vendor's.",
        rows,
        0,
        0,
    };
    code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    cairn_status st = cairn_device_list(add, &list);
    code = st != CAIRN_OK ? tool_fail("devices", st) : 0;
    if (list.failed) {
        fputs("cairn devices: out of memory\n", stderr);
        code = cairn_status_exit(CAIRN_MEMORY);
    }
    for (int i = 0; ask && i < list.count; i++) {
        probe(&list.entries[i]);
        if (list.entries[i].status != CAIRN_OK) code = cairn_status_exit(list.entries[i].status);
    }
    if (as_json && print_json(&list) != 0 && code == 0) code = 3;
    for (int i = 0; !as_json && i < list.count; i++) print_text(&list.entries[i]);
    if (!as_json && list.count == 1 && st == CAIRN_OK)
        puts("There is no OpenCL device. On Debian, pocl-opencl-icd makes one of the CPU.");
    free(list.entries);
    return code;
}
