/* The folder of a run.
 *
 * Invariant: a file in it is whole or not there. Nothing is written before the first checkpoint; a
 * folder that was made for a run which failed before it is taken away again. One process at a time
 * trains in it: the folder itself is locked, until the process ends, however it ends. */
#ifndef CAIRN_TRAIN_FOLDER_H
#define CAIRN_TRAIN_FOLDER_H

#include <cairn/status.h>

struct cairn_folder {
    char *path;
    char *made; /* the topmost folder that was made for it; NULL: none */
    int locked; /* 1: `lock` is a descriptor that holds the lock */
    int lock;
    int force;   /* 1: a run in it is to be replaced */
    int cleared; /* 1: its files are this run's */
    int written; /* 1: a checkpoint lies in it */
    int fresh;   /* 1: no run to go on with; old files of a replaced run are removed by the first
                    checkpoint */
};

/* Looks, and locks what is there: CAIRN_EXISTS for a run that is neither to be
 * resumed nor replaced, for a folder that holds something else, and while another process trains in
 * it; CAIRN_NOT_FOUND when there is nothing to resume. Touches nothing but what a killed process
 * left half written in a run that is resumed. */
cairn_status cairn_folder_check(struct cairn_folder *folder, const char *path, int resume,
                                int force);

/* The same for the folder of a cross-validation, which holds recipe.yaml, fold-1, fold-2 ... and in
 * the end summary.json, but no checkpoint of its own. */
cairn_status cairn_folder_check_folds(struct cairn_folder *folder, const char *path, int resume,
                                      int force);

/* Makes and locks the folder where it is missing, and finds out whether it can be written to. */
cairn_status cairn_folder_make(struct cairn_folder *folder);

/* Before the first checkpoint of a fresh run: removes the files of the run that it replaces, those
 * that a killed process was writing and those of folds included. */
cairn_status cairn_folder_clear(struct cairn_folder *folder);

/* Ends. Without a checkpoint (`written` unset) the files of this run and the folders made for it
 * are removed. */
void cairn_folder_close(struct cairn_folder *folder);

/* PATH/name, from malloc; NULL when out of memory. */
char *cairn_folder_file(const struct cairn_folder *folder, const char *name);

/* The same, read or written whole. */
cairn_status cairn_folder_read(const struct cairn_folder *folder, const char *name, char **text);
cairn_status cairn_folder_write(const struct cairn_folder *folder, const char *name,
                                const char *text);

#endif
