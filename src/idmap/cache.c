#define _DEFAULT_SOURCE
#include "idmap/cache.h"

#include <sys/mman.h>

#include "base/error.h"

enum { alignment = 128, huge_page = 2 << 20 };

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

/* Four sets of short entries for every line of a long one: both are powers of two. */
lxm_status lxm_cache_init(lxm_cache *cache, size_t size, const lxm_allocator *allocator,
                          lxm_error *error)
{
    const size_t sets = 4 * lxm_cache_ways * sizeof(lxm_cache_entry);
    const size_t unit = sets + sizeof(lxm_cache_line);
    *cache = (lxm_cache){.seeds = {lxm_random_seed(), lxm_random_seed()}, .allocator = *allocator};
    if (size == 0)
        return LXM_OK;
    size_t lines = 2; /* a shift of 64 is none */
    while (lines <= size / (2 * unit) && lines < (size_t)1 << 40)
        lines *= 2;
    size_t bytes = lines * unit + alignment;
    cache->memory = lxm_allocate(allocator, bytes, 1);
    if (!cache->memory)
        return lxm_fail_memory(error);
    ask_for_huge_pages(cache->memory, bytes);
    memset(cache->memory, 0, bytes);
    uintptr_t start = ((uintptr_t)cache->memory + alignment - 1) & ~(uintptr_t)(alignment - 1);
    cache->entries = (lxm_cache_entry *)start;
    cache->lines = (lxm_cache_line *)(start + lines * sets);
    cache->entry_shift = shift_of(4 * lines);
    cache->line_shift = shift_of(lines);
    return LXM_OK;
}

void lxm_cache_free(lxm_cache *cache)
{
    lxm_release(&cache->allocator, cache->memory);
}

void lxm_cache_put(lxm_cache *cache, const uint8_t *token, size_t length, const uint32_t *ids,
                   size_t count)
{
    if (length > lxm_cache_long || count > lxm_cache_long_ids)
        return;
    if (length > lxm_cache_short || count > lxm_cache_short_ids) {
        lxm_cache_place place = lxm_cache_place_of(cache, token, length);
        memcpy(place.line->key, place.key, sizeof place.key);
        memcpy(place.line->ids, ids, count * sizeof *ids);
        place.line->count = (uint32_t)count;
        return;
    }
    lxm_cache_key key = lxm_cache_key_of(token, length, length);
    lxm_cache_entry *entry = lxm_cache_set(cache, &key);
    if (lxm_cache_is(entry, &key)) /* met twice before it was put */
        return;
    if (entry->count)
        entry++;
    memcpy(entry->key, key.words, sizeof key.words);
    memcpy(entry->ids, ids, count * sizeof *ids);
    entry->count = (uint32_t)count;
}
