#define _POSIX_C_SOURCE 200809L
#include "pipeline/job.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static void report(void *context, uint64_t consumed)
{
    const lxm_job_inputs *inputs = context;
    inputs->job->progress(inputs->job->progress_context, inputs->before + consumed);
}

lxm_status lxm_job_check(const char *const *paths, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        struct stat found;
        if (strcmp(paths[i], "-") == 0)
            continue;
        if (stat(paths[i], &found) || access(paths[i], R_OK))
            status = lxm_fail_io(error, errno, "can't open");
        else if (S_ISDIR(found.st_mode))
            status = lxm_fail_io(error, EISDIR, "can't read");
        if (status)
            lxm_job_blame(error, paths[i]);
    }
    return status;
}

lxm_status lxm_job_open(lxm_job_inputs *inputs, const char *path, lxm_input **input,
                        lxm_error *error)
{
    lxm_status status = lxm_input_open(input, path, inputs->job->allocator, error);
    if (!status && inputs->job->progress)
        lxm_input_watch(*input, report, inputs);
    return status;
}

void lxm_job_close(lxm_job_inputs *inputs, lxm_input *input)
{
    if (input)
        inputs->before += lxm_input_consumed(input);
    lxm_input_close(input);
}

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
    lxm_status status = lxm_job_check(paths, count, error);
    lxm_job_inputs inputs = {.job = job};
    for (size_t i = 0; !status && i < count; i++) {
        lxm_input *input = NULL;
        lxm_reader *reader = NULL;
        status = lxm_job_open(&inputs, paths[i], &input, error);
        if (!status)
            status = lxm_reader_new(&reader, input, kind, job->allocator, error);
        if (!status)
            status = each(context, paths[i], reader, error);
        lxm_reader_free(reader);
        lxm_job_close(&inputs, input);
        if (status)
            lxm_job_blame(error, paths[i]);
    }
    return status;
}
