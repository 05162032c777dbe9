#include "report/image.h"

#include "base/error.h"
#include "base/text.h"
#include "io/png.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "17", "test:17", "train:17"; 0 for what is the name of a file. */
static int is_place(const char *word, int *train, const char **number)
{
    *train = strncmp(word, "train:", 6) == 0;
    *number = *train ? word + 6 : strncmp(word, "test:", 5) == 0 ? word + 5 : word;
    return **number && strspn(*number, "0123456789") == strlen(*number);
}

static cairn_status take_place(const struct cairn_trained *t, int train, const char *number,
                               struct cairn_dataset *one, char name[512], char label[64])
{
    cairn_status st = CAIRN_OK;
    const struct cairn_images *images = train ? &t->data.train : &t->data.test;
    size_t item = (size_t)cairn_shape_count(t->session.image);
    int64_t place;
    st = cairn_text_int(number, 0, images->count - 1, &place);
    if (st != CAIRN_OK)
        return cairn_fail(CAIRN_INVALID, "there is no %s image %s: %s has the images 0 to %lld",
                          train ? "training" : "test", number, t->data.name,
                          (long long)images->count - 1);
    memcpy(one->test.pixels, images->pixels + (size_t)place * item, item);
    int class = one->test.labels[0] = images->labels[place];
    snprintf(name, 512, "%s:%lld", train ? "train" : "test", (long long)place);
    if (t->data.class_names)
        snprintf(label, 64, "%s", t->data.class_names[class]);
    else
        snprintf(label, 64, "%d", class);
    return CAIRN_OK;
}

static cairn_status take_file(const struct cairn_trained *t, const char *path,
                              struct cairn_dataset *one, char name[512])
{
    cairn_status st = CAIRN_OK;
    struct cairn_png png = {0};
    st = cairn_png_read(path, &png);
    if (st == CAIRN_NOT_FOUND)
        st = cairn_fail(st,
                        "there is no image '%s': it is neither a number (17, test:17 or train:17, "
                        "from 0) nor a file",
                        path);
    if (st != CAIRN_OK) goto out;
    if (png.c != t->raw.c || png.h != t->raw.h || png.w != t->raw.w) {
        st = cairn_fail(CAIRN_INVALID, "%s is %s, %dx%d pixels; the images of %s are %s, %lldx%lld",
                        path, png.c == 3 ? "RGB" : "gray", png.h, png.w, t->data.name,
                        t->raw.c == 3 ? "RGB" : "gray", (long long)t->raw.h, (long long)t->raw.w);
        goto out;
    }
    free(one->test.pixels);
    one->test.pixels = png.pixels;
    png.pixels = NULL;
    one->c = png.c;
    one->h = png.h;
    one->w = png.w;
    TRY(cairn_session_shape(&t->recipe, one));
    snprintf(name, 512, "%s", path);
out:
    cairn_png_free(&png);
    return st;
}

unsigned cairn_image_part(const char *image)
{
    const char *number;
    int train;
    return !is_place(image, &train, &number) ? 0 : train ? CAIRN_DATASET_TRAIN : CAIRN_DATASET_TEST;
}

cairn_status cairn_image_take(const struct cairn_trained *t, const char *image,
                              struct cairn_dataset *one, char name[512], char label[64])
{
    int train;
    const char *number;
    one->c = t->data.c;
    one->h = t->data.h;
    one->w = t->data.w;
    one->test.count = 1;
    one->test.pixels = malloc((size_t)cairn_shape_count(t->session.image));
    one->test.labels = calloc(1, 1);
    *label = '\0';
    if (!one->test.pixels || !one->test.labels) return cairn_fail(CAIRN_MEMORY, "out of memory");
    return is_place(image, &train, &number) ? take_place(t, train, number, one, name, label)
                                            : take_file(t, image, one, name);
}
