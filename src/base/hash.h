/* XXH3-64, from xxHash. */
#ifndef LXM_BASE_HASH_H
#define LXM_BASE_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stddef.h>
#include <stdint.h>

#include "base/hash_long.h"
#include "base/memory.h"

static inline uint64_t lxm_hash(const void *bytes, size_t length, uint64_t seed)
{
    return length > XXH3_MIDSIZE_MAX ? lxm_hash_long(bytes, length, seed)
                                     : XXH3_64bits_withSeed(bytes, length, seed);
}

/* The hash of what comes piece by piece. */
typedef struct lxm_hasher {
    void *memory;
    XXH3_state_t *state; /* in the memory, aligned as it must be */
} lxm_hasher;

/* False when memory runs out. */
bool lxm_hasher_init(lxm_hasher *hasher, const lxm_allocator *allocator);
void lxm_hasher_free(lxm_hasher *hasher, const lxm_allocator *allocator);

/* A seed that input can't foresee, for tables that input fills. Output never depends on it. */
uint64_t lxm_random_seed(void);

#endif
