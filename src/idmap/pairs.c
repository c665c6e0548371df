#include "idmap/pairs.h"

#include "base/hash.h"

enum { most_moves = 100 };

static const uint64_t empty_slot = UINT64_MAX;

/* At 45 of 100 there is almost always a place for each. */
static bool is_full(size_t size, size_t slot_count)
{
    return size > slot_count / 16 * 7;
}

static void set_factors(lxm_pairs *pairs, uint64_t first)
{
    pairs->factors[0] = first | 1;
    pairs->factors[1] = lxm_hash(&pairs->factors[0], sizeof(uint64_t), 1) | 1;
}

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

static bool init(lxm_pairs *pairs, size_t size, uint64_t factor, const lxm_allocator *allocator)
{
    size_t slot_count = 16;
    *pairs = (lxm_pairs){.allocator = *allocator};
    set_factors(pairs, factor);
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

/* Puts a pair that isn't there into one of its slots; what was there moves to its other one, and
 * so on. False where that comes to no end: *item is then the one that is left over. */
static bool place(lxm_pairs *pairs, uint64_t *item)
{
    size_t at = lxm_pairs_home(pairs, *item >> lxm_pair_rank_bits, 0);
    for (int moves = 0; moves < most_moves; moves++) {
        uint64_t other = pairs->slots[at];
        pairs->slots[at] = *item;
        if (other == empty_slot)
            return true;
        uint64_t key = other >> lxm_pair_rank_bits;
        size_t first = lxm_pairs_home(pairs, key, 0);
        at = first == at ? lxm_pairs_home(pairs, key, 1) : first;
        *item = other;
    }
    return false;
}

static bool place_all(lxm_pairs *pairs, const lxm_pairs *old, uint64_t item)
{
    for (size_t i = 0; i < old->slot_count; i++) {
        uint64_t moved = old->slots[i];
        if (moved != empty_slot && !place(pairs, &moved))
            return false;
    }
    return place(pairs, &item);
}

void lxm_pairs_view(lxm_pairs *pairs, const uint64_t *slots, size_t slot_count, uint64_t factor)
{
    *pairs = (lxm_pairs){.slots = (uint64_t *)(uintptr_t)slots,
                         .slot_count = slot_count,
                         .shift = 64 - (unsigned)__builtin_ctzll(slot_count),
                         .viewed = true};
    set_factors(pairs, factor);
}

/* Moves to a table with other factors, and more slots where need be, that has a place for one
 * more. */
static bool grow(lxm_pairs *pairs, uint64_t item)
{
    lxm_pairs old = *pairs;
    size_t slot_count = old.slot_count * (is_full(old.size + 1, old.slot_count) ? 2 : 1);
    for (int tries = 1;; tries++) {
        set_factors(pairs, pairs->factors[1]);
        if (!make_slots(pairs, slot_count)) {
            *pairs = old;
            return false;
        }
        if (place_all(pairs, &old, item))
            break;
        lxm_pairs_free(pairs);
        slot_count *= tries % 4 == 0 ? 2 : 1;
    }
    lxm_pairs_free(&old);
    return true;
}

static uint64_t *find(const lxm_pairs *pairs, uint64_t key)
{
    for (unsigned which = 0; which < 2; which++) {
        uint64_t *slot = &pairs->slots[lxm_pairs_home(pairs, key, which)];
        if (*slot >> lxm_pair_rank_bits == key)
            return slot;
    }
    return NULL;
}

bool lxm_pairs_set(lxm_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank)
{
    uint64_t key = lxm_pairs_key(left, right), item = key << lxm_pair_rank_bits | rank;
    uint64_t *slot = find(pairs, key);
    if (slot) {
        *slot = item;
        return true;
    }
    if ((is_full(pairs->size + 1, pairs->slot_count) || !place(pairs, &item)) && !grow(pairs, item))
        return false;
    pairs->size++;
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
