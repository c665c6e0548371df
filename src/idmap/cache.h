/*
 * What pre-tokens have become before, for as many as there is room for. The ids never depend on
 * what is in it.
 *
 * Most pre-tokens are short and become few ids: an entry for those is 32 bytes, its key the bytes
 * themselves, two to a line of the processor's cache. A new entry takes the second place of its
 * set; one that is met there moves to the first, so that what comes often stays and what comes once
 * goes. What is longer, or becomes more ids, has 128 bytes of its own in a second table that is
 * asked only when the first has nothing.
 */
#ifndef LXM_IDMAP_CACHE_H
#define LXM_IDMAP_CACHE_H

#include "base/hash.h"
#include "base/memory.h"

enum {
    lxm_cache_short = 15, /* bytes of a key */
    lxm_cache_long = 31,
    lxm_cache_short_ids = 3,
    lxm_cache_long_ids = 23,
    lxm_cache_ways = 2,
};

/* The bytes, zeros behind them; the last byte is their number, 0 in an empty entry. */
typedef struct lxm_cache_key {
    uint64_t words[2];
} lxm_cache_key;

typedef struct lxm_cache_entry {
    uint64_t key[2];
    uint32_t ids[lxm_cache_short_ids], count;
} lxm_cache_entry;

typedef struct lxm_cache_line {
    uint64_t key[4];
    uint32_t ids[lxm_cache_long_ids], count;
} lxm_cache_line;

typedef struct lxm_cache {
    void *memory;
    lxm_cache_entry *entries; /* in sets of lxm_cache_ways; NULL: there is no cache */
    lxm_cache_line *lines;
    unsigned entry_shift, line_shift;
    uint64_t seeds[2];
    lxm_allocator allocator;
} lxm_cache;

/* Takes at most `size` bytes, but at least what one entry of each kind needs; none for 0. */
lxm_status lxm_cache_init(lxm_cache *cache, size_t size, const lxm_allocator *allocator,
                          lxm_error *error);
void lxm_cache_free(lxm_cache *cache);

/* The key of a token of which `readable` bytes may be read; one that is too long has a key that
 * no entry has. */
static inline lxm_cache_key lxm_cache_key_of(const uint8_t *token, size_t length, size_t readable)
{
    static const uint8_t masks[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    uint8_t copy[16] = {0};
    uint64_t mask[2];
    lxm_cache_key key;
    size_t kept = length < 16 ? length : 16;
    if (readable < 16) {
        memcpy(copy, token, kept);
        token = copy;
    }
    memcpy(&key, token, 16);
    memcpy(mask, masks + 16 - kept, 16);
    key.words[0] &= mask[0];
    key.words[1] &= mask[1];
    key.words[1] |= (uint64_t)(length < 16 ? length : 0xFF) << 56;
    return key;
}

static inline lxm_cache_entry *lxm_cache_set(const lxm_cache *cache, const lxm_cache_key *key)
{
    uint64_t hash =
        XXH3_mul128_fold64(key->words[0] ^ cache->seeds[0], key->words[1] ^ cache->seeds[1]);
    return cache->entries + lxm_cache_ways * (size_t)(hash >> cache->entry_shift);
}

static inline bool lxm_cache_is(const lxm_cache_entry *entry, const lxm_cache_key *key)
{
    return ((entry->key[0] ^ key->words[0]) | (entry->key[1] ^ key->words[1])) == 0;
}

/* Moves the second entry of a set to the first place. */
static inline void lxm_cache_promote(lxm_cache_entry *set)
{
    lxm_cache_entry first = set[0];
    set[0] = set[1];
    set[1] = first;
}

/* The line where a token of up to lxm_cache_long bytes would stand, and its key. */
typedef struct lxm_cache_place {
    uint64_t key[4];
    lxm_cache_line *line; /* NULL: the token is too long */
} lxm_cache_place;

static inline lxm_cache_place lxm_cache_place_of(const lxm_cache *cache, const uint8_t *token,
                                                 size_t length)
{
    lxm_cache_place place = {.line = NULL};
    if (length > lxm_cache_long)
        return place;
    memcpy(place.key, token, length);
    place.key[3] |= (uint64_t)length << 56;
    uint64_t low =
        XXH3_mul128_fold64(place.key[0] ^ cache->seeds[0], place.key[1] ^ cache->seeds[1]);
    uint64_t high =
        XXH3_mul128_fold64(place.key[2] ^ cache->seeds[1], place.key[3] ^ cache->seeds[0]);
    place.line = cache->lines + (size_t)((low ^ high) >> cache->line_shift);
    return place;
}

static inline bool lxm_cache_has_line(const lxm_cache_place *place)
{
    return place->line && memcmp(place->line->key, place->key, sizeof place->key) == 0;
}

/* Keeps what a token has become, where it fits. */
void lxm_cache_put(lxm_cache *cache, const uint8_t *token, size_t length, const uint32_t *ids,
                   size_t count);

#endif
