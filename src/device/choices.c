#include "device/choices.h"

#include "base/error.h"
#include "device/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 32
#define LEAST_ROOM 64

struct key {
    int64_t op, values[FIELDS];
};

struct choice {
    struct key key;
    char variant[16]; /* "": a free slot, or one whose choice was taken out */
    int used;
};

/* Open addressing; room is a power of two, at least half of it free. */
struct cairn_choices {
    struct choice *slots;
    size_t room, used;
};

/* What is drawn from, where in the data, and how much data there is. */
static int is_place(const char *name)
{
    return !strcmp(name, "stream") || !strcmp(name, "step") || !strcmp(name, "first") ||
           !strcmp(name, "total");
}

static int counts(const struct cairn_field *f)
{
    return (f->type == CAIRN_FIELD_INT || f->type == CAIRN_FIELD_ENUM) && !is_place(f->name);
}

static struct key key_of(const struct cairn_problem *problem)
{
    struct key key = {.op = problem->op};
    int n = 0;
    for (const struct cairn_field *f = cairn_schema_of(problem->op)->fields; f->name; f++) {
        if (!counts(f)) continue;
        assert(n < FIELDS);
        memcpy(&key.values[n++], (const char *)&problem->u + f->offset, sizeof key.values[0]);
    }
    return key;
}

static uint64_t hash_of(const struct key *key)
{
    uint64_t h = (uint64_t)key->op;
    for (int i = 0; i < FIELDS; i++) {
        h = (h ^ (uint64_t)key->values[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* The slot of a key: its own, or the free one where it belongs. */
static struct choice *slot_of(struct choice *slots, size_t room, const struct key *key)
{
    for (size_t i = (size_t)hash_of(key);; i++) {
        struct choice *slot = &slots[i & (room - 1)];
        if (!slot->used || !memcmp(&slot->key, key, sizeof *key)) return slot;
    }
}

static cairn_status grow(struct cairn_choices *choices)
{
    size_t room = choices->room ? 2 * choices->room : LEAST_ROOM;
    struct choice *slots = calloc(room, sizeof *slots);
    if (!slots) return cairn_fail(CAIRN_MEMORY, "out of memory");
    for (size_t i = 0; i < choices->room; i++)
        if (choices->slots[i].used)
            *slot_of(slots, room, &choices->slots[i].key) = choices->slots[i];
    free(choices->slots);
    choices->slots = slots;
    choices->room = room;
    return CAIRN_OK;
}

cairn_status cairn_choices_set(struct cairn_choices **choices, const struct cairn_problem *problem,
                               const char *variant)
{
    cairn_status st = CAIRN_OK;
    struct key key = key_of(problem);
    if (!*choices && !variant) return CAIRN_OK;
    if (!*choices && !(*choices = calloc(1, sizeof **choices)))
        return cairn_fail(CAIRN_MEMORY, "out of memory");
    struct cairn_choices *all = *choices;
    if (2 * (all->used + 1) > all->room) TRY(grow(all));
    struct choice *slot = slot_of(all->slots, all->room, &key);
    if (!slot->used && !variant) return CAIRN_OK;
    all->used += !slot->used;
    slot->used = 1;
    slot->key = key;
    memset(slot->variant, 0, sizeof slot->variant);
    if (variant) strncpy(slot->variant, variant, sizeof slot->variant - 1);
out:
    return st;
}

const char *cairn_choices_find(const struct cairn_choices *choices,
                               const struct cairn_problem *problem)
{
    if (!choices || !choices->used) return NULL;
    struct key key = key_of(problem);
    const struct choice *slot = slot_of(choices->slots, choices->room, &key);
    return slot->used && slot->variant[0] ? slot->variant : NULL;
}

void cairn_choices_destroy(struct cairn_choices *choices)
{
    if (!choices) return;
    free(choices->slots);
    free(choices);
}

int cairn_problem_alike(const struct cairn_problem *a, const struct cairn_problem *b)
{
    struct key first = key_of(a), second = key_of(b);
    return !memcmp(&first, &second, sizeof first);
}

struct cairn_problem cairn_problem_bare(const struct cairn_problem *problem)
{
    struct cairn_problem bare = cairn_problem_default(problem->op);
    for (const struct cairn_field *f = cairn_schema_of(problem->op)->fields; f->name; f++)
        if (counts(f))
            memcpy((char *)&bare.u + f->offset, (const char *)&problem->u + f->offset,
                   sizeof(int64_t));
    return bare;
}
