#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct cairn_figure cairn_figure_count(int64_t value)
{
    struct cairn_figure f = {""};
    char plain[32];
    int n = snprintf(plain, sizeof plain, "%lld", (long long)value), sign = value < 0, at = 0;
    for (int i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0) f.text[at++] = ',';
        f.text[at++] = plain[i];
    }
    f.text[at] = '\0';
    return f;
}

struct cairn_figure cairn_figure_bytes(double bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    struct cairn_figure f;
    double value = bytes / 1000;
    int unit = 0;
    for (; value >= 999.95 && unit < 3; unit++) value /= 1000;
    if (bytes < 1000)
        snprintf(f.text, sizeof f.text, "%.0f bytes", bytes);
    else
        snprintf(f.text, sizeof f.text, "%.1f %s", value, units[unit]);
    return f;
}

struct cairn_figure cairn_figure_real(double value, int digits)
{
    struct cairn_figure f;
    if (!isfinite(value))
        strcpy(f.text, "none");
    else if (fabs(value) >= 1e9)
        snprintf(f.text, sizeof f.text, "%.4g", value);
    else
        snprintf(f.text, sizeof f.text, "%.*f", digits, value);
    return f;
}

struct cairn_figure cairn_figure_percent(double share)
{
    struct cairn_figure f = cairn_figure_real(100 * share, 2);
    if (isfinite(share)) strcat(f.text, " %");
    return f;
}

struct cairn_figure cairn_figure_time(double s)
{
    struct cairn_figure f;
    if (!isfinite(s))
        strcpy(f.text, "none");
    else if (s < 1e-3)
        snprintf(f.text, sizeof f.text, "%.1f \xc2\xb5s", s * 1e6);
    else if (s < 1)
        snprintf(f.text, sizeof f.text, "%.2f ms", s * 1e3);
    else if (s < 60)
        snprintf(f.text, sizeof f.text, "%.1f s", s);
    else if (s < 3600)
        snprintf(f.text, sizeof f.text, "%d min %d s", (int)(s / 60), (int)fmod(s, 60));
    else
        snprintf(f.text, sizeof f.text, "%.0f h %d min", floor(s / 3600),
                 (int)(fmod(s, 3600) / 60));
    return f;
}
