/* What the doctor's files share. */
#ifndef CAIRN_COMPARE_DOCTOR_H
#define CAIRN_COMPARE_DOCTOR_H

#include <cairn/doctor.h>

/* Hands an event on; texts that are NULL become "". */
void doctor_tell(const struct cairn_doctor_options *options, struct cairn_doctor_event event);

/* CAIRN_INTERRUPTED once options->stop says so. */
cairn_status doctor_stopped(const struct cairn_doctor_options *options);

/* doctor_nets.c: gradients and trainings of small nets on the built-in images. */
cairn_status doctor_nets(const struct cairn_doctor_options *options, const char *spec);

#endif
