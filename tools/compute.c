#include "compute.h"

#include "commands.h"
#include <stdio.h>
#include <string.h>

int compute_read(const char *command, const struct compute_options *options,
                 struct cairn_compute *compute)
{
    *compute = (struct cairn_compute){
        .device = options->device,
        .data_dir = options->data_dir,
        .profile = options->profile,
        .no_tune = options->no_tune,
        .note = tool_note,
        .variants = options->variants.items,
        .variant_count = options->variants.count,
    };
    if (options->math && strcmp(options->math, "exact") != 0 && strcmp(options->math, "fast") != 0)
        return tool_misuse(command, "--math: '%s' is neither exact nor fast", options->math);
    if (options->math && !strcmp(options->math, "fast")) compute->math = CAIRN_MATH_FAST;
    return -1;
}

void compute_size_text(char *text, int size, long long bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double value = (double)bytes / 1000;
    int unit = 0;
    if (bytes < 1000) {
        snprintf(text, (size_t)size, "%lld bytes", bytes);
        return;
    }
    while (value >= 999.95 && unit < 3) {
        value /= 1000;
        unit++;
    }
    snprintf(text, (size_t)size, "%.1f %s", value, units[unit]);
}
