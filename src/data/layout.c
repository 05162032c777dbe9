/* Other layouts of the same images: with a margin, and cut into patches. */
#include "base/error.h"
#include "data/dataset.h"
#include <stdlib.h>
#include <string.h>

#define LONGEST 32768 /* rows or columns of an image, as in a PNG that is read */

/* New memory with the images of one part and zeroes around them; NULL where they have no pixels. */
static cairn_status make_padded(const struct cairn_dataset *dataset,
                                const struct cairn_images *images, int64_t pad_h, int64_t pad_w,
                                uint8_t **made)
{
    int64_t h = dataset->h, w = dataset->w, wide = w + 2 * pad_w, plane = (h + 2 * pad_h) * wide;
    int64_t planes = images->count * dataset->c;
    *made = NULL;
    if (!images->pixels || planes == 0) return CAIRN_OK;
    uint8_t *to = *made = calloc((size_t)planes, (size_t)plane);
    if (!to)
        return cairn_fail(CAIRN_MEMORY,
                          "no memory for %lld padded images of %s, %dx%lldx%lld bytes each",
                          (long long)images->count, dataset->name, dataset->c,
                          (long long)(h + 2 * pad_h), (long long)wide);
    const uint8_t *from = images->pixels;
    for (int64_t p = 0; p < planes; p++)
        for (int64_t y = 0; y < h; y++, from += w)
            memcpy(to + p * plane + (y + pad_h) * wide + pad_w, from, (size_t)w);
    return CAIRN_OK;
}

static void replace(struct cairn_images *images, uint8_t *pixels)
{
    if (!pixels) return;
    free(images->pixels);
    images->pixels = pixels;
}

cairn_status cairn_dataset_pad(struct cairn_dataset *dataset, int64_t pad_h, int64_t pad_w)
{
    cairn_status st = CAIRN_OK;
    uint8_t *train = NULL, *test = NULL;
    if (pad_h < 0 || pad_w < 0 || pad_h > (LONGEST - dataset->h) / 2 ||
        pad_w > (LONGEST - dataset->w) / 2)
        return cairn_fail(CAIRN_INVALID,
                          "data.pad: %lld rows and %lld columns on either side of the images of "
                          "%s, %dx%d (height x width): with them an image may be %dx%d at most, "
                          "and no number may be negative",
                          (long long)pad_h, (long long)pad_w, dataset->name, dataset->h, dataset->w,
                          LONGEST, LONGEST);
    if (pad_h == 0 && pad_w == 0) return CAIRN_OK;
    TRY(make_padded(dataset, &dataset->train, pad_h, pad_w, &train));
    TRY(make_padded(dataset, &dataset->test, pad_h, pad_w, &test));
    replace(&dataset->train, train);
    replace(&dataset->test, test);
    train = test = NULL;
    dataset->h += (int)(2 * pad_h);
    dataset->w += (int)(2 * pad_w);
out:
    free(train);
    free(test);
    return st;
}

/* Cuts each image in its place; `image` has room for one. */
static void cut(const struct cairn_dataset *dataset, struct cairn_images *images, int64_t patch_h,
                int64_t patch_w, uint8_t *image)
{
    int64_t c = dataset->c, h = dataset->h, w = dataset->w, item = c * h * w;
    if (!images->pixels) return;
    for (int64_t i = 0; i < images->count; i++) {
        uint8_t *to = images->pixels + i * item;
        memcpy(image, to, (size_t)item);
        for (int64_t y = 0; y < h; y += patch_h)
            for (int64_t x = 0; x < w; x += patch_w)
                for (int64_t row = 0; row < c * patch_h; row++, to += patch_w)
                    memcpy(to, image + (row / patch_h * h + y + row % patch_h) * w + x,
                           (size_t)patch_w);
    }
}

cairn_status cairn_dataset_patch(struct cairn_dataset *dataset, int64_t patch_h, int64_t patch_w)
{
    int64_t c = dataset->c, h = dataset->h, w = dataset->w;
    if (patch_h < 1 || patch_w < 1 || h % patch_h != 0 || w % patch_w != 0)
        return cairn_fail(CAIRN_INVALID,
                          "data.patches: %lldx%lld (height x width) does not divide the images of "
                          "%s, %dx%d; each side of a patch must divide that of the image (data.pad "
                          "makes images larger)",
                          (long long)patch_h, (long long)patch_w, dataset->name, dataset->h,
                          dataset->w);
    uint8_t *image = malloc((size_t)(c * h * w));
    if (!image) return cairn_fail(CAIRN_MEMORY, "no memory for an image of %s", dataset->name);
    cut(dataset, &dataset->train, patch_h, patch_w, image);
    cut(dataset, &dataset->test, patch_h, patch_w, image);
    free(image);
    dataset->c = (int)(c * (h / patch_h) * (w / patch_w));
    dataset->h = (int)patch_h;
    dataset->w = (int)patch_w;
    return CAIRN_OK;
}
