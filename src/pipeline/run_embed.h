/* Writing rows of a table, for jobs that choose which. */
#ifndef LXM_PIPELINE_RUN_EMBED_H
#define LXM_PIPELINE_RUN_EMBED_H

#include "lexmill/pipeline.h"

/* The rows `ids` (NULL: those from 0), `rows` of them, as text, .npy or .safetensors; of the
 * options, table, format, dtype and settings count. */
lxm_status lxm_run_write_rows(const lxm_embed_options *options, const uint32_t *ids, uint64_t rows,
                              uint64_t fingerprint, const char *output_path, const lxm_job *job,
                              lxm_error *error);

#endif
