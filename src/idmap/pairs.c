#include "idmap/pairs.h"

#include "base/hash.h"

static bool make_slots(lxm_pairs *pairs, size_t slot_count)
{
    pairs->slots = lxm_allocate(&pairs->allocator, slot_count, sizeof *pairs->slots);
    if (!pairs->slots)
        return false;
    memset(pairs->slots, 0xFF, slot_count * sizeof *pairs->slots);
    pairs->slot_count = slot_count;
    pairs->shift = 64 - (unsigned)__builtin_ctzll(slot_count);
    return true;
}

static bool is_full(size_t size, size_t slot_count)
{
    return size > slot_count / 8 * 3;
}

static bool init(lxm_pairs *pairs, size_t size, uint64_t factor, const lxm_allocator *allocator)
{
    size_t slot_count = 16;
    *pairs = (lxm_pairs){.allocator = *allocator, .factor = factor | 1};
    if (size > (size_t)lxm_pair_max_rank + 1)
        return false;
    while (is_full(size, slot_count))
        slot_count *= 2;
    return make_slots(pairs, slot_count);
}

bool lxm_pairs_init(lxm_pairs *pairs, size_t size, const lxm_allocator *allocator)
{
    return init(pairs, size, lxm_random_seed(), allocator);
}

void lxm_pairs_free(lxm_pairs *pairs)
{
    if (pairs->slots && !pairs->viewed)
        lxm_release(&pairs->allocator, pairs->slots);
    pairs->slots = NULL;
}

/* Where a pair stands, or would stand. */
static size_t slot_of(const lxm_pairs *pairs, uint64_t key)
{
    size_t at = lxm_pairs_home(pairs, key);
    while (pairs->slots[at] != UINT64_MAX && pairs->slots[at] >> lxm_pair_rank_bits != key)
        at = (at + 1) & (pairs->slot_count - 1);
    return at;
}

void lxm_pairs_view(lxm_pairs *pairs, const uint64_t *slots, size_t slot_count, uint64_t factor)
{
    *pairs = (lxm_pairs){.slots = (uint64_t *)(uintptr_t)slots,
                         .slot_count = slot_count,
                         .shift = 64 - (unsigned)__builtin_ctzll(slot_count),
                         .factor = factor,
                         .viewed = true};
}

static bool grow(lxm_pairs *pairs)
{
    lxm_pairs old = *pairs;
    if (!make_slots(pairs, 2 * old.slot_count)) {
        *pairs = old;
        return false;
    }
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i] != UINT64_MAX)
            pairs->slots[slot_of(pairs, old.slots[i] >> lxm_pair_rank_bits)] = old.slots[i];
    lxm_pairs_free(&old);
    return true;
}

bool lxm_pairs_set(lxm_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank)
{
    uint64_t key = lxm_pairs_key(left, right);
    size_t at = slot_of(pairs, key);
    if (pairs->slots[at] == UINT64_MAX) {
        if (is_full(pairs->size + 1, pairs->slot_count)) {
            if (!grow(pairs))
                return false;
            at = slot_of(pairs, key);
        }
        pairs->size++;
    }
    pairs->slots[at] = key << lxm_pair_rank_bits | rank;
    return true;
}

bool lxm_pairs_of(lxm_pairs *pairs, const uint64_t *keys, size_t count,
                  const lxm_allocator *allocator)
{
    size_t size = 0;
    for (size_t rank = 0; rank < count; rank++)
        size += keys[rank] != UINT64_MAX;
    bool good = init(pairs, size, lxm_hash(keys, count * sizeof *keys, 0), allocator);
    for (size_t rank = 0; good && rank < count; rank++)
        if (keys[rank] != UINT64_MAX)
            good = lxm_pairs_set(pairs, (uint32_t)(keys[rank] >> lxm_pair_id_bits),
                                 (uint32_t)keys[rank] & ((1u << lxm_pair_id_bits) - 1),
                                 (uint32_t)rank);
    return good;
}
