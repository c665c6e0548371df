/* Where the tokens of a segmenter go: into a stream, as they are or, through a mapper, as ids. */
#ifndef LXM_PIPELINE_TOKEN_END_H
#define LXM_PIPELINE_TOKEN_END_H

#include "lexmill/idmap.h"
#include "stream/formatter.h"

typedef struct lxm_token_end {
    lxm_formatter *formatter; /* one of the two */
    lxm_writer *writer;
    lxm_mapper *mapper;     /* NULL: tokens stay what they are */
    const lxm_vocab *vocab; /* the mapper's */
    bool inside;            /* of a document: what goes before it is written */
} lxm_token_end;

/* The end must stay where it is. A token that the vocabulary doesn't have is an error with its
 * position in the document, where tokens have offsets. */
lxm_token_sink lxm_token_end_sink(lxm_token_end *end);

#endif
