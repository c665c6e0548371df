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
    bool linear;       /* it is the rank + `first` */
    uint32_t first;
    uint32_t *bytes; /* the rank of any two bytes, [256][256]: most that is looked for; or NULL */
} lxm_merges;

/* Finds out whether its `count` results are linear, as most are: they are numbered in the order of
 * merges. Before anything is merged. */
void lxm_merges_find_order(lxm_merges *merges, size_t count);

/* Merges the ids of mappings in place; where there is `bytes`, they are those of their bytes. Each
 * merge looks through all symbols where they are few; many go through a heap, in O(n log n) and 32
 * bytes of scratch each. False when memory runs out. */
bool lxm_merge_symbols(const lxm_merges *merges, lxm_mapping *mappings, size_t count);

#endif
