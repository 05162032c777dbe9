/* One problem's race: every candidate checked, those that passed timed. */
#ifndef CAIRN_TUNE_RACE_H
#define CAIRN_TUNE_RACE_H

#include <cairn/tune.h>

struct tune_race {
    struct cairn_device *device, *against; /* against: the reference */
    double seconds;
    const volatile sig_atomic_t *stop; /* may be NULL */
};

/* Fills the entry. No preference of the device is changed when it returns but that of the problem,
 * which is none. CAIRN_DIFFERENT: no candidate passed; the entry tells why. */
cairn_status tune_race(const struct tune_race *race, const struct cairn_problem *problem,
                       struct cairn_tune_entry *entry);

/* CAIRN_INTERRUPTED once the stop flag is set. */
cairn_status tune_stopped(const volatile sig_atomic_t *stop);

#endif
