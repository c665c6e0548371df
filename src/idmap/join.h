/* How words are put together again: the rules of lxm_join, token by token. */
#ifndef LXM_IDMAP_JOIN_H
#define LXM_IDMAP_JOIN_H

#include "base/memory.h"
#include "lexmill/idmap.h"

/* Zeroed but for `join`, it stands at the start of a document. */
typedef struct lxm_joiner {
    lxm_join join;
    bool inside; /* the document has a token already */
} lxm_joiner;

/* Appends a token's bytes and what stands before them; false when memory runs out, and nothing has
 * changed. */
bool lxm_joiner_append(lxm_joiner *joiner, lxm_buffer *text, const uint8_t *token, size_t length);

/* The next token begins a document. */
void lxm_joiner_end_document(lxm_joiner *joiner);

#endif
