/* Id streams into a sink. */
#include "pipeline/run_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/job.h"

void lxm_place_id(lxm_error *error, uint64_t position, bool lines)
{
    if (!error || error->code != LXM_ERROR_ID || error->offset == LXM_NO_OFFSET)
        return;
    size_t used = strlen(error->message);
    if (lines)
        error->line = position;
    else
        snprintf(error->message + used, sizeof error->message - used,
                 " (number %" PRIu64 " of the stream, from 0)", position + error->offset);
    error->offset = LXM_NO_OFFSET;
}

lxm_status lxm_pass_ids(lxm_reader *reader, const lxm_id_sink *sink, lxm_error *error)
{
    lxm_block block;
    bool more = true, in_document = false;
    lxm_status status = sink->begin(sink->context, lxm_reader_fingerprint(reader),
                                    lxm_reader_settings(reader), error);
    while (!status) {
        status = lxm_reader_next(reader, &block, &more, error);
        if (status || !more)
            break;
        if (block.ids.count)
            status = sink->ids(sink->context, block.ids.ids, block.ids.count, error);
        if (status)
            lxm_place_id(error, block.position, !lxm_reader_is_binary(reader));
        else if (block.end_document)
            status = sink->end_document(sink->context, error);
        in_document = !block.end_document;
    }
    return !status && in_document ? sink->end_document(sink->context, error) : status;
}

static lxm_status each_stream(void *context, const char *path, lxm_reader *reader, lxm_error *error)
{
    (void)path;
    return lxm_pass_ids(reader, context, error);
}

lxm_status lxm_run_ids(const char *const *paths, size_t path_count, const lxm_id_sink *sink,
                       const lxm_job *job, lxm_error *error)
{
    static const lxm_job plain = {0};
    lxm_id_sink copy = *sink;
    return lxm_job_streams(paths, path_count, LXM_KIND_IDS, job ? job : &plain, each_stream, &copy,
                           error);
}
