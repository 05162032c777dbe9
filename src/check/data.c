/* The data of operands: float kinds, guards and canaries. */
#include "check/check.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const check_kind_names[] = {
#define NAME(name) #name,
    CHECK_KINDS(NAME)
#undef NAME
        NULL};

struct check_source check_source_of(const struct check_case *c, int operand)
{
    struct check_source source = {
        c, check_mix(c->seed * 8 + (uint64_t)operand + 0x632be59bd9b4e019u), 1};
    static const uint32_t densities[] = {2, 10, 64, 500, 4000};
    source.density = densities[check_mix(source.key) % 5];
    return source;
}

static uint32_t real_bits(uint64_t r)
{
    return check_as_bits((float)((int32_t)(r & 0x1ffffff) - 0x1000000) * 0x1p-24f);
}

/* Sign and 23 bits from r, exponent field in low..low + count - 1. */
static uint32_t scaled_bits(uint64_t r, uint32_t low, uint32_t count)
{
    uint32_t exponent = low + (uint32_t)((r >> 40) % count);
    return (uint32_t)(r & 0x807fffffu) | exponent << 23;
}

static uint32_t special_bits(uint64_t r)
{
    uint32_t sign = (uint32_t)r & 0x80000000u;
    switch (r >> 33 & 7) {
    case 0:
        return sign | 0x7fc00000u | (uint32_t)(r & 0xffff); /* quiet NaN */
    case 1:
        return sign | 0x7f800001u | (uint32_t)(r & 0xffff); /* signalling NaN */
    case 2:
    case 3:
        return sign | 0x7f800000u;
    case 4:
        return sign;
    case 5:
        return sign | (uint32_t)(r & 0x7fffff);
    case 6:
        return sign | 0x7f7fffffu;
    default:
        return sign | 0x00800000u;
    }
}

static uint32_t denormal_bits(uint64_t r)
{
    switch (r >> 60 & 3) {
    case 0:
        return real_bits(r);
    case 1:
        return scaled_bits(r, 127 - 70, 20); /* products of two are subnormal or nearly so */
    default:
        return (uint32_t)(r & 0x807fffffu); /* subnormal */
    }
}

uint32_t check_float_bits(const struct check_source *source, int64_t index)
{
    uint64_t r = check_bits(source, index);
    switch (source->c->kind) {
    case CHECK_integer:
        return check_as_bits((float)((int32_t)(r % 9) - 4));
    case CHECK_wide:
        return scaled_bits(r, 127 - 30, 61);
    case CHECK_sparse:
        return r >> 61 ? (uint32_t)r & 0x80000000u : denormal_bits(r << 3);
    case CHECK_denormal:
        return denormal_bits(r);
    case CHECK_huge:
        return r >> 62 ? scaled_bits(r, 127 - 10, 20) : scaled_bits(r, 254 - 8, 9);
    case CHECK_special:
        return (r >> 37) % source->density ? real_bits(r) : special_bits(r);
    case CHECK_bits:
        return (uint32_t)r == CHECK_CANARY ? 0 : (uint32_t)r;
    case CHECK_real:
    case CHECK_KIND_COUNT:
        break;
    }
    return real_bits(r);
}

/* Whole numbers of an operand whose family did not choose better. */
static void fill_plain(const struct check_source *source, const struct check_image *image,
                       unsigned char *data)
{
    for (int64_t i = 0; i < image->extent; i++) {
        uint32_t bits = image->operand->dtype == CAIRN_F32 ? check_float_bits(source, i)
                                                           : (uint32_t)check_bits(source, i);
        if (image->element == 1)
            data[i] = (unsigned char)bits;
        else
            memcpy(data + 4 * i, &bits, 4);
    }
}

static void fill_pattern(const struct check_image *image, int64_t from, int64_t to,
                         uint32_t pattern)
{
    unsigned char *data = image->initial;
    if (image->element == 1)
        memset(data + from, 0xff, (size_t)(to - from));
    else
        for (int64_t i = from; i < to; i++) memcpy(data + 4 * i, &pattern, 4);
}

