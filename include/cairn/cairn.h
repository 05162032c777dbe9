/* Everything that libcairn offers. */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <cairn/bench.h>
#include <cairn/cache.h>
#include <cairn/check.h>
#include <cairn/compare.h>
#include <cairn/data.h>
#include <cairn/device.h>
#include <cairn/doctor.h>
#include <cairn/exchange.h>
#include <cairn/own.h>
#include <cairn/problem.h>
#include <cairn/report.h>
#include <cairn/status.h>
#include <cairn/train.h>
#include <cairn/tune.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
const char *cairn_version(void);

#ifdef __cplusplus
}
#endif
#endif
