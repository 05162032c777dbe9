/* Tuning: the public functions. */
#include "base/error.h"
#include "device/choices.h"
#include "tune/race.h"
#include "tune/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cairn_status tune_stopped(const volatile sig_atomic_t *stop)
{
    return stop && *stop ? cairn_fail(CAIRN_INTERRUPTED, "interrupted") : CAIRN_OK;
}

static void describe(const struct tune_table *table, struct cairn_tune_known *known)
{
    memset(known, 0, sizeof *known);
    snprintf(known->path, sizeof known->path, "%s", table->path ? table->path : "");
    memcpy(known->note, table->note, sizeof known->note);
    known->known = table->count;
    for (int i = 0; i < table->count; i++)
        known->won += strcmp(table->entries[i].winner, table->entries[i].preset) != 0;
}

cairn_status cairn_tune_look(const struct cairn_device_info *info, enum cairn_math math,
                             struct cairn_tune_known *known)
{
    struct tune_table table;
    cairn_status st = tune_table_read(&table, info, math);
    if (st != CAIRN_OK) return st;
    describe(&table, known);
    tune_table_free(&table);
    return CAIRN_OK;
}

cairn_status cairn_tune_use(struct cairn_device *device, struct cairn_tune_known *known)
{
    cairn_status st = CAIRN_OK;
    struct tune_table table;
    struct cairn_problem problem;
    TRY(tune_table_read(&table, cairn_device_info(device), cairn_device_math(device)));
    describe(&table, known);
    for (int i = 0; i < table.count; i++) {
        if (!strcmp(table.entries[i].winner, table.entries[i].preset)) continue;
        TRY(cairn_problem_parse(table.entries[i].line, &problem, NULL));
        TRY(cairn_device_prefer(device, &problem, table.entries[i].winner));
    }
out:
    tune_table_free(&table);
    return st;
}

static void bare_line(const struct cairn_problem *problem, char *line, size_t size)
{
    struct cairn_problem bare = cairn_problem_bare(problem);
    cairn_problem_print(&bare, line, size);
}

/* One problem: known, or raced and written. *failed is set where no variant passed. */
static cairn_status tune_one(const struct tune_race *race, struct tune_table *table,
                             const struct cairn_problem *problem,
                             const struct cairn_tune_options *options, int *failed)
{
    cairn_status st = CAIRN_OK;
    struct cairn_tune_entry fresh;
    char line[sizeof fresh.line];
    bare_line(problem, line, sizeof line);
    const struct cairn_tune_entry *known = options->force ? NULL : tune_table_find(table, line);
    if (known) {
        if (options->entry) options->entry(options->context, known, 1);
        return CAIRN_OK;
    }
    st = tune_race(race, problem, &fresh);
    memcpy(fresh.line, line, sizeof line);
    if (st != CAIRN_OK && st != CAIRN_DIFFERENT) {
        st = st == CAIRN_INTERRUPTED ? st : cairn_fail_in(st, "%s", line);
        goto out;
    }
    if (options->entry) options->entry(options->context, &fresh, 0);
    if (st == CAIRN_DIFFERENT) {
        *failed = 1;
        st = CAIRN_OK;
        goto out;
    }
    TRY(tune_table_put(table, &fresh));
    TRY(tune_table_write(table));
out:
    return st;
}

cairn_status cairn_tune(struct cairn_device *device, const struct cairn_problem *problems,
                        int count, const struct cairn_tune_options *options)
{
    cairn_status st = CAIRN_OK;
    struct tune_table table = {.path = NULL};
    struct tune_race race = {device, NULL, options->seconds > 0 ? options->seconds : 1,
                             options->stop};
    int failed = 0;
    TRY(cairn_device_open("reference", NULL, &race.against));
    TRY(tune_table_read(&table, cairn_device_info(device), cairn_device_math(device)));
    if (table.note[0] && options->note) options->note(options->context, table.note);
    for (int i = 0; i < count; i++) {
        struct cairn_problem complete = problems[i];
        TRY(cairn_problem_complete(&complete));
        TRY(tune_stopped(options->stop));
        TRY(tune_one(&race, &table, &complete, options, &failed));
    }
    if (failed)
        st = cairn_fail(CAIRN_DIFFERENT, "of some problem no variant agrees with the reference");
out:
    tune_table_free(&table);
    cairn_device_close(race.against);
    return st;
}
