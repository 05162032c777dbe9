/* What a comparison found, in words. */
#include <cairn/compare.h>

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct words {
    char *text;
    size_t size, used; /* used: as much as all of it would take */
};

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *words, const char *format, ...)
{
    va_list list;
    size_t room = words->used < words->size ? words->size - words->used : 0;
    va_start(list, format);
    int n = vsnprintf(room ? words->text + words->used : NULL, room, format, list);
    va_end(list);
    if (n > 0) words->used += (size_t)n;
}

/* "A", "A and C", "A, C and D": the lanes that are marked; returns how many. */
static int add_lanes(struct words *words, const int marked[CAIRN_COMPARE_LANES], int count)
{
    int all = 0, told = 0;
    for (int i = 0; i < count; i++) all += marked[i];
    for (int i = 0; i < count; i++)
        if (marked[i]) {
            add(words, "%s%c", told == 0 ? "" : told == all - 1 ? " and " : ", ", 'A' + i);
            told++;
        }
    return all;
}

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

int cairn_compare_place(const struct cairn_compare_row *row, char *text, size_t size)
{
    const char *phase = cairn_compare_phase_name(row->phase);
    if (row->layer >= 0)
        return snprintf(text, size, "model[%d] %s, %s, %s", row->layer, row->layer_text, phase,
                        row->op);
    return snprintf(text, size, "%s, %s", phase, row->op);
}

static void add_equal(struct words *words, const struct cairn_compare_result *r)
{
    char place[192];
    add(words, "%s for %lld step%s: %lld operators, %lld values, ",
        r->math == CAIRN_MATH_FAST ? "within bounds" : "equal", (long long)r->steps,
        plural(r->steps), (long long)r->operations, (long long)r->values);
    if (r->math != CAIRN_MATH_FAST) {
        add(words, "every result the same bits");
    } else if (r->worst_lane < 0) {
        add(words, "all those of the exact reference");
    } else {
        cairn_compare_place(&r->rows[r->worst_row], place, sizeof place);
        add(words, "the largest error %.3f of its bound (%c, %s)", r->worst, 'A' + r->worst_lane,
            place);
    }
}

static void add_different(struct words *words, const struct cairn_compare_result *r)
{
    int held[CAIRN_COMPARE_LANES] = {0}, others[CAIRN_COMPARE_LANES] = {0}, one_group = 1;
    int fast = r->math == CAIRN_MATH_FAST;
    for (int i = 0; i < r->lane_count; i++) {
        held[i] = fast ? 0 : r->lanes[i].group == r->lanes[r->held].group;
        others[i] = fast ? r->lanes[i].group : !held[i];
        if (others[i] && r->lanes[i].group != r->lanes[r->lane].group) one_group = 0;
    }
    int count = add_lanes(words, others, r->lane_count);
    if (fast) {
        add(words, " %s out of bounds", count == 1 ? "is" : "are");
        if (count > 1) add(words, ", first %c", 'A' + r->lane);
        add(words, " in step %lld (%lld step%s before it within)", (long long)r->step,
            (long long)r->steps, plural(r->steps));
        return;
    }
    add(words, " differ%s from ", count == 1 ? "s" : "");
    int agree = add_lanes(words, held, r->lane_count);
    if (agree > 1) add(words, ", which agree,");
    add(words, " in step %lld (%lld step%s before it equal)", (long long)r->step,
        (long long)r->steps, plural(r->steps));
    if (count > 1)
        add(words, one_group ? "; they agree with each other"
                             : "; they do not agree with each other either");
}

int cairn_compare_verdict(const struct cairn_compare_result *r, char *text, size_t size)
{
    struct words words = {text, size, 0};
    if (r->different)
        add_different(&words, r);
    else
        add_equal(&words, r);
    return (int)words.used;
}

static void add_word(struct words *words, const char *word)
{
    size_t used = words->used < words->size ? words->used : words->size;
    words->used += cairn_text_shell(words->text + used, words->size - used, word);
}

int cairn_compare_again(const struct cairn_compare_result *r, char *text, size_t size)
{
    struct words words = {text, size, 0};
    if (size > 0) text[0] = '\0';
    if (!r->different) return 0;
    int odd = r->lane;
    if (!strcmp(r->lanes[odd].device.spec, "reference")) odd = r->held;
    add(&words, "cairn check --device ");
    add_word(&words, r->lanes[odd].device.spec);
    if (r->lanes[odd].kernels[0]) {
        add(&words, " --kernels ");
        add_word(&words, r->lanes[odd].kernels);
    }
    if (r->math == CAIRN_MATH_FAST) add(&words, " --math fast");
    add(&words, " '%s'", r->problem);
    return (int)words.used;
}
