#include "base/error.h"
#include "stream/formatter.h"
#include "stream/writer.h"

enum { write_at = 64 * 1024 };

struct lxm_writer {
    lxm_formatter formatter;
    lxm_output *output;
    lxm_id_sink sink; /* in place of the output, where it has functions */
};

lxm_status lxm_writer_new(lxm_writer **out, lxm_output *output, const lxm_stream_options *options,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    if (options->format > LXM_STREAM_JSONL ||
        (options->kind != LXM_KIND_TOKENS && options->kind != LXM_KIND_IDS))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "unknown stream format or kind");
    if (options->sink && options->kind != LXM_KIND_IDS)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a sink takes ids alone");
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_writer *writer = lxm_new(&a, sizeof *writer);
    if (!writer)
        return lxm_fail_memory(error);
    lxm_formatter_init(&writer->formatter, options, &a);
    writer->output = writer->formatter.output = output;
    lxm_status status = LXM_OK;
    if (options->sink) {
        writer->sink = *options->sink;
        status = writer->sink.begin(writer->sink.context, options->fingerprint,
                                    writer->formatter.settings, error);
    } else if (!writer->formatter.functions->begin(&writer->formatter)) {
        status = lxm_fail_memory(error);
    }
    if (status)
        lxm_writer_free(writer);
    else
        *out = writer;
    return status;
}

void lxm_writer_free(lxm_writer *writer)
{
    if (!writer)
        return;
    lxm_allocator a = writer->formatter.allocator;
    lxm_formatter_free(&writer->formatter);
    lxm_release(&a, writer);
}

/* Sends what is finished, where that is at least so much. */
static lxm_status send(lxm_writer *writer, size_t at_least, lxm_error *error)
{
    lxm_buffer *out = &writer->formatter.out;
    size_t open = writer->formatter.open, ready = out->length - open;
    if (ready < at_least || ready == 0)
        return LXM_OK;
    lxm_status status = lxm_output_write(writer->output, out->data, ready, error);
    memmove(out->data, out->data + ready, open);
    out->length = open;
    return status;
}

lxm_status lxm_writer_tokens(lxm_writer *writer, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = writer->formatter.functions->tokens(&writer->formatter, tokens, error);
    return status ? status : send(writer, write_at, error);
}

lxm_status lxm_writer_ids(lxm_writer *writer, const lxm_ids *ids, lxm_error *error)
{
    if (writer->sink.ids)
        return ids->count ? writer->sink.ids(writer->sink.context, ids->ids, ids->count, error)
                          : LXM_OK;
    lxm_status status = writer->formatter.functions->ids(&writer->formatter, ids, error);
    return status ? status : send(writer, write_at, error);
}

lxm_status lxm_writer_end_document(lxm_writer *writer, lxm_error *error)
{
    if (writer->sink.ids)
        return writer->sink.end_document(writer->sink.context, error);
    lxm_status status = writer->formatter.functions->end_document(&writer->formatter, error);
    return status ? status : send(writer, write_at, error);
}

lxm_status lxm_writer_join(lxm_writer *writer, lxm_formatter *from, lxm_error *error)
{
    if (writer->sink.ids)
        return lxm_formatter_pour(from, &writer->sink, error);
    lxm_status status = lxm_formatter_lead(&writer->formatter, from, error);
    if (!status)
        status = send(writer, 0, error);
    if (!status)
        status = lxm_output_write(writer->output, from->out.data, from->out.length, error);
    from->out.length = 0;
    return status;
}

const lxm_totals *lxm_writer_totals(const lxm_writer *writer)
{
    return &writer->formatter.totals;
}

lxm_status lxm_writer_finish(lxm_writer *writer, lxm_error *error)
{
    if (writer->sink.ids)
        return LXM_OK;
    if (!writer->formatter.functions->finish(&writer->formatter))
        return lxm_fail_memory(error);
    return send(writer, 0, error);
}
