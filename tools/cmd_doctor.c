/* cairn doctor: is a device fit for exact arithmetic? The work is done by this program started once
 * more with --events, so that a driver that crashes or hangs is a finding and not the end. */
#include "commands.h"
#include "doctor.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- --events: the work itself, each event as a line of JSON --- */

static void print_event(void *context, const struct cairn_doctor_event *e)
{
    (void)context;
    json_t *line = json_pack(
        "{s:s s:o s:o s:o s:I s:I s:I s:I s:b}", "kind", cairn_doctor_kind_name(e->kind), "what",
        tool_json_text(e->what), "how", tool_json_text(e->how), "detail", tool_json_text(e->detail),
        "cases", (json_int_t)e->cases, "runs", (json_int_t)e->runs, "values", (json_int_t)e->values,
        "different", (json_int_t)e->different, "good", e->good);
    if (line) json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

static int run_events(const struct doctor *d)
{
    struct cairn_doctor_options options = {.device = d->spec,
                                           .cases = d->cases,
                                           .small = d->small,
                                           .seed = (uint64_t)d->seed,
                                           .skips = d->skips.items,
                                           .skip_count = d->skips.count,
                                           .stop = tool_watch_signals(SA_RESTART),
                                           .event = print_event};
    cairn_status st = cairn_doctor(&options);
    return st == CAIRN_OK ? 0 : tool_fail("doctor", st);
}

/* --- the verdict --- */

int doctor_is_unfit(const struct doctor *d)
{
    for (int i = 0; i < d->bad_count; i++)
        if (!strcmp(d->bads[i].what, "device")) return 1;
    return !d->fit;
}

void doctor_verdict(const struct doctor *d, char *text, size_t size)
{
    int n = 0;
    if (doctor_is_unfit(d)) {
        const char *why = "";
        for (int i = d->bad_count - 1; i >= 0; i--)
            if (!strcmp(d->bads[i].what, "device")) why = d->bads[i].how;
        if (d->fit)
            snprintf(text, size, "unfit for exact arithmetic: %s", why);
        else
            snprintf(text, size, "unfit for exact arithmetic: the probe found its %s wrong",
                     d->probe);
        return;
    }
    n = snprintf(text, size, "sound");
    for (int i = 0, first = 1; i < d->bad_count; i++) {
        char op[48] = "", name[16] = "";
        sscanf(d->bads[i].what, "variant %47s %15s", op, name);
        if (n < (int)size)
            n += snprintf(text + n, size - (size_t)n, "%s%s=%s", first ? " without " : ", ", op,
                          name);
        first = 0;
    }
}

/* What holds for the device as a whole; each variant was recorded when it was told. */
static cairn_status remember(const struct doctor *d)
{
    char verdict[1024];
    if (!doctor_is_unfit(d)) return cairn_doctor_forget(&d->info, "device");
    doctor_verdict(d, verdict, sizeof verdict);
    return cairn_doctor_record(&d->info, "device", verdict);
}

static void tell_remembered(void *context, const char *what, const char *how)
{
    json_t *entry =
        json_pack("{s:o s:o}", "what", tool_json_text(what), "how", tool_json_text(how));
    json_array_append_new(context, entry);
}

static int forget(const struct doctor *d)
{
    json_t *entries = json_array(), *entry;
    size_t i;
    cairn_status st = cairn_doctor_remembered(&d->info, tell_remembered, entries);
    if (st == CAIRN_OK) st = cairn_doctor_forget(&d->info, NULL);
    if (st == CAIRN_OK && d->as_json)
        return tool_json_print("doctor",
                               json_pack("{s:s s:o s:o}", "device", d->info.spec, "name",
                                         tool_json_text(d->info.name), "forgotten", entries));
    if (st == CAIRN_OK) {
        json_array_foreach(entries, i, entry)
            printf("%s: %s\n", json_string_value(json_object_get(entry, "what")),
                   json_string_value(json_object_get(entry, "how")));
        printf("%s (%s): %zu forgotten\n", d->info.spec, d->info.name, json_array_size(entries));
    }
    json_decref(entries);
    return st == CAIRN_OK ? 0 : tool_fail("doctor", st);
}

static int finish(struct doctor *d)
{
    int code = doctor_is_unfit(d) || d->bad_count ? 1 : 0;
    cairn_status st = remember(d);
    if (st != CAIRN_OK) {
        fprintf(stderr, "cairn doctor: the verdict is not remembered: %s\n", cairn_error());
        code = 3;
    }
    int written = doctor_report(d);
    return written ? written : code;
}

static int parse(int argc, char **argv, struct doctor *d)
{
    const struct option_row rows[] = {
        {"device", OPTION_TEXT, &d->spec, "D", "the device to examine (opencl)", 0, 0, NULL},
        {"quick", OPTION_FLAG, &d->quick, NULL, "20 cases of each operator instead of 100", 0, 0,
         NULL},
        {"full", OPTION_FLAG, &d->full, NULL, "500 cases of each operator", 0, 0, NULL},
        {"cases", OPTION_INT, &d->cases, "N", "so many", 1, 1000000, NULL},
        {"small", OPTION_FLAG, &d->small, NULL, "tiny shapes, for simulators and slow devices", 0,
         0, NULL},
        {"seed", OPTION_INT, &d->seed, "N", "which random cases (1)", 0, INT64_MAX, NULL},
        {"skip", OPTION_LIST, &d->skips, "OP=NAME", "leave out a variant; may be repeated", 0, 0,
         NULL},
        {"seconds", OPTION_INT, &d->seconds, "N",
         "silence that counts as a hang (600); 0 waits for ever", 0, 1000000, NULL},
        {"output", OPTION_TEXT, &d->output, "FILE", "write the report to a file, too", 0, 0, NULL},
        {"forget", OPTION_FLAG, &d->forget, NULL,
         "examine nothing; forget what failed on this device", 0, 0, NULL},
        {"events", OPTION_FLAG, &d->events, NULL,
         "in this process, with each event as a line of JSON", 0, 0, NULL},
        {"json", OPTION_FLAG, &d->as_json, NULL, "print one JSON value", 0, 0, NULL},
        {0},
    };
    const struct option_set set = {
        "doctor",
        "[OPTION]...",
        "Examines a device: the probe's hard cases, every operator by every variant on random "
        "cases, gradients, and\n"
        "trainings of small nets on built-in images, all against the reference. The report can be "
        "sent to a driver's\n"
        "author: each finding is a line that `cairn check` takes back. A variant that failed is "
        "not used in exact mode,\n"
        "and a device that failed as a whole is refused, until `cairn doctor` finds them sound. "
        "Exit status 1 if one failed.",
        rows,
        0,
        0,
    };
    int count = 0, code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    if (d->quick + d->full + (d->cases > 0) > 1)
        return tool_misuse("doctor", "--quick, --full and --cases: give one of them");
    if (d->events && d->as_json)
        return tool_misuse("doctor", "--events and --json: give one of them");
    if (d->output && (code = doctor_check_output(d->output)) != -1) return code;
    if (d->quick) d->cases = 20;
    if (d->full) d->cases = 500;
    if (!d->cases) d->cases = 100;
    for (int i = 0; i < d->skips.count; i++)
        if (!strchr(d->skips.items[i], '='))
            return tool_misuse("doctor", "--skip: '%s' is not of the form OP=NAME, like gemm=cpu",
                               d->skips.items[i]);
    return -1;
}

int cmd_doctor(int argc, char **argv)
{
    struct doctor *d = calloc(1, sizeof *d);
    if (!d) {
        fputs("cairn doctor: out of memory\n", stderr);
        return cairn_status_exit(CAIRN_MEMORY);
    }
    d->spec = "opencl";
    d->seed = 1;
    d->seconds = 600;
    int code = parse(argc, argv, d);
    if (code == -1 && !d->events && cairn_device_find(d->spec, &d->info) != CAIRN_OK)
        code = tool_fail("doctor", CAIRN_NOT_FOUND);
    if (code == -1 && d->events) code = run_events(d);
    if (code == -1 && d->forget) code = forget(d);
    if (code == -1) code = doctor_watch(d);
    if (code == -1) code = finish(d);
    free(d);
    return code;
}
