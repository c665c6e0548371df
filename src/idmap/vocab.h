/* What a vocabulary is made of, for the layers above that read, write and grow one. */
#ifndef LXM_IDMAP_VOCAB_H
#define LXM_IDMAP_VOCAB_H

#include "idmap/table.h"

struct lxm_vocab {
    lxm_allocator allocator;
    lxm_token_table table;
    uint32_t unk;      /* or LXM_NO_ID */
    uint64_t *special; /* a bit an id, for the ids below 64 x special_words */
    size_t special_words;
};

/* Maps tokens to ids and adds those that aren't there, until the vocabulary has `max_size` tokens
 * (0: 2^32 - 1); each token that is met counts. What is not there then becomes unk or
 * LXM_ERROR_TOKEN, with its index in `tokens` as the offset. */
lxm_status lxm_vocab_encode_growing(lxm_vocab *vocab, uint64_t max_size, const lxm_tokens *tokens,
                                    uint32_t *ids, lxm_error *error);

#endif
