/* What the files of `cairn doctor` share: the findings, and who gathers and prints them. */
#ifndef CAIRN_TOOLS_DOCTOR_H
#define CAIRN_TOOLS_DOCTOR_H

#include "options.h"
#include <cairn/doctor.h>

#define DOCTOR_BADS 64
#define DOCTOR_NETS 16

struct doctor {
    const char *spec, *output;
    int64_t cases, seed, seconds;
    int quick, full, small, forget, events, as_json;
    struct option_list skips;

    struct cairn_device_info info;
    int fit, ended; /* the probe lets it in; everything was run */
    char probe[256];
    struct {
        int64_t cases, runs, values, different;
        int there;
    } ops[CAIRN_OP_COUNT];
    struct doctor_net {
        char name[32], digest[80], want[80];
        int64_t slopes, off;
        int has_slopes, has_digest, good;
    } nets[DOCTOR_NETS];
    int net_count;
    struct doctor_bad {
        char what[96], how[1024], detail[1024];
    } bads[DOCTOR_BADS];
    int bad_count;
    char at_what[96], at_how[1024]; /* what is run now */
};

/* doctor_watch.c: starts the work, gathers what it tells, and starts it again without a variant
 * that crashed or hung. -1, or an exit status where it could not be done. */
int doctor_watch(struct doctor *d);

/* doctor_report.c: as text or JSON to standard output, and as text to d->output; 0 or an exit
 * status. */
int doctor_report(const struct doctor *d);

/* -1, or, before anything is examined, the exit status for a file that could not be written. */
int doctor_check_output(const char *path);

/* cmd_doctor.c */
int doctor_is_unfit(const struct doctor *d);
void doctor_verdict(const struct doctor *d, char *text, size_t size);

#endif
