/* The register of data sets: data/datasets.yaml, built into the library, and before it the file of
 * the same form that $CAIRN_DATASETS names. It is read strictly: whatever is in an entry fits its
 * kind, and no name leaves the folder that it is put in. */
#ifndef CAIRN_DATA_REGISTER_H
#define CAIRN_DATA_REGISTER_H

#include <cairn/status.h>
#include <stddef.h>
#include <stdint.h>

extern const char cairn_register_text[]; /* the file */

enum cairn_dataset_kind {
    CAIRN_DATASET_IDX, /* IDX files, or NPZ files where `npz` names them */
    CAIRN_DATASET_GLYPHS,
    CAIRN_DATASET_CIFAR,
    CAIRN_DATASET_IMAGES /* folders of PNG: shape, classes and counts are 0 here */
};
enum {
    CAIRN_TRAIN_IMAGES,
    CAIRN_TRAIN_LABELS,
    CAIRN_TEST_IMAGES,
    CAIRN_TEST_LABELS,
    CAIRN_DATASET_FILES
};

#define CAIRN_CIFAR_TRAIN_FILES 5 /* data_batch_1.bin .. data_batch_5.bin */
#define CAIRN_CIFAR_FOLDER "cifar-10-batches-bin"
#define CAIRN_DATASET_ADDRESSES 8 /* at most */
#define CAIRN_DATASET_NAMES 4096  /* bytes of a data set's names of classes */

struct cairn_dataset_file {
    char name[64];
    char md5[33], sha256[65]; /* of the file as published, "" if unknown */
};

struct cairn_dataset_entry {
    char name[64], title[128], home[128], licence[64];
    enum cairn_dataset_kind kind;
    int c, h, w, classes;
    char names[CAIRN_DATASET_NAMES]; /* of the classes, each ended by NUL; "" where unknown */
    int64_t train, test; /* how many images: glyphs are drawn so; files count for themselves */
    struct cairn_dataset_file files[CAIRN_DATASET_FILES]; /* names are "" where there is none */
    struct cairn_dataset_file npz[CAIRN_DATASET_FILES], archive;
    char addresses[CAIRN_DATASET_ADDRESSES][192]; /* http or https; "" behind the last */
};

/* "idx" for CAIRN_DATASET_IDX. */
const char *cairn_register_kind(enum cairn_dataset_kind kind);

/* Reads a register's text; `name` is its file's name for complaints: "NAME:LINE:COLUMN: ...", as
 * CAIRN_PARSE or CAIRN_FORMAT. *entries is from malloc. */
cairn_status cairn_register_parse(const char *name, const char *text, size_t size,
                                  struct cairn_dataset_entry **entries, int *count);

/* All entries: those of $CAIRN_DATASETS, then the built-in ones whose names are not taken. */
cairn_status cairn_register_list(struct cairn_dataset_entry **entries, int *count);

/* CAIRN_NOT_FOUND lists the names that there are. */
cairn_status cairn_register_find(const char *name, struct cairn_dataset_entry *entry);

#endif
