/*
 * Which two neighbouring symbols merge, in what order, and to what: the table that BPE looks into
 * for every pair it meets.
 *
 * A slot is 8 bytes, left and right id and rank side by side, eight to a cache line; the table is
 * at most three eighths full, since most pairs that are looked for aren't there.
 */
#ifndef LXM_IDMAP_PAIRS_H
#define LXM_IDMAP_PAIRS_H

#include "base/memory.h"

enum {
    lxm_pair_id_bits = 21,
    lxm_pair_rank_bits = 22,
    lxm_pair_max_id = (1 << 21) - 2,   /* all ones are an empty slot */
    lxm_pair_max_rank = (1 << 22) - 2, /* and a pair that doesn't merge */
};

#define LXM_NO_RANK UINT32_MAX

typedef struct lxm_pairs {
    uint64_t *slots; /* left << 43 | right << 22 | rank */
    size_t slot_count, size;
    unsigned shift;
    uint64_t factor;
    bool viewed; /* the slots are another's and only read */
    lxm_allocator allocator;
} lxm_pairs;

/* Room for `size` pairs at first; false when memory runs out. Free it in either case. */
bool lxm_pairs_init(lxm_pairs *pairs, size_t size, const lxm_allocator *allocator);
void lxm_pairs_free(lxm_pairs *pairs);

/* A table that depends on its pairs alone: keys[rank] is a pair, or UINT64_MAX for none. False when
 * memory runs out. Free it in either case. */
bool lxm_pairs_of(lxm_pairs *pairs, const uint64_t *keys, size_t count,
                  const lxm_allocator *allocator);

/* A table over the slots of another, with its factor: nothing can be set in it. */
void lxm_pairs_view(lxm_pairs *pairs, const uint64_t *slots, size_t slot_count, uint64_t factor);

/* Sets the rank of a pair; false when memory runs out. Ids and rank are in their limits. */
bool lxm_pairs_set(lxm_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank);

static inline uint64_t lxm_pairs_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << lxm_pair_id_bits | right;
}

static inline size_t lxm_pairs_home(const lxm_pairs *pairs, uint64_t key)
{
    return (size_t)(key * pairs->factor >> pairs->shift);
}

/* The rank of a pair, or LXM_NO_RANK. */
static inline uint32_t lxm_pairs_rank(const lxm_pairs *pairs, uint32_t left, uint32_t right)
{
    uint64_t key = lxm_pairs_key(left, right);
    for (size_t at = lxm_pairs_home(pairs, key);; at = (at + 1) & (pairs->slot_count - 1)) {
        uint64_t slot = pairs->slots[at];
        if (slot >> lxm_pair_rank_bits == key)
            return (uint32_t)slot & ((1u << lxm_pair_rank_bits) - 1);
        if (slot == UINT64_MAX)
            return LXM_NO_RANK;
    }
}

#endif
