/*
 * Byte-pair encoding: over bytes, as GPT-2 and tiktoken have it, or over characters, with a token
 * for each byte to fall back on, as Llama 2 has it.
 */
#ifndef LXM_IDMAP_BPE_H
#define LXM_IDMAP_BPE_H

#include "idmap/model.h"

typedef struct lxm_bpe_options {
    bool byte_level;    /* the symbols are bytes; otherwise characters */
    bool byte_fallback; /* a character without a token becomes <0xHH>, if there are such tokens */
    bool fuse_unknown;  /* unknown characters side by side become one unk */
    bool ignore_merges; /* a pre-token that is a token is that one, whatever the merges say */
    lxm_affix prefix;   /* stands before every symbol but the first */
    lxm_affix suffix;   /* stands behind the last */
} lxm_bpe_options;

/* Gives the vocabulary, whose tokens are all there, the model; room for `merges`. */
lxm_status lxm_bpe_new(lxm_vocab *vocab, const lxm_bpe_options *options, size_t merges,
                       lxm_error *error);

/* The next merge, in order of rank. */
lxm_status lxm_bpe_merge(lxm_vocab *vocab, uint32_t left, uint32_t right, uint32_t result,
                         lxm_error *error);

/* Works out the merges of a vocabulary over bytes in which any two neighbours merge that are a
 * token together, the lowest id first. lxm_bpe_new has made room for as many as there are
 * tokens. */
lxm_status lxm_bpe_merge_by_id(lxm_vocab *vocab, lxm_error *error);

/* After the last merge. */
lxm_status lxm_bpe_finish(lxm_vocab *vocab, lxm_error *error);

/* What a model is made of, for those that write it. */
typedef struct lxm_bpe_merge_of {
    uint32_t left, right, result;
} lxm_bpe_merge_of;

const lxm_bpe_options *lxm_bpe_options_of(const lxm_vocab *vocab);

/* The merges in order of rank, the caller's to release with the vocabulary's allocator. */
lxm_status lxm_bpe_list_merges(const lxm_vocab *vocab, lxm_bpe_merge_of **merges, size_t *count,
                               lxm_error *error);

/* With ignore_merges, an id that the model gives and merges don't come to; LXM_NO_ID: none. */
uint32_t lxm_bpe_whole(const lxm_vocab *vocab);

#endif
