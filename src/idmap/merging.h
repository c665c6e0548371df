/*
 * The merge loop of byte-pair encoding (Sennrich et al. 2016): of all neighbours that merge, those
 * of the lowest rank do, the leftmost first, until none are left.
 */
#ifndef LXM_IDMAP_MERGING_H
#define LXM_IDMAP_MERGING_H

#include "idmap/model.h"
#include "idmap/pairs.h"

/* Merges the ids of a mapping in place. `results` is the id that each rank makes. A few symbols
 * are searched again for each merge; many go through a heap, in O(n log n) and 32 bytes of scratch
 * each. False when memory runs out. */
bool lxm_merge_symbols(const lxm_pairs *pairs, const uint32_t *results, lxm_mapping *mapping);

#endif
