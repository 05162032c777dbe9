#include "base/random.h"
#include "reference/reference.h"

cairn_status ref_dropout(struct cairn_backend *backend, const struct cairn_dropout *p, int variant)
{
    (void)backend, (void)variant;
    const float *x = ref_floats(&p->x);
    float *y = ref_floats(&p->y);
    float scale = 1.0f / (1.0f - p->rate);
    uint32_t words[4];
    for (int64_t i = 0; i < p->count; i++) {
        uint64_t element = (uint64_t)p->first + (uint64_t)i;
        if (i == 0 || element % 4 == 0)
            cairn_random_block(p->seed, (uint32_t)p->stream, (uint32_t)p->step, element / 4, words);
        y[i] = cairn_random_to_uniform(words[element % 4]) > p->rate ? x[i] * scale : 0.0f;
    }
    return CAIRN_OK;
}
