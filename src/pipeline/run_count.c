/* Token streams -> counts. */
#include "pipeline/job.h"

static lxm_status count_stream(void *context, const char *path, lxm_reader *reader,
                               lxm_error *error)
{
    (void)path;
    lxm_status status = LXM_OK;
    bool more = true;
    while (!status && more) {
        lxm_block block;
        status = lxm_reader_next(reader, &block, &more, error);
        if (!status && more)
            status = lxm_counter_add(context, &block.tokens, error);
    }
    return status;
}

lxm_status lxm_run_count(lxm_counter *counter, const char *const *paths, size_t path_count,
                         const lxm_job *job, lxm_error *error)
{
    return lxm_job_streams(paths, path_count, LXM_KIND_TOKENS, job, count_stream, counter, error);
}
