/* Case lines, one a line. A problem that is accepted is printed and read back the same; a small one
 * is run on the reference, which must agree with itself. */
#include "check/check.h"
#include "fuzz.h"
#include <cairn/check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINES 4
#define LINE 1024

static void print_back(const struct check_case *c)
{
    char first[LINE], second[LINE];
    struct check_case again;
    int n = check_case_print(c, first, sizeof first);
    FUZZ_ASSERT(n > 0 && n < (int)sizeof first);
    FUZZ_ASSERT(check_case_parse(first, &again) == CAIRN_OK);
    check_case_print(&again, second, sizeof second);
    FUZZ_ASSERT(!strcmp(first, second));
}

static int is_small(const struct check_case *c)
{
    double bytes = cairn_problem_bytes(&c->problem), flops = cairn_problem_flops(&c->problem);
    FUZZ_ASSERT(isfinite(bytes) && isfinite(flops) && bytes > 0 && flops >= 0);
    double most = 0;
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) most = fmax(most, (double)c->offset[i]);
    return bytes < 1e5 && flops < 1e5 && most < 1e4 && c->guard < 1000;
}

static void run(const char *line)
{
    static struct cairn_device *device, *other;
    struct cairn_check_options options = {.twice = 1};
    struct cairn_check_result result = {0};
    if (!device) {
        FUZZ_ASSERT(cairn_device_open("reference", NULL, &device) == CAIRN_OK);
        FUZZ_ASSERT(cairn_device_open("reference", NULL, &other) == CAIRN_OK);
    }
    cairn_status st = cairn_check_line(device, other, line, &options, &result);
    fuzz_told(st, NULL);
    FUZZ_ASSERT(st != CAIRN_DIFFERENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *at = text;
    for (int i = 0; i < LINES && *at; i++) {
        struct check_case c;
        size_t n = strcspn(at, "\n");
        char *next = at[n] ? at + n + 1 : at + n;
        at[n] = '\0';
        char *line = strdup(at);
        cairn_status st = check_case_parse(line, &c);
        fuzz_told(st, "case");
        if (st == CAIRN_OK) {
            print_back(&c);
            if (is_small(&c)) run(line);
            fuzz_accept();
        }
        free(line);
        at = next;
    }
    free(text);
    return 0;
}
