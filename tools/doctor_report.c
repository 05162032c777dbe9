#include "commands.h"
#include "doctor.h"
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void print_device(FILE *out, const struct cairn_device_info *i)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm tm;
    strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &tm));
    fprintf(out, "cairn doctor %s, %s\n\n", cairn_version(), now);
    fprintf(out, "device     %s, %s (%s)\nvendor     %s\nplatform   %s\n", i->spec, i->name,
            i->type, i->vendor, i->platform);
    fprintf(out, "driver     %s\nversion    %s\nfeatures   %s\n", i->driver, i->version,
            i->features);
    fprintf(out,
            "limits     %lld compute units, work-groups of %lld; bytes: %lld local, %lld global, "
            "%lld in one buffer\n",
            (long long)i->compute_units, (long long)i->max_work_group, (long long)i->local_bytes,
            (long long)i->global_bytes, (long long)i->max_alloc_bytes);
}

static void print_operators(FILE *out, const struct doctor *d)
{
    fprintf(out, "\n%-16s %7s %8s %13s %10s\n", "operator", "cases", "runs", "values", "differ");
    for (int op = 0; op < CAIRN_OP_COUNT; op++)
        if (d->ops[op].there)
            fprintf(out, "%-16s %7lld %8lld %13lld %10lld\n", cairn_op_name((enum cairn_op)op),
                    (long long)d->ops[op].cases, (long long)d->ops[op].runs,
                    (long long)d->ops[op].values, (long long)d->ops[op].different);
}

static void print_nets(FILE *out, const struct doctor *d)
{
    if (d->net_count) fprintf(out, "\n%-16s %10s  %s\n", "net", "slopes off", "weights_sha256");
    for (int i = 0; i < d->net_count; i++) {
        const struct doctor_net *net = &d->nets[i];
        char slopes[32] = "-";
        if (net->has_slopes)
            snprintf(slopes, sizeof slopes, "%lld of %lld", (long long)net->off,
                     (long long)net->slopes);
        fprintf(out, "%-16s %10s  %.16s%s\n", net->name, slopes,
                net->has_digest ? net->digest : "-",
                !net->has_digest ? ""
                : net->good      ? "..., the reference's"
                                 : "..., which is not the reference's");
    }
}

static void print_findings(FILE *out, const struct doctor *d)
{
    if (d->bad_count) fprintf(out, "\nfailed:\n");
    for (int i = 0; i < d->bad_count; i++) {
        const struct doctor_bad *bad = &d->bads[i];
        enum cairn_op op;
        fprintf(out, "  %s\n", bad->what);
        if (strstr(bad->how, " : data=") && cairn_check_line_op(bad->how, &op) == CAIRN_OK)
            fprintf(out, "    cairn check --device %s \"%s\"\n", d->info.spec, bad->how);
        else
            fprintf(out, "    %s\n", bad->how);
        if (bad->detail[0]) fprintf(out, "    %s\n", bad->detail);
    }
}

static void print_text(FILE *out, const struct doctor *d)
{
    char verdict[1200];
    doctor_verdict(d, verdict, sizeof verdict);
    print_device(out, &d->info);
    fprintf(out, "probe      %s%s%s\n", d->fit ? "passed" : "failed", *d->probe ? ": wrong " : "",
            d->probe);
    if (d->fit && *d->probe) fprintf(out, "           exact with integers in its place\n");
    print_operators(out, d);
    print_nets(out, d);
    print_findings(out, d);
    fprintf(out, "\nverdict    %s\n", verdict);
}

static json_t *to_json(const struct doctor *d)
{
    const struct cairn_device_info *i = &d->info;
    char verdict[1200];
    json_t *ops = json_array(), *nets = json_array(), *bads = json_array();
    doctor_verdict(d, verdict, sizeof verdict);
    for (int op = 0; op < CAIRN_OP_COUNT; op++)
        if (d->ops[op].there)
            json_array_append_new(
                ops, json_pack("{s:s s:I s:I s:I s:I}", "op", cairn_op_name((enum cairn_op)op),
                               "cases", (json_int_t)d->ops[op].cases, "runs",
                               (json_int_t)d->ops[op].runs, "values", (json_int_t)d->ops[op].values,
                               "different", (json_int_t)d->ops[op].different));
    for (int n = 0; n < d->net_count; n++)
        json_array_append_new(nets, json_pack("{s:s s:I s:I s:s s:s}", "net", d->nets[n].name,
                                              "slopes", (json_int_t)d->nets[n].slopes, "off",
                                              (json_int_t)d->nets[n].off, "weights_sha256",
                                              d->nets[n].digest, "reference", d->nets[n].want));
    for (int b = 0; b < d->bad_count; b++)
        json_array_append_new(bads, json_pack("{s:s s:o s:o}", "what", d->bads[b].what, "how",
                                              tool_json_text(d->bads[b].how), "detail",
                                              tool_json_text(d->bads[b].detail)));
    return json_pack("{s:s s:s s:o s:o s:o s:o s:o s:o s:b s:o s:o s:o s:o s:s}", "cairn",
                     cairn_version(), "device", i->spec, "name", tool_json_text(i->name), "vendor",
                     tool_json_text(i->vendor), "platform", tool_json_text(i->platform), "driver",
                     tool_json_text(i->driver), "version", tool_json_text(i->version), "features",
                     tool_json_text(i->features), "fit", !doctor_is_unfit(d), "wrong",
                     tool_json_text(d->probe), "operators", ops, "nets", nets, "failed", bads,
                     "verdict", verdict);
}

int doctor_check_output(const char *path)
{
    struct stat info;
    char folder[3072];
    if (!*path) return tool_misuse("doctor", "--output: the file's name is empty");
    if (strlen(path) >= sizeof folder)
        return tool_misuse("doctor", "--output: the file's name is too long");
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return tool_misuse("doctor", "--output: %s is a folder or a device; give a file's name",
                           path);
    strcpy(folder, path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    if (access(slash ? folder : ".", W_OK | X_OK) == 0) return -1;
    return tool_misuse("doctor", "--output: the folder %s: %s", slash ? folder : ".",
                       strerror(errno));
}

/* Written to a name of its own and moved, so that a report is whole or not there. */
static int write_file(const struct doctor *d)
{
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.tmp", d->output);
    FILE *file = fopen(temporary, "w");
    int good = file != NULL;
    if (file) {
        print_text(file, d);
        good = !ferror(file);
        good = fclose(file) == 0 && good;
    }
    if (good && rename(temporary, d->output) == 0) return 0;
    fprintf(stderr, "cairn doctor: --output: cannot write %s: %s\n", d->output, strerror(errno));
    if (file) remove(temporary);
    return 3;
}

int doctor_report(const struct doctor *d)
{
    int code = d->output ? write_file(d) : 0;
    if (!d->as_json) {
        print_text(stdout, d);
        return code;
    }
    int printed = tool_json_print("doctor", to_json(d));
    return code ? code : printed;
}
