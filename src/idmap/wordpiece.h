/*
 * WordPiece (Schuster and Nakajima 2012, as BERT uses it): the longest token that a word begins
 * with, then the longest continuation, and so on; a word that this doesn't use up is unk.
 */
#ifndef LXM_IDMAP_WORDPIECE_H
#define LXM_IDMAP_WORDPIECE_H

#include "idmap/model.h"

/* Gives the vocabulary, whose tokens are all there, the model. Tokens that begin with `prefix` are
 * continuations; a word of more than `most` characters is unk. */
lxm_status lxm_wordpiece_new(lxm_vocab *vocab, const lxm_affix *prefix, size_t most,
                             lxm_error *error);

/* The most characters that a word may have; for a vocabulary with the model. */
size_t lxm_wordpiece_most(const lxm_vocab *vocab);

/* What its continuations begin with, which the decoder need not take away. */
lxm_affix lxm_wordpiece_prefix(const lxm_vocab *vocab);

#endif
