/* Where the tokens of a segmenter go: into a stream, as they are or, through a mapper, as ids. */
#ifndef LXM_PIPELINE_TOKEN_END_H
#define LXM_PIPELINE_TOKEN_END_H

#include "lexmill/idmap.h"
#include "stream/formatter.h"

enum { lxm_batch_tokens = 256, lxm_batch_documents = 256 };

/* The tokens of short documents, mapped together: what the mapper's cache has of them is fetched
 * from memory for all at once. */
typedef struct lxm_waiting {
    bool wanted;
    lxm_buffer text;
    lxm_span spans[lxm_batch_tokens];
    size_t count;
    uint32_t
        ends[lxm_batch_documents]; /* how many of the tokens stand before each document's end */
    size_t documents;
} lxm_waiting;

typedef struct lxm_token_end {
    lxm_formatter *formatter; /* one of the two */
    lxm_writer *writer;
    lxm_mapper *mapper;     /* NULL: tokens stay what they are */
    const lxm_vocab *vocab; /* the mapper's */
    bool inside;            /* of a document: what goes before it is written */
    lxm_waiting batch;
} lxm_token_end;

/* Lets tokens wait for others, where their vocabulary's model gains by it: what waits comes with
 * lxm_token_end_flush. */
void lxm_token_end_batch(lxm_token_end *end, const lxm_allocator *allocator);
lxm_status lxm_token_end_flush(lxm_token_end *end, lxm_error *error);

/* Takes tokens of several documents, of which the last may go on: ends[i] of them stand before the
 * end of document i. The ends are used up. Not for one with a writer. A token that the vocabulary
 * doesn't have is an error with its index as the offset. */
lxm_status lxm_token_end_documents(lxm_token_end *end, const lxm_tokens *tokens, uint32_t *ends,
                                   size_t count, lxm_error *error);

/* Forgets what waits. */
void lxm_token_end_clear(lxm_token_end *end);
void lxm_token_end_free(lxm_token_end *end);

/* The end must stay where it is. A token that the vocabulary doesn't have is an error with its
 * position in the document, where tokens have offsets. */
lxm_token_sink lxm_token_end_sink(lxm_token_end *end);

#endif
