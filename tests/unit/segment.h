/* Segmenting a text in pieces, and what PCRE2 says of the whole. */
#ifndef LXM_TEST_SEGMENT_H
#define LXM_TEST_SEGMENT_H

#include "unit.h"

/* How a text is cut for pushing. */
enum { cut_never = 0, cut_everywhere = 1, cut_at_random = 2 };

lxm_tokenizer *segment_tokenizer(const lxm_tokenizer_options *options);

/* Pushes a document in pieces and ends it; `how` from cut_at_random on is a seed. */
lxm_status segment_push(lxm_segmenter *segmenter, const void *text, size_t length, uint64_t how,
                        lxm_error *error);

/* A whole document; what comes out is in `got`. */
lxm_status segment(const lxm_tokenizer *tokenizer, const void *text, size_t length, uint64_t how,
                   unit_collector *got, lxm_error *error);

/* What the options' pattern, preset and special tokens give on a valid text, by one search after
 * another in the whole of it. */
void segment_reference(const lxm_tokenizer_options *options, const uint8_t *text, size_t length,
                       unit_collector *expected);

/* A text of pieces that segmenters find hard; returns its length. */
size_t segment_hard_text(uint64_t *seed, uint8_t *text, size_t capacity);

#endif
