/*
 * Which two neighbouring symbols merge, in what order, and to what: the table that BPE looks into
 * for every pair it meets.
 *
 * A slot is 8 bytes: left and right id and rank side by side. A pair stands in one of two slots
 * (cuckoo hashing, Pagh and Rodler 2001), so that looking for it takes no branch: whether it is
 * there is foreseen badly, and a wrong guess waits for memory.
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

#define LXM_NO_RANK (((uint32_t)1 << 22) - 1)

typedef struct lxm_pairs {
    uint64_t *slots; /* left << 43 | right << 22 | rank */
    size_t slot_count, size;
    unsigned shift;
    uint64_t factors[2]; /* the second is made from the first */
    bool viewed;         /* the slots are another's and only read */
    lxm_allocator allocator;
} lxm_pairs;

/* Room for `size` pairs at first; false when memory runs out. Free it in either case. */
bool lxm_pairs_init(lxm_pairs *pairs, size_t size, const lxm_allocator *allocator);
void lxm_pairs_free(lxm_pairs *pairs);

/* A table that depends on its pairs alone: keys[rank] is a pair, or UINT64_MAX for none. False when
 * memory runs out. Free it in either case. */
bool lxm_pairs_of(lxm_pairs *pairs, const uint64_t *keys, size_t count,
                  const lxm_allocator *allocator);

/* A table over the slots of another, with its first factor: nothing can be set in it. */
void lxm_pairs_view(lxm_pairs *pairs, const uint64_t *slots, size_t slot_count, uint64_t factor);

/* Sets the rank of a pair; false when memory runs out. Ids and rank are in their limits. */
bool lxm_pairs_set(lxm_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank);

static inline uint64_t lxm_pairs_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << lxm_pair_id_bits | right;
}

/* One of the two slots for a key. */
static inline size_t lxm_pairs_home(const lxm_pairs *pairs, uint64_t key, unsigned which)
{
    return (size_t)(key * pairs->factors[which] >> pairs->shift);
}

/* The rank of a pair, or LXM_NO_RANK. */
static inline uint32_t lxm_pairs_rank(const lxm_pairs *pairs, uint32_t left, uint32_t right)
{
    uint64_t key = lxm_pairs_key(left, right), low = key << lxm_pair_rank_bits;
    /* what is over its key is a rank, or no less than LXM_NO_RANK */
    uint64_t first = pairs->slots[lxm_pairs_home(pairs, key, 0)] - low;
    uint64_t other = pairs->slots[lxm_pairs_home(pairs, key, 1)] - low;
    first = first < other ? first : other;
    return first < LXM_NO_RANK ? (uint32_t)first : LXM_NO_RANK;
}

#endif
