/*
 * What pre-tokens have become before, for as many as there is room for. The ids never depend on
 * what is in it.
 *
 * Most pre-tokens are short and become few ids: an entry for those is 32 bytes, its key the bytes
 * themselves. A small table, near the processor, holds those that were met last; a large one, in
 * sets of two, those before them. A new entry takes the second place of its set; one that is met
 * there again moves to the first, if not each time: what comes often stays, what comes once goes.
 * What is longer, or becomes more ids, is a record of its own length in a store that is asked when
 * the tables have nothing, and that begins anew when it is full.
 */
#ifndef LXM_IDMAP_CACHE_H
#define LXM_IDMAP_CACHE_H

#include "base/hash.h"
#include "base/memory.h"

enum {
    lxm_cache_short = 14,    /* bytes of a key */
    lxm_cache_short_ids = 4, /* of an entry */
    lxm_cache_ways = 2,
    lxm_cache_slot_ways = 4,
    lxm_cache_last_byte = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 56 : 0, /* of a word */
};

/* Bits of the second word of an entry's key. */
#define LXM_CACHE_COUNT ((uint64_t)0xF0 << lxm_cache_last_byte)

/* The bytes, zeros behind them; in the last byte, their number: 0 in an empty entry. */
typedef struct lxm_cache_key {
    uint64_t words[2];
} lxm_cache_key;

/* Above the length of its key stands the number of ids. */
typedef struct lxm_cache_entry {
    uint64_t key[2];
    uint32_t ids[lxm_cache_short_ids];
} lxm_cache_entry;

/* A token and its ids, in the store: the ids stand behind, then the bytes of the token. */
typedef struct lxm_cache_record {
    uint32_t length, count;
    uint32_t ids[];
} lxm_cache_record;

typedef struct lxm_cache {
    void *memory;
    lxm_cache_entry *near; /* NULL: there is no cache */
    lxm_cache_entry *far;  /* in sets of lxm_cache_ways */
    uint64_t
        *slots; /* of the store, in sets: upper half of the hash << 32 | 1 + the record's place */
    uint8_t *store;
    unsigned near_shift, far_shift; /* which leave the place of a hash */
    size_t slot_mask, store_size, stored;
    uint64_t factors[2], seed;
    lxm_allocator allocator;
} lxm_cache;

/* Takes at most `size` bytes, but at least what one entry of each kind needs; none for 0. */
lxm_status lxm_cache_init(lxm_cache *cache, size_t size, const lxm_allocator *allocator,
                          lxm_error *error);
void lxm_cache_free(lxm_cache *cache);

/* The first `length` bytes, at most 15, of a token behind which nothing may be read, and zeros. By
 * loads that overlap: what was stored byte by byte would have to be waited for. */
static inline lxm_cache_key lxm_cache_last_key(const uint8_t *token, size_t length)
{
    lxm_cache_key key = {{0, 0}};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t halves[2];
    if (length >= 8) {
        memcpy(&key.words[0], token, 8);
        memcpy(&key.words[1], token + length - 8, 8);
        key.words[1] = length == 8 ? 0 : key.words[1] >> 8 * (16 - length);
    } else if (length >= 4) {
        memcpy(&halves[0], token, 4);
        memcpy(&halves[1], token + length - 4, 4);
        key.words[0] = halves[0] | (uint64_t)halves[1] << 8 * (length - 4);
    } else if (length > 0) {
        key.words[0] = token[0] | (uint64_t)token[length / 2] << 8 * (length / 2) |
                       (uint64_t)token[length - 1] << 8 * (length - 1);
    }
#else
    memcpy(&key, token, length);
#endif
    return key;
}

/* The key of a token of which `readable` bytes may be read; one that is too long has a key that
 * no entry has. */
