/*
 * Unigram (Kudo 2018, as SentencePiece and Hugging Face have it): of all ways to cut a pre-token
 * into tokens, the one whose scores, logarithms of probabilities, have the greatest sum.
 */
#ifndef LXM_IDMAP_UNIGRAM_H
#define LXM_IDMAP_UNIGRAM_H

#include "idmap/model.h"

/* Gives the vocabulary, whose tokens are all there, the model. `scores` are by id and copied;
 * characters that no token has are unk, or, with `byte_fallback`, <0xHH>. */
lxm_status lxm_unigram_new(lxm_vocab *vocab, const double *scores, size_t count, bool byte_fallback,
                           lxm_error *error);

/* How many ids, the first ones, have a score, and the scores; for a vocabulary with the model. */
size_t lxm_unigram_scores(const lxm_vocab *vocab, const double **scores, bool *byte_fallback);

#endif
