/* Everything that libcairn offers. */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <cairn/device.h>
#include <cairn/problem.h>
#include <cairn/status.h>

#endif