static inline lxm_cache_key lxm_cache_key_of(const uint8_t *token, size_t length, size_t readable)
{
    static const uint8_t masks[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    uint64_t mask[2];
    lxm_cache_key key;
    size_t kept = length <= lxm_cache_short ? length : lxm_cache_short + 1;
    if (readable < sizeof key) {
        key = lxm_cache_last_key(token, kept);
    } else {
        memcpy(&key, token, sizeof key);
        memcpy(mask, masks + 15 - kept, sizeof mask);
        key.words[0] &= mask[0];
        key.words[1] &= mask[1];
    }
    key.words[1] |= (uint64_t)kept << lxm_cache_last_byte;
    return key;
}

/* Its upper bits depend on all of the key (multiply-shift, Dietzfelbinger et al. 1997). */
static inline uint64_t lxm_cache_hash(const lxm_cache *cache, const lxm_cache_key *key)
{
    return key->words[0] * cache->factors[0] + key->words[1] * cache->factors[1];
}

static inline lxm_cache_entry *lxm_cache_near(const lxm_cache *cache, uint64_t hash)
{
    return cache->near + (hash >> cache->near_shift);
}

static inline lxm_cache_entry *lxm_cache_far(const lxm_cache *cache, uint64_t hash)
{
    return cache->far + lxm_cache_ways * (hash >> cache->far_shift);
}

static inline bool lxm_cache_is(const lxm_cache_entry *entry, const lxm_cache_key *key)
{
    uint64_t low = entry->key[0] ^ key->words[0], high = entry->key[1] ^ key->words[1];
    return (low | (high & ~LXM_CACHE_COUNT)) == 0;
}

static inline uint32_t lxm_cache_count(const lxm_cache_entry *entry)
{
    return (uint32_t)((entry->key[1] & LXM_CACHE_COUNT) >> (lxm_cache_last_byte + 4));
}

/* What is in the far table comes first of its set, and into the near one. */
void lxm_cache_promote(lxm_cache *cache, const lxm_cache_key *key, uint64_t hash);

/* The hash for the store, of a token whose key has `hash`. */
static inline uint64_t lxm_cache_store_hash(const lxm_cache *cache, const uint8_t *token,
                                            size_t length, uint64_t hash)
{
    return length > lxm_cache_short ? lxm_hash(token, length, cache->seed)
                                    : XXH3_mul128_fold64(hash ^ cache->seed, cache->factors[0]);
}

/* The set of slots of the store, newest first. */
static inline uint64_t *lxm_cache_slots(const lxm_cache *cache, uint64_t hash)
{
    return cache->slots + lxm_cache_slot_ways * (hash & cache->slot_mask);
}

static inline lxm_cache_record *lxm_cache_record_at(const lxm_cache *cache, uint32_t place)
{
    return (lxm_cache_record *)(void *)(cache->store + (size_t)8 * place);
}

/* Fetches the record that a token with this hash may have. */
static inline void lxm_cache_expect_record(const lxm_cache *cache, uint64_t hash)
{
    const uint64_t *slots = lxm_cache_slots(cache, hash);
    uint32_t place = 0;
    for (size_t way = lxm_cache_slot_ways; way-- > 0;)
        place = slots[way] >> 32 == hash >> 32 ? (uint32_t)slots[way] : place;
    __builtin_prefetch(lxm_cache_record_at(cache, place ? place - 1 : 0));
}

/* memcmp without a call, for what is short and almost always equal: by loads that overlap. */
static inline bool lxm_cache_same(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint64_t x = 0, y = 0;
    uint32_t v[2], w[2];
    if (length < 4)
        return length == 0 ||
               (a[0] == b[0] && a[length / 2] == b[length / 2] && a[length - 1] == b[length - 1]);
    if (length < 8) {
        memcpy(&v[0], a, 4);
        memcpy(&v[1], a + length - 4, 4);
        memcpy(&w[0], b, 4);
        memcpy(&w[1], b + length - 4, 4);
        return v[0] == w[0] && v[1] == w[1];
    }
    for (size_t i = 0; i + 8 < length && x == y; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
    }
    if (x != y)
        return false;
    memcpy(&x, a + length - 8, 8);
    memcpy(&y, b + length - 8, 8);
    return x == y;
}

/* The record of a token, until something is put into the cache; NULL if there is none. */
static inline const lxm_cache_record *
lxm_cache_find_record(const lxm_cache *cache, const uint8_t *token, size_t length, uint64_t hash)
{
    const uint64_t *slots = lxm_cache_slots(cache, hash);
    for (size_t way = 0; way < lxm_cache_slot_ways; way++) {
        if (slots[way] >> 32 != hash >> 32 || (uint32_t)slots[way] == 0)
            continue;
        const lxm_cache_record *record = lxm_cache_record_at(cache, (uint32_t)slots[way] - 1);
        if (record->length == length &&
            lxm_cache_same((const uint8_t *)(record->ids + record->count), token, length))
            return record;
    }
    return NULL;
}

/* Keeps what a token has become, in the tables if that fits. */
void lxm_cache_put(lxm_cache *cache, const uint8_t *token, size_t length, const lxm_cache_key *key,
                   uint64_t hash, const uint32_t *ids, size_t count);

#endif
