/* The register of data sets, data/datasets.yaml, built into the library. */
#ifndef CAIRN_DATA_REGISTER_H
#define CAIRN_DATA_REGISTER_H

#include <cairn/status.h>
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

struct cairn_dataset_file {
    char name[64], md5[33]; /* md5 of the file as published, "" if unknown */
};

struct cairn_dataset_entry {
    char name[64], home[128];
    enum cairn_dataset_kind kind;
    int c, h, w, classes;
    int64_t train, test; /* how many images: glyphs are drawn so; files count for themselves */
    struct cairn_dataset_file files[CAIRN_DATASET_FILES]; /* names are "" where there is none */
    struct cairn_dataset_file npz[CAIRN_DATASET_FILES], archive;
};

/* CAIRN_NOT_FOUND lists the names that there are. */
cairn_status cairn_register_find(const char *name, struct cairn_dataset_entry *entry);

#endif
