#include "pipeline/job.h"

#include "base/error.h"

void lxm_job_report(const lxm_job *job, uint64_t bytes)
{
    if (job->progress)
        job->progress(job->progress_context, bytes);
}

void lxm_job_blame(lxm_error *error, const char *path)
{
    if (error && !error->path)
        error->path = path;
}

lxm_status lxm_job_streams(const char *const *paths, size_t count, lxm_kind kind,
                           const lxm_job *job, lxm_each_stream *each, void *context,
                           lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        lxm_input *input = NULL;
        lxm_reader *reader = NULL;
        status = lxm_input_open(&input, paths[i], job->allocator, error);
        if (!status)
            status = lxm_reader_new(&reader, input, kind, job->allocator, error);
        if (!status)
            status = each(context, reader, error);
        lxm_reader_free(reader);
        lxm_input_close(input);
        if (status)
            lxm_job_blame(error, paths[i]);
    }
    return status;
}
