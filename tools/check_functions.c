#include "check_functions.h"
#include "commands.h"
#include "json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int is_wanted(const struct check_functions *options, const char *name)
{
    for (int i = 0; i < options->names.count; i++)
        if (!strcmp(options->names.items[i], name)) return 1;
    return !options->names.count;
}

int check_functions_words(const struct check_functions *options)
{
    for (int i = 0; i < options->names.count; i++) {
        int known = 0;
        for (int f = 0; f < CAIRN_FUNCTION_COUNT; f++)
            known |= !strcmp(options->names.items[i], cairn_function_name((enum cairn_function)f));
        if (known) continue;
        fprintf(stderr, "cairn check: --function: '%s' is no function; there are:",
                options->names.items[i]);
        for (int f = 0; f < CAIRN_FUNCTION_COUNT; f++)
            fprintf(stderr, " %s", cairn_function_name((enum cairn_function)f));
        return fputc('\n', stderr), 2;
    }
    if (options->from > options->to)
        return tool_misuse("check", "--from: %lld lies behind --to, which is %lld",
                           (long long)options->from, (long long)options->to);
    return -1;
}

static void progress(void *context, enum cairn_function function, uint64_t next)
{
    double *shown = context, now = seconds_now();
    if (!tool_can_rewrite() || now - *shown < 0.2) return;
    *shown = now;
    fprintf(stderr, "\r\033[K%-20s %5.1f %%", cairn_function_name(function),
            100 * (double)next / 4294967296.0);
}

static float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void print_text(const char *name, const struct cairn_function_result *r, double seconds)
{
    if (tool_can_rewrite()) fputs("\r\033[K", stderr);
    printf("%-20s %10lld values %10lld differ %8.1f s\n", name, (long long)r->values,
           (long long)r->different, seconds);
    if (r->different)
        printf("    of operand 0x%08x (%.9g): 0x%08x (%.9g), should be 0x%08x (%.9g); --function "
               "%s --from %u --to %llu\n",
               r->at, (double)as_float(r->at), r->got, (double)as_float(r->got), r->want,
               (double)as_float(r->want), name, r->at, (unsigned long long)r->at + 1);
    fflush(stdout);
}

static json_t *to_json(const char *name, const struct cairn_function_result *r, double seconds)
{
    json_t *object =
        json_pack("{s:s s:I s:I s:f}", "function", name, "values", (json_int_t)r->values,
                  "different", (json_int_t)r->different, "seconds", seconds);
    if (r->different) {
        json_object_set_new(object, "operand", json_integer(r->at));
        json_object_set_new(object, "got", json_integer(r->got));
        json_object_set_new(object, "want", json_integer(r->want));
    }
    return object;
}

int check_functions_run(const struct check_functions *options, struct cairn_device *device)
{
    double shown = 0;
    struct cairn_function_options run = {.from = (uint64_t)options->from,
                                         .to = (uint64_t)options->to,
                                         .every = (uint32_t)options->every,
                                         .stop = tool_watch_signals(0),
                                         .progress = progress,
                                         .context = &shown};
    json_t *list = json_array();
    int code = 0;
    for (int f = 0; f < CAIRN_FUNCTION_COUNT; f++) {
        enum cairn_function function = (enum cairn_function)f;
        const char *name = cairn_function_name(function);
        struct cairn_function_result result;
        double start = seconds_now();
        if (!is_wanted(options, name)) continue;
        cairn_status st = cairn_check_function(device, function, &run, &result);
        if (st == CAIRN_UNSUPPORTED && !options->names.count) continue;
        if (st == CAIRN_INTERRUPTED)
            fprintf(stderr, "cairn check: interrupted; --function %s --from %llu goes on with it\n",
                    name, (unsigned long long)result.next);
        if (st != CAIRN_OK && st != CAIRN_DIFFERENT && st != CAIRN_INTERRUPTED)
            code = tool_fail("check", st);
        else if (options->as_json)
            json_array_append_new(list, to_json(name, &result, seconds_now() - start));
        else
            print_text(name, &result, seconds_now() - start);
        if (result.different && code == 0) code = 1;
        if (st == CAIRN_INTERRUPTED) code = cairn_status_exit(st);
        if (code > 1) break;
    }
    if (!options->as_json) {
        json_decref(list);
        return code;
    }
    int printed = tool_json_print(
        "check", json_pack("{s:s s:o s:o s:o}", "device", cairn_device_info(device)->spec, "name",
                           tool_json_text(cairn_device_info(device)->name), "driver",
                           tool_json_text(cairn_device_info(device)->driver), "functions", list));
    return printed ? printed : code;
}
