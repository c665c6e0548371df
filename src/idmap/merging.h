/*
 * The merge loop of byte-pair encoding (Sennrich et al. 2016): of all neighbours that merge, those
 * of the lowest rank do, the leftmost first, until none are left.
 */
#ifndef LXM_IDMAP_MERGING_H
#define LXM_IDMAP_MERGING_H

#include "idmap/model.h"
#include "idmap/pairs.h"

/* The merges of a model. */
typedef struct lxm_merges {
    lxm_pairs pairs;
    uint32_t *results; /* the id that each rank makes */
    uint32_t *bytes;   /* the rank of any two bytes, [256][256]: most that is looked for; or NULL */
} lxm_merges;

/* Merges the ids of a mapping in place; where there is `bytes`, they are those of its bytes. A few
 * symbols are searched again for each merge; many go through a heap, in O(n log n) and 32 bytes of
 * scratch each. False when memory runs out. */
bool lxm_merge_symbols(const lxm_merges *merges, lxm_mapping *mapping);

#endif
