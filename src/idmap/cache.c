#include "idmap/cache.h"

#include "base/error.h"

enum {
    alignment = 64, /* a set is a line of the processor's cache */
    near_most = 4096,
    near_share = 16,
    record_most = 1024, /* bytes */
};

/* For every two sets of the far table, 64 bytes of the store and a slot of it; the near table is
 * small beside them. */
lxm_status lxm_cache_init(lxm_cache *cache, size_t size, const lxm_allocator *allocator,
                          lxm_error *error)
{
    const size_t sets = 2 * lxm_cache_ways * sizeof(lxm_cache_entry), record = 48;
    const size_t unit = sets + record + sizeof(uint64_t) + sizeof(lxm_cache_entry) / near_share;
    *cache = (lxm_cache){.factors = {lxm_random_seed() | 1, lxm_random_seed() | 1},
                         .seed = lxm_random_seed(),
                         .allocator = *allocator};
    if (size == 0)
        return LXM_OK;
    size_t units = lxm_cache_slot_ways, near;
    while (units <= size / (2 * unit) && units < (size_t)1 << 34)
        units *= 2;
    near = units / near_share < near_most ? units / near_share : near_most;
    near = near < 2 ? 2 : near;
    size_t bytes = (units + 1) * unit + alignment;
    cache->memory = lxm_allocate(allocator, bytes, 1);
    if (!cache->memory)
        return lxm_fail_memory(error);
    memset(cache->memory, 0, bytes);
    uintptr_t at = ((uintptr_t)cache->memory + alignment - 1) & ~(uintptr_t)(alignment - 1);
    cache->far = (lxm_cache_entry *)at;
    cache->near = (lxm_cache_entry *)(at += units * sets);
    cache->slots = (uint64_t *)(at += near * sizeof(lxm_cache_entry));
    cache->store = (uint8_t *)(at += units * sizeof(uint64_t));
    cache->far_shift = 63 - (unsigned)__builtin_ctzll(units); /* twice as many sets */
    cache->near_shift = 64 - (unsigned)__builtin_ctzll(near);
    cache->slot_mask = units / lxm_cache_slot_ways - 1;
    cache->store_size = units * record;
    return LXM_OK;
}

void lxm_cache_free(lxm_cache *cache)
{
    lxm_release(&cache->allocator, cache->memory);
}

/* ---- the tables ---- */

static void put_entry(lxm_cache_entry *entry, const lxm_cache_key *key, const uint32_t *ids,
                      size_t count)
{
    entry->key[0] = key->words[0];
    entry->key[1] = key->words[1] | (uint64_t)count << (lxm_cache_last_byte + 4);
    memcpy(entry->ids, ids, count * sizeof *ids);
}

void lxm_cache_promote(lxm_cache *cache, const lxm_cache_key *key, uint64_t hash)
{
    lxm_cache_entry *set = lxm_cache_far(cache, hash), first = set[0];
    if (lxm_cache_is(&set[1], key)) {
        set[0] = set[1];
        set[1] = first;
    }
    if (lxm_cache_is(&set[0], key)) /* nothing else took its place since it was found */
        *lxm_cache_near(cache, hash) = set[0];
}

/* ---- the store ---- */

static void put_record(lxm_cache *cache, const uint8_t *token, size_t length, uint64_t hash,
                       const uint32_t *ids, size_t count)
{
    size_t size = sizeof(lxm_cache_record) + count * sizeof *ids + length;
    size_t rounded = (size + 7) & ~(size_t)7;
    hash = lxm_cache_store_hash(cache, token, length, hash);
    if (length > record_most || count > record_most / sizeof *ids || rounded > cache->store_size ||
        lxm_cache_find_record(cache, token, length, hash))
        return;
    if (rounded > cache->store_size - cache->stored) {
        memset(cache->slots, 0, (cache->slot_mask + 1) * lxm_cache_slot_ways * sizeof(uint64_t));
        cache->stored = 0;
    }
    uint32_t place = (uint32_t)(cache->stored / 8);
    lxm_cache_record *record = lxm_cache_record_at(cache, place);
    record->length = (uint32_t)length;
    record->count = (uint32_t)count;
    memcpy(record->ids, ids, count * sizeof *ids);
    memcpy(record->ids + count, token, length);
    uint64_t *slots = lxm_cache_slots(cache, hash);
    memmove(slots + 1, slots, (lxm_cache_slot_ways - 1) * sizeof *slots); /* the oldest goes */
    slots[0] = hash >> 32 << 32 | (place + 1);
    cache->stored += rounded;
}

/* Makes the second place of a set free: what was there goes into the store. */
static void evict(lxm_cache *cache, const lxm_cache_entry *entry)
{
    lxm_cache_key key = {{entry->key[0], entry->key[1] & ~LXM_CACHE_COUNT}};
    uint8_t token[sizeof key];
    memcpy(token, &key, sizeof key);
    put_record(cache, token, token[sizeof key - 1], lxm_cache_hash(cache, &key), entry->ids,
               lxm_cache_count(entry));
}

void lxm_cache_put(lxm_cache *cache, const uint8_t *token, size_t length, const lxm_cache_key *key,
                   uint64_t hash, const uint32_t *ids, size_t count)
{
    if (count == 0)
        return;
    if (length > lxm_cache_short || count > lxm_cache_short_ids) {
        put_record(cache, token, length, hash, ids, count);
        return;
    }
    lxm_cache_entry *set = lxm_cache_far(cache, hash);
    if (lxm_cache_is(&set[0], key) || lxm_cache_is(&set[1], key)) /* met twice before it was put */
        return;
    if (lxm_cache_count(&set[0]))
        set++;
    if (lxm_cache_count(set))
        evict(cache, set);
    put_entry(set, key, ids, count);
    *lxm_cache_near(cache, hash) = *set;
}
