/* Segmenting a document in parts that different threads take. */
#ifndef LXM_TOKENIZE_SEGMENTER_H
#define LXM_TOKENIZE_SEGMENTER_H

#include "lexmill/tokenize.h"

/* The next byte that is pushed stands at `source` of its document. */
void lxm_segmenter_begin_part(lxm_segmenter *segmenter, uint64_t source);

/* Ends a part at a place that lxm_tokenizer_cut allows; the document goes on. */
lxm_status lxm_segmenter_end_part(lxm_segmenter *segmenter, lxm_error *error);

#endif
