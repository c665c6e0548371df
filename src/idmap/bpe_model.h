/* What BPE keeps for a vocabulary: filled by bpe.c, stored and loaded by bpe_parts.c. */
#ifndef LXM_IDMAP_BPE_MODEL_H
#define LXM_IDMAP_BPE_MODEL_H

#include "idmap/bpe.h"
#include "idmap/merging.h"

typedef struct lxm_bpe {
    lxm_bpe_options options;
    lxm_merges merges;
    size_t rank_count, rank_capacity;
    uint32_t bytes[256]; /* the id of each byte, or of its <0xHH>; or LXM_NO_ID */
    /* With ignore_merges: the tokens that merges don't come to. The others come out of the merges
     * as they are, so that they needn't be looked for. */
    lxm_token_table whole;
    uint32_t *whole_ids;
    bool viewed; /* the arrays are another's */
} lxm_bpe;

/* Whether the tokens of the ids, joined, are the pre-token's bytes. */
bool lxm_bpe_is_exact(const lxm_bpe *bpe);

/* The model's `store` and `load`. */
lxm_status lxm_bpe_store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error);
lxm_status lxm_bpe_load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error);

#endif
