/* How words are put together again: the rules of lxm_join, token by token. */
#ifndef LXM_IDMAP_JOIN_H
#define LXM_IDMAP_JOIN_H

#include "idmap/vocab.h"

/* Zeroed but for `join` and `vocab`, it stands at the start of a document. */
typedef struct lxm_joiner {
    lxm_join join;
    const lxm_vocab *vocab; /* whose tokens they are; NULL: of the word level */
    bool inside;            /* the document has a token already */
    bool space;             /* the last one ended a word */
    size_t stripped;        /* spaces of its start that were dropped */
    bool settled;           /* no more are: it has text */
} lxm_joiner;

/* Appends the text of a token and what stands before it; false when memory runs out, and
 * nothing has changed. */
bool lxm_joiner_append(lxm_joiner *joiner, lxm_buffer *text, const uint8_t *token, size_t length);

/* The next token begins a document. */
void lxm_joiner_end_document(lxm_joiner *joiner);

#endif
