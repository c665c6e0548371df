/* Where vectors go in the end: a file of some format, or a folder of shards. */
#ifndef LXM_PIPELINE_VECTOR_SINK_H
#define LXM_PIPELINE_VECTOR_SINK_H

#include "lexmill/pipeline.h"
#include "pipeline/shards.h"

typedef struct lxm_vector_sink {
    const char *path; /* for messages */
    lxm_output *output;
    lxm_vectors vectors;
    lxm_shards *shards; /* NULL: a file */
} lxm_vector_sink;

const lxm_vectors_format *lxm_vector_sink_format(lxm_vector_format format);

/* Begins; errors of all these calls carry the path. */
lxm_status lxm_vector_sink_open(lxm_vector_sink *sink, const char *path,
                                const lxm_vectors_shape *shape, const lxm_embed_options *options,
                                size_t batch, const lxm_allocator *allocator, lxm_error *error);
lxm_status lxm_vector_sink_add(lxm_vector_sink *sink, const lxm_vectors_piece *piece,
                               lxm_error *error);
lxm_status lxm_vector_sink_commit(lxm_vector_sink *sink, lxm_embed_result *result,
                                  lxm_error *error);

/* Frees all, and drops what wasn't committed. */
void lxm_vector_sink_close(lxm_vector_sink *sink);

#endif
