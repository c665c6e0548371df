/* What the jobs of the pipeline share. */
#ifndef LXM_PIPELINE_JOB_H
#define LXM_PIPELINE_JOB_H

#include "lexmill/pipeline.h"

/* Inputs, one after another: tells the job's progress how much of all of them has been read. */
typedef struct lxm_job_inputs {
    const lxm_job *job;
    uint64_t before; /* bytes of the inputs that have been closed */
} lxm_job_inputs;

/* Whether all of them can be opened, so that hours of work don't end at a name that is wrong. */
lxm_status lxm_job_check(const char *const *paths, size_t count, lxm_error *error);

lxm_status lxm_job_open(lxm_job_inputs *inputs, const char *path, lxm_input **input,
                        lxm_error *error);
void lxm_job_close(lxm_job_inputs *inputs, lxm_input *input);

/* Tells how much has been read, where that isn't through inputs. */
void lxm_job_report(const lxm_job *job, uint64_t bytes);

/* Names the input at fault where the error names none yet. */
void lxm_job_blame(lxm_error *error, const char *path);

/* Calls `each` with a reader for every input, in order; kind 0 as in lxm_reader_new. */
typedef lxm_status lxm_each_stream(void *context, const char *path, lxm_reader *reader,
                                   lxm_error *error);
lxm_status lxm_job_streams(const char *const *paths, size_t count, lxm_kind kind,
                           const lxm_job *job, lxm_each_stream *each, void *context,
                           lxm_error *error);

#endif
