#define _DEFAULT_SOURCE
#include "idmap/cache.h"

#include <sys/mman.h>

#include "base/error.h"

enum { line_size = 64, huge_page = 2 << 20 };

/* Looks into a large cache miss the translation buffer less with large pages. */
static void ask_for_huge_pages(uint8_t *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    uintptr_t start = ((uintptr_t)memory + huge_page - 1) & ~(uintptr_t)(huge_page - 1);
    uintptr_t end = ((uintptr_t)memory + size) & ~(uintptr_t)(huge_page - 1);
    if (end > start)
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size;
#endif
}

static unsigned shift_of(size_t count)
{
    return 64 - (unsigned)__builtin_ctzll(count);
}

/* Two sets of short entries for every line of a long one: three lines in all. */
lxm_status lxm_cache_init(lxm_cache *cache, size_t size, const lxm_allocator *allocator,
                          lxm_error *error)
{
    *cache = (lxm_cache){.seeds = {lxm_random_seed(), lxm_random_seed()}, .allocator = *allocator};
    if (size == 0)
        return LXM_OK;
    size_t lines = 2; /* a shift of 64 is none */
    while (lines <= size / (6 * line_size) && lines < (size_t)1 << 40)
        lines *= 2;
    size_t bytes = 3 * lines * line_size;
    cache->memory = lxm_allocate(allocator, bytes + line_size, 1);
    if (!cache->memory)
        return lxm_fail_memory(error);
    uintptr_t start = ((uintptr_t)cache->memory + line_size - 1) & ~(uintptr_t)(line_size - 1);
    ask_for_huge_pages(cache->memory, bytes + line_size);
    memset(cache->memory, 0, bytes + line_size);
    cache->entries = (lxm_cache_entry *)start;
    cache->lines = (lxm_cache_line *)(start + 2 * lines * line_size);
    cache->entry_shift = shift_of(2 * lines);
    cache->line_shift = shift_of(lines);
    return LXM_OK;
}

void lxm_cache_free(lxm_cache *cache)
{
    lxm_release(&cache->allocator, cache->memory);
}

static lxm_cache_line *line_of(const lxm_cache *cache, const uint8_t *token, size_t length,
                               uint64_t key[4])
{
    memset(key, 0, 32);
    memcpy(key, token, length);
    key[3] |= (uint64_t)length << 56;
    uint64_t hash = XXH3_mul128_fold64(key[0] ^ cache->seeds[0], key[1] ^ cache->seeds[1]) ^
                    XXH3_mul128_fold64(key[2] ^ cache->seeds[1], key[3] ^ cache->seeds[0]);
    return cache->lines + (size_t)(hash >> cache->line_shift);
}

const lxm_cache_line *lxm_cache_find_line(const lxm_cache *cache, const uint8_t *token,
                                          size_t length)
{
    uint64_t key[4];
    const lxm_cache_line *line = line_of(cache, token, length, key);
    return memcmp(line->key, key, sizeof key) == 0 ? line : NULL;
}

void lxm_cache_put(lxm_cache *cache, const uint8_t *token, size_t length, const uint32_t *ids,
                   size_t count)
{
    if (!cache->entries || length > lxm_cache_long || count > lxm_cache_long_ids)
        return;
    if (length > lxm_cache_short || count > lxm_cache_short_ids) {
        uint64_t key[4];
        lxm_cache_line *line = line_of(cache, token, length, key);
        memcpy(line->key, key, sizeof key);
        memcpy(line->ids, ids, count * sizeof *ids);
        line->count = (uint32_t)count;
        return;
    }
    lxm_cache_key key = lxm_cache_key_of(token, length, length);
    lxm_cache_entry *entry = lxm_cache_set(cache, &key);
    if (entry->count)
        entry++;
    memcpy(entry->key, key.words, sizeof key.words);
    memcpy(entry->ids, ids, count * sizeof *ids);
    entry->count = (uint32_t)count;
}
