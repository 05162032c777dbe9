/* Tuning: which variant of each problem is the fastest on a device, found by racing them there.
 *
 * A candidate is a variant that the device admits. Each is first compared with the reference on the
 * problem, or on a smaller one of the same family where the reference would take too long, and
 * never used if it failed; bit by bit in exact mode, within the computed bounds in fast mode. The
 * rest are timed in turns, and the winner is kept only if it beats the default beyond noise: 3 % in
 * the median, and in at least four of five rounds.
 *
 * Results are kept as $XDG_CACHE_HOME/cairn/tune/KEY.json (or below ~/.cache), one file for each
 * combination of device, driver, platform, math mode and Cairn's sources. A file that is damaged or
 * belongs to another combination counts as absent. No result changes: variants differ in time
 * alone in exact mode. */
#ifndef CAIRN_TUNE_H
#define CAIRN_TUNE_H

#include <cairn/device.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A variant in a race. */
struct cairn_tune_candidate {
    char name[16];    /* of the variant */
    char failed[160]; /* why it may not be used; "": it passed */
    double seconds;   /* of one launch, median; 0 where it was not timed */
};

/* A problem, and how its race ended. */
struct cairn_tune_entry {
    char line[512]; /* the problem's sizes and kinds, as cairn_problem_print() writes them */
    char winner[16], preset[16];    /* preset: the default */
    double seconds, preset_seconds; /* of one launch, median: of the winner, of the default */
    int count;                      /* of candidates */
    struct cairn_tune_candidate candidates[CAIRN_MAX_VARIANTS]; /* count of them */
};

/* How long to race, and who is told. All zero will do. */
struct cairn_tune_options {
    double seconds; /* to time one problem, about; 0: 1 */
    int force;      /* race known problems again */
    /* May be NULL. When it is not 0 the problem at hand is dropped and CAIRN_INTERRUPTED returned;
     * what was finished before is kept. */
    const volatile sig_atomic_t *stop;
    /* After each problem, in the order of the list; known: 1 where the entry was there before. */
    void (*entry)(void *context, const struct cairn_tune_entry *entry, int known);
    void (*note)(void *context, const char *text); /* one line, like that a file is ignored */
    void *context;                                 /* for the callbacks */
};

/* Races the variants of each of `count` problems and keeps the results; the file is replaced after
 * each problem. Problems that are alike (see cairn_device_prefer()) share an entry. The device has
 * no preferences of these problems afterwards, and no variant may be forced on it. CAIRN_DIFFERENT:
 * of some problem no variant passed; the others are kept. */
cairn_status cairn_tune(struct cairn_device *device, const struct cairn_problem *problems,
                        int count, const struct cairn_tune_options *options);

/* What is known of a device, which need not be open. */
struct cairn_tune_known {
    char path[512]; /* of the file, there or not; "" where there is no place for one */
    int known, won; /* problems in it, and those where another variant than the default won */
    char note[512]; /* why a file that is there is ignored, else "" */
};
/* Finds that out. CAIRN_OK also where nothing is known, or a file is ignored. */
cairn_status cairn_tune_look(const struct cairn_device_info *info, enum cairn_math math,
                             struct cairn_tune_known *known);

/* Has the device prefer the winners. */
cairn_status cairn_tune_use(struct cairn_device *device, struct cairn_tune_known *known);

#ifdef __cplusplus
}
#endif
#endif
