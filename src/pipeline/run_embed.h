/* Embedding what doesn't come as a stream; and writing rows of a table, for jobs that choose which.
 */
#ifndef LXM_PIPELINE_RUN_EMBED_H
#define LXM_PIPELINE_RUN_EMBED_H

#include "lexmill/pipeline.h"

/* Ids that come through a sink on their way to vectors. */
typedef struct lxm_embed_run lxm_embed_run;

/* The options, the job and the path must outlive the run. */
lxm_status lxm_embed_run_new(lxm_embed_run **run, const lxm_embed_options *options,
                             const char *output_path, const lxm_job *job, lxm_error *error);

/* It opens the output where the ids begin. */
lxm_id_sink lxm_embed_run_sink(lxm_embed_run *run);

/* Writes the rest, where `status`, which it returns otherwise, is LXM_OK; frees the run. */
lxm_status lxm_embed_run_finish(lxm_embed_run *run, lxm_status status, lxm_embed_result *result,
                                lxm_error *error);

/* The rows `ids` (NULL: those from 0), `rows` of them, as text, .npy or .safetensors; of the
 * options, table, format, dtype and settings count. `result` may be NULL. */
lxm_status lxm_run_write_rows(const lxm_embed_options *options, const uint32_t *ids, uint64_t rows,
                              uint64_t fingerprint, const char *output_path, const lxm_job *job,
                              lxm_embed_result *result, lxm_error *error);

#endif
