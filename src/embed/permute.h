/* Orders of all windows, from a seed. */
#ifndef LXM_EMBED_PERMUTE_H
#define LXM_EMBED_PERMUTE_H

#include "base/memory.h"

/* A bijection of the numbers under `count`, which needs no memory: a Feistel network over the next
 * power of four, walked until it comes back under `count` (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", 2002). */
typedef struct lxm_permutation {
    uint64_t count, keys[6];
    unsigned half; /* bits */
} lxm_permutation;

void lxm_permutation_init(lxm_permutation *p, uint64_t count, uint64_t seed);
uint64_t lxm_permutation_at(const lxm_permutation *p, uint64_t index);

/* The order of a torch DataLoader with shuffle=True right after torch.manual_seed(seed), in
 * `order`; count is under 2^32. */
void lxm_torch_order(uint32_t *order, uint32_t count, uint64_t seed);

#endif
