/* A look for many tokens at once into the near table of the cache, which has most of them. */
#ifndef LXM_IDMAP_CACHE_NEAR_H
#define LXM_IDMAP_CACHE_NEAR_H

#include "idmap/cache.h"
#include "lexmill/tokenize.h"

#if defined __x86_64__
#define LXM_CACHE_AVX512
#endif

enum { lxm_cache_batch = 1024, lxm_cache_lanes = 8 };

/* What is known of a batch of tokens. */
typedef struct lxm_cache_looks {
    const uint32_t *ids[lxm_cache_batch]; /* of each; anything for those that were missed */
    uint32_t counts[lxm_cache_batch];
    size_t missed; /* tokens that the near table hasn't, their keys' words apart from each other */
    uint64_t words[2][lxm_cache_batch + lxm_cache_lanes];
    uint64_t hashes[lxm_cache_batch + lxm_cache_lanes];
    uint32_t indices[lxm_cache_batch + lxm_cache_lanes];
} lxm_cache_looks;

/* Looks for tokens [first, first + count), at most lxm_cache_batch, whose spans are in order. */
void lxm_cache_look_near(const lxm_cache *cache, const lxm_tokens *tokens, size_t first,
                         size_t count, lxm_cache_looks *looks);

/* The same for as many of `count` tokens as are a multiple of lxm_cache_lanes, which it returns;
 * of each, as many bytes as a key has may be read. */
size_t lxm_cache_look_near_avx512(const lxm_cache *cache, const uint8_t *text,
                                  const lxm_span *spans, size_t count, lxm_cache_looks *looks);

#endif
