/* Where the tokens of a segmenter go: into a stream, as they are or, through a mapper, as ids; or
 * as ids to whoever wants them as numbers. */
#ifndef LXM_PIPELINE_TOKEN_END_H
#define LXM_PIPELINE_TOKEN_END_H

#include "lexmill/idmap.h"
#include "stream/formatter.h"

typedef struct lxm_id_sink {
    lxm_status (*ids)(void *context, const uint32_t *ids, size_t count, lxm_error *error);
    lxm_status (*end_document)(void *context, lxm_error *error);
    void *context;
} lxm_id_sink;

/* Ids that wait for a sink: u32, and for each document that ends how many of them stand before its
 * end (size_t). */
typedef struct lxm_id_list {
    lxm_buffer ids, ends;
} lxm_id_list;

void lxm_id_list_init(lxm_id_list *list, const lxm_allocator *allocator);
void lxm_id_list_free(lxm_id_list *list);

/* Hands everything to the sink; the list is empty then. */
lxm_status lxm_id_list_pour(lxm_id_list *list, const lxm_id_sink *sink, lxm_error *error);

typedef struct lxm_token_end {
    lxm_formatter *formatter; /* one of these four */
    lxm_writer *writer;
    lxm_id_list *list;
    const lxm_id_sink *sink;
    lxm_mapper *mapper; /* NULL: tokens stay what they are */
} lxm_token_end;

/* The end must stay where it is. A token that the vocabulary doesn't have is an error with its
 * position in the document, where tokens have offsets. */
lxm_token_sink lxm_token_end_sink(lxm_token_end *end);

#endif