static cairn_status make_image(const struct check_case *c, int number,
                               const struct cairn_operand *o, struct check_image *image)
{
    image->shared = -1;
    int64_t extent = o->extent ? o->extent(&c->problem) : 0;
    if (extent == 0) return CAIRN_OK;
    image->operand = o;
    image->element = cairn_dtype_size(o->dtype);
    image->lead = c->guard + c->offset[number];
    image->extent = extent;
    image->total = image->lead + extent + c->guard;
    image->canary = c->seed & 1 && o->dtype == CAIRN_F32 ? CHECK_CANARY_NAN : CHECK_CANARY;
    void **copies[] = {&image->initial, &image->want, &image->got, &image->again};
    for (size_t i = 0; i < 4; i++)
        if (!(*copies[i] = calloc((size_t)image->total, image->element)))
            return cairn_fail(CAIRN_MEMORY, "out of memory for operand %s of %lld elements",
                              o->name, (long long)extent);
    return CAIRN_OK;
}

static void fill_image(const struct check_case *c, int number, struct check_image *image)
{
    const struct cairn_operand *o = image->operand;
    if (!o) return;
    uint32_t around = o->role != CAIRN_IN     ? image->canary
                      : o->dtype == CAIRN_F32 ? CHECK_NAN
                                              : CHECK_FAR;
    fill_pattern(image, 0, image->total, around);
    if (o->role == CAIRN_OUT) return;
    struct check_source source = check_source_of(c, number);
    unsigned char *data = (unsigned char *)image->initial + (size_t)image->lead * image->element;
    const struct check_family *family = check_family_of(c->problem.op);
    if (!family->fill || !family->fill(c, number, &source, image->extent, data))
        fill_plain(&source, image, data);
}

/* Four images of each operand here, and the memory of two devices that may be this host, must fit
 * into half of it: taking memory that is not there gets the process killed without a word. */
static cairn_status check_fits(const struct check_case *c, const struct cairn_operand *operands)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double bytes = 0, most = pages > 0 && page > 0 ? 0.5 * (double)pages * (double)page : 8e9;
    for (int i = 0; operands[i].name; i++)
        if (operands[i].extent)
            bytes += 6.0 * (double)operands[i].extent(&c->problem) *
                     (double)cairn_dtype_size(operands[i].dtype);
    if (bytes <= most) return CAIRN_OK;
    return cairn_fail(CAIRN_INVALID,
                      "this %s takes %.1f GiB to try, more than half of this machine's memory: "
                      "use smaller sizes",
                      cairn_op_name(c->problem.op), bytes / 1073741824.0);
}

cairn_status check_images_empty(const struct check_case *c, struct check_image *images)
{
    cairn_status st = CAIRN_OK;
    memset(images, 0, CHECK_MAX_OPERANDS * sizeof *images);
    const struct cairn_operand *operands = cairn_schema_of(c->problem.op)->operands;
    TRY(check_fits(c, operands));
    for (int i = 0; operands[i].name; i++) {
        TRY(make_image(c, i, &operands[i], &images[i]));
        if (!c->inplace || operands[i].role != CAIRN_OUT || !operands[i].inplace) continue;
        /* the first that it may be, or in half of the cases the last */
        for (int j = 0; j < i; j++)
            if (operands[j].inplace == operands[i].inplace &&
                images[j].extent == images[i].extent && (images[i].shared < 0 || c->seed & 2))
                images[i].shared = j;
    }
out:
    return st;
}

cairn_status check_images_make(const struct check_case *c, struct check_image *images)
{
    cairn_status st = CAIRN_OK;
    TRY(check_images_empty(c, images));
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) fill_image(c, i, &images[i]);
out:
    return st;
}

void check_images_free(struct check_image *images)
{
    for (int i = 0; i < CHECK_MAX_OPERANDS; i++) {
        free(images[i].initial);
        free(images[i].want);
        free(images[i].got);
        free(images[i].again);
    }
}
