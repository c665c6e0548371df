#include "idmap/pairs.h"

#include "base/hash.h"

bool lxm_pairs_init(lxm_pairs *pairs, size_t size, const lxm_allocator *allocator)
{
    size_t slot_count = 16;
    *pairs = (lxm_pairs){.allocator = *allocator, .factor = lxm_random_seed() | 1};
    if (size > lxm_pair_max_rank)
        return false;
    while (size > slot_count / 8 * 3)
        slot_count *= 2;
    pairs->slots = lxm_allocate(allocator, slot_count, sizeof *pairs->slots);
    if (!pairs->slots)
        return false;
    memset(pairs->slots, 0xFF, slot_count * sizeof *pairs->slots);
    pairs->slot_count = slot_count;
    pairs->shift = 64 - (unsigned)__builtin_ctzll(slot_count);
    return true;
}

void lxm_pairs_free(lxm_pairs *pairs)
{
    if (pairs->slots)
        lxm_release(&pairs->allocator, pairs->slots);
    pairs->slots = NULL;
}

void lxm_pairs_set(lxm_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank)
{
    uint64_t key = lxm_pairs_key(left, right);
    size_t at = lxm_pairs_home(pairs, key);
    while (pairs->slots[at] != UINT64_MAX && pairs->slots[at] >> lxm_pair_rank_bits != key)
        at = (at + 1) & (pairs->slot_count - 1);
    pairs->slots[at] = key << lxm_pair_rank_bits | rank;
}
