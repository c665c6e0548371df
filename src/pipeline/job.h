/* What the jobs of the pipeline share. */
#ifndef LXM_PIPELINE_JOB_H
#define LXM_PIPELINE_JOB_H

#include "lexmill/pipeline.h"

/* Tells how many bytes have been read. */
void lxm_job_report(const lxm_job *job, uint64_t bytes);

/* Names the input at fault where the error names none yet. */
void lxm_job_blame(lxm_error *error, const char *path);

/* Calls `each` with a reader for every input, in order; counts bytes for progress. */
typedef lxm_status lxm_each_stream(void *context, lxm_reader *reader, lxm_error *error);
lxm_status lxm_job_streams(const char *const *paths, size_t count, lxm_kind kind,
                           const lxm_job *job, lxm_each_stream *each, void *context,
                           lxm_error *error);

#endif
