/* The inner loops of merging: of several short tokens side by side, with the same result on every
 * processor. */
#ifndef LXM_IDMAP_MERGING_KERNEL_H
#define LXM_IDMAP_MERGING_KERNEL_H

#include "idmap/merging.h"

#if defined __x86_64__
#define LXM_MERGING_AVX512
#endif

enum {
    lxm_merge_sentinel = lxm_pair_max_id + 1, /* a symbol that no pair has */
    lxm_merge_lanes = 16,
    lxm_merge_lane_symbols = 30,
};

static inline uint32_t lxm_merge_result(const lxm_merges *merges, uint32_t rank)
{
    return merges->linear ? merges->first + rank : merges->results[rank];
}

/* The rank of the symbols at `at` and behind it, before anything is merged. */
static inline uint32_t lxm_merge_first_rank(const lxm_merges *merges, const lxm_mapping *m,
                                            size_t at)
{
    return merges->bytes ? merges->bytes[m->token[at] * 256 + m->token[at + 1]]
                         : lxm_pairs_rank(&merges->pairs, m->ids[at], m->ids[at + 1]);
}

/* Merges at most lxm_merge_lanes tokens, each of 1 to `width` symbols; `width` is at most
 * lxm_merge_lane_symbols. Few take as long as many. */
void lxm_merge_lanes_avx512(const lxm_merges *merges, lxm_mapping *const *m, size_t count,
                            size_t width);

#endif
