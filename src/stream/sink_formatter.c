/* No bytes of a stream: ids as they are, and document ends, until a sink takes them. */
#include "base/error.h"
#include "stream/formatter.h"

static bool nothing(lxm_formatter *formatter)
{
    (void)formatter;
    return true;
}

static lxm_status put_ids(lxm_formatter *formatter, const lxm_ids *ids, lxm_error *error)
{
    bool good = lxm_buffer_append(&formatter->out, ids->ids, ids->count * sizeof *ids->ids);
    return lxm_format_status(good, error);
}

/* A document's end is the number of ids before it. */
static lxm_status end_document(lxm_formatter *formatter, lxm_error *error)
{
    size_t count = formatter->out.length / sizeof(uint32_t);
    return lxm_format_status(lxm_buffer_append(&formatter->documents, &count, sizeof count), error);
}

const lxm_formatter_functions lxm_sink_formatter = {
    .begin = nothing,
    .ids = put_ids,
    .end_document = end_document,
    .flush = nothing,
    .finish = nothing,
};

lxm_status lxm_formatter_pour(lxm_formatter *formatter, const lxm_id_sink *sink, lxm_error *error)
{
    const uint32_t *ids = (const uint32_t *)(const void *)formatter->out.data;
    const size_t *ends = (const size_t *)(const void *)formatter->documents.data;
    size_t count = formatter->out.length / sizeof *ids, from = 0;
    size_t documents = formatter->documents.length / sizeof *ends;
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < documents; i++) {
        if (ends[i] > from)
            status = sink->ids(sink->context, ids + from, ends[i] - from, error);
        if (!status)
            status = sink->end_document(sink->context, error);
        from = ends[i];
    }
    if (!status && count > from)
        status = sink->ids(sink->context, ids + from, count - from, error);
    formatter->out.length = formatter->documents.length = 0;
    if (status == LXM_ERROR_ID && error)
        error->offset = LXM_NO_OFFSET; /* which one is no position that anyone knows */
    return status;
}
