/* Documents on their way to a sink, each as one vector; pooled on any thread, written in order. */
#ifndef LXM_PIPELINE_EMBED_POOLED_H
#define LXM_PIPELINE_EMBED_POOLED_H

#include "pipeline/vector_sink.h"

typedef struct lxm_pooled lxm_pooled;

/* `unit`: vectors that are handed on at once; 0: no matter. `border`: vectors that none of what is
 * handed on reaches beyond; 0: none. The result is counted in. */
lxm_status lxm_pooled_new(lxm_pooled **pooled, const lxm_embed_options *options, size_t unit,
                          uint64_t border, lxm_vector_sink *sink, lxm_embed_result *result,
                          const lxm_job *job, lxm_error *error);
void lxm_pooled_free(lxm_pooled *pooled);

/* Ids that have rows. */
lxm_status lxm_pooled_push(lxm_pooled *pooled, const uint32_t *ids, size_t count, lxm_error *error);
lxm_status lxm_pooled_end_document(lxm_pooled *pooled, lxm_error *error);

/* Waits for all and writes them. */
lxm_status lxm_pooled_finish(lxm_pooled *pooled, lxm_error *error);

#endif
