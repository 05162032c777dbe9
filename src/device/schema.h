/* The description of each operator's descriptor: its fields, operands and rules, as tables.
 *
 * Invariant: everything that handles problems in general - printing, parsing, extent and aliasing
 * checks, the checker's guards, benchmarks - works from these tables and knows no operator by name.
 * One file per family in this folder fills them in; a new operator is a new table. */
#ifndef CAIRN_DEVICE_SCHEMA_H
#define CAIRN_DEVICE_SCHEMA_H

#include <cairn/problem.h>

enum cairn_field_type { CAIRN_FIELD_INT, CAIRN_FIELD_FLOAT, CAIRN_FIELD_U64, CAIRN_FIELD_ENUM };

struct cairn_field {
    const char *name; /* NULL ends the table */
    enum cairn_field_type type;
    size_t offset; /* of the int64_t, float or uint64_t in the descriptor struct */
    double preset; /* the default */
    double min,
        max; /* allowed values, inclusive; min = max = 0: any (INT and U64), any but NaN (FLOAT) */
    int derived;              /* 1: 0 stands for a value that complete() computes */
    const char *const *names; /* ENUM: names of the values 0, 1, ..., NULL at the end */
};

struct cairn_operand {
    const char *name; /* NULL ends the table */
    enum cairn_dtype dtype;
    enum cairn_role role;
    size_t offset; /* of the struct cairn_mem in the descriptor struct */
    /* Elements from the operand's offset that the problem may touch; 0: the operand is unused. NULL
     * for CAIRN_WORK, whose size is the backend's. Elements inside the extent that the definition
     * does not write (gaps behind ldc) stay untouched. */
    int64_t (*extent)(const struct cairn_problem *problem);
    int inplace; /* group number > 0: operands of the same group may be the very same memory */
};

struct cairn_schema {
    const char *name;
    enum cairn_op op;
    size_t size; /* of the descriptor struct */
    const struct cairn_field *fields;
    const struct cairn_operand *operands;
    /* Fills derived fields and checks the rules between fields (single fields are checked by min
     * and max). May be NULL. */
    cairn_status (*complete)(struct cairn_problem *problem);
    double (*flops)(const struct cairn_problem *problem); /* NULL: 0 */
};

/* No operator has more operands. */
#define CAIRN_MAX_OPERANDS 10

/* The table of an operator; never NULL for a valid op. */
const struct cairn_schema *cairn_schema_of(enum cairn_op op);

/* The memory operand and the fields of a problem by table entry. */
struct cairn_mem *cairn_problem_mem(struct cairn_problem *problem,
                                    const struct cairn_operand *operand);
const struct cairn_mem *cairn_problem_mem_const(const struct cairn_problem *problem,
                                                const struct cairn_operand *operand);
size_t cairn_dtype_size(enum cairn_dtype dtype);

/* Products of sizes that saturate at CAIRN_HUGE instead of overflowing; an extent that reaches it
 * is refused. */
#define CAIRN_HUGE ((int64_t)1 << 60)
static inline int64_t cairn_product(const int64_t *factors, size_t count)
{
    int64_t product = 1;
    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(product, factors[i], &product) || product > CAIRN_HUGE)
            return CAIRN_HUGE;
    return product;
}
#define PRODUCT(...)                                                                               \
    cairn_product((const int64_t[]){__VA_ARGS__},                                                  \
                  sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* Shapes that several families need. */
int64_t cairn_out_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad_before,
                         int64_t pad_after);
/* What a kernel covers whose taps lie `dilation` apart. */
static inline int64_t cairn_spread(int64_t kernel, int64_t dilation)
{
    return (kernel - 1) * dilation + 1;
}
static inline int64_t cairn_conv_oh(const struct cairn_conv *p)
{
    return cairn_out_extent(p->h, cairn_spread(p->kh, p->dilation_h), p->stride_h, p->pad_t,
                            p->pad_b);
}
static inline int64_t cairn_conv_ow(const struct cairn_conv *p)
{
    return cairn_out_extent(p->w, cairn_spread(p->kw, p->dilation_w), p->stride_w, p->pad_l,
                            p->pad_r);
}
static inline int64_t cairn_im2col_oh(const struct cairn_im2col *p)
{
    return cairn_out_extent(p->h, cairn_spread(p->kh, p->dilation_h), p->stride_h, p->pad_t,
                            p->pad_b);
}
static inline int64_t cairn_im2col_ow(const struct cairn_im2col *p)
{
    return cairn_out_extent(p->w, cairn_spread(p->kw, p->dilation_w), p->stride_w, p->pad_l,
                            p->pad_r);
}
static inline int64_t cairn_pool_oh(const struct cairn_pool *p)
{
    return cairn_out_extent(p->h, p->kh, p->stride_h, p->pad_t, p->pad_b);
}
static inline int64_t cairn_pool_ow(const struct cairn_pool *p)
{
    return cairn_out_extent(p->w, p->kw, p->stride_w, p->pad_l, p->pad_r);
}

/* The two parts of conv_pool; the convolution's y and the pool's x, which are the same, are unset.
 */
struct cairn_conv cairn_conv_of_pool(const struct cairn_conv *p);
struct cairn_pool cairn_pool_of_conv(const struct cairn_conv *p);
/* Elements of what lies between them. */
int64_t cairn_conv_pool_between(const struct cairn_conv *p);

/* For the family files: rows of the tables. */
#define FIELD_INT(type, member, preset, min, max)                                                  \
    {                                                                                              \
#member, CAIRN_FIELD_INT, offsetof(struct type, member), preset, min, max, 0, NULL         \
    }
#define FIELD_DERIVED(type, member)                                                                \
    {                                                                                              \
#member, CAIRN_FIELD_INT, offsetof(struct type, member), 0, 0, CAIRN_MAX_DIM, 1, NULL      \
    }
#define FIELD_FLOAT(type, member, preset, min, max)                                                \
    {                                                                                              \
#member, CAIRN_FIELD_FLOAT, offsetof(struct type, member), preset, min, max, 0, NULL       \
    }
#define FIELD_U64(type, member)                                                                    \
    {                                                                                              \
#member, CAIRN_FIELD_U64, offsetof(struct type, member), 0, 0, 0, 0, NULL                  \
    }
#define FIELD_ENUM(type, member, names, first, count)                                              \
    {                                                                                              \
#member, CAIRN_FIELD_ENUM, offsetof(struct type, member), first, first, (count)-1, 0,      \
            names                                                                                  \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        NULL, CAIRN_FIELD_INT, 0, 0, 0, 0, 0, NULL                                                 \
    }
#define OPERAND(type, member, dtype, role, extent, inplace)                                        \
    {                                                                                              \
#member, dtype, role, offsetof(struct type, member), extent, inplace                       \
    }
#define OPERAND_END                                                                                \
    {                                                                                              \
        NULL, CAIRN_F32, CAIRN_IN, 0, NULL, 0                                                      \
    }
#define CAIRN_MAX_DIM 1099511627776.0 /* 2^40: products of two stay far inside int64 */
#define CAIRN_MAX_SIDE 1048576.0      /* 2^20: image sides, kernels, strides */

#define CAIRN_SCHEMA_DECL(slot, NAME, type, member)                                                \
    extern const struct cairn_schema cairn_schema_##slot;
CAIRN_OP_LIST(CAIRN_SCHEMA_DECL)
#undef CAIRN_SCHEMA_DECL

extern const char *const cairn_epilogue_names[]; /* none relu tanh sigmoid */

#endif
