#include "idmap/cache_near.h"

#include "base/cpu.h"

/* Without a branch on what is found. `readable`: as many bytes as a key has may be read of each. */
static inline __attribute__((always_inline)) void
look(const lxm_cache *cache, const lxm_tokens *tokens, const lxm_span *spans, size_t from,
     size_t to, bool readable, lxm_cache_looks *looks)
{
    const uint8_t *text = tokens->text;
    const lxm_cache c = *cache; /* which nothing that is written here changes */
    size_t end = tokens->spans[tokens->count - 1].end, missed = looks->missed;
    for (size_t i = from; i < to; i++) {
        size_t begin = spans[i].begin, length = spans[i].end - begin;
        lxm_cache_key key =
            lxm_cache_key_of(text + begin, length, readable ? sizeof key : end - begin);
        uint64_t hash = lxm_cache_hash(&c, &key);
        const lxm_cache_entry *entry = lxm_cache_near(&c, hash);
        looks->ids[i] = entry->ids;
        looks->counts[i] = lxm_cache_count(entry);
        looks->words[0][missed] = key.words[0];
        looks->words[1][missed] = key.words[1];
        looks->hashes[missed] = hash;
        looks->indices[missed] = (uint32_t)i;
        missed += !lxm_cache_is(entry, &key);
    }
    looks->missed = missed;
}

void lxm_cache_look_near(const lxm_cache *cache, const lxm_tokens *tokens, size_t first,
                         size_t count, lxm_cache_looks *looks)
{
    const lxm_span *spans = tokens->spans + first;
    size_t end = tokens->spans[tokens->count - 1].end, readable = count, done = 0;
    while (readable && end - spans[readable - 1].begin < sizeof(lxm_cache_key))
        readable--;
    looks->missed = 0;
#ifdef LXM_CACHE_AVX512
    if (lxm_cpu_features() & LXM_CPU_AVX512)
        done = lxm_cache_look_near_avx512(cache, tokens->text, spans, readable, looks);
#endif
    look(cache, tokens, spans, done, readable, true, looks);
    look(cache, tokens, spans, readable, count, false, looks);
}
