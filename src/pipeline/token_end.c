#include "pipeline/token_end.h"

#include "base/error.h"

void lxm_id_list_init(lxm_id_list *list, const lxm_allocator *allocator)
{
    lxm_buffer_init(&list->ids, allocator);
    lxm_buffer_init(&list->ends, allocator);
}

void lxm_id_list_free(lxm_id_list *list)
{
    lxm_buffer_free(&list->ids);
    lxm_buffer_free(&list->ends);
}

lxm_status lxm_id_list_pour(lxm_id_list *list, const lxm_id_sink *sink, lxm_error *error)
{
    const uint32_t *ids = (const uint32_t *)(const void *)list->ids.data;
    const size_t *ends = (const size_t *)(const void *)list->ends.data;
    size_t count = list->ids.length / sizeof *ids, documents = list->ends.length / sizeof *ends;
    size_t at = 0;
    lxm_status status = LXM_OK;
    for (size_t d = 0; !status && d < documents; at = ends[d++]) {
        if (ends[d] > at)
            status = sink->ids(sink->context, ids + at, ends[d] - at, error);
        if (!status)
            status = sink->end_document(sink->context, error);
    }
    if (!status && count > at)
        status = sink->ids(sink->context, ids + at, count - at, error);
    list->ids.length = list->ends.length = 0;
    return status;
}

static lxm_status end_in_list(lxm_id_list *list, lxm_error *error)
{
    size_t end = list->ids.length / sizeof(uint32_t);
    return lxm_buffer_append(&list->ends, &end, sizeof end) ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status put_tokens(lxm_token_end *end, const lxm_tokens *tokens, lxm_error *error)
{
    if (end->writer)
        return lxm_writer_tokens(end->writer, tokens, error);
    return end->formatter->functions->tokens(end->formatter, tokens, error);
}

static lxm_status put_ids(lxm_token_end *end, const lxm_ids *ids, lxm_error *error)
{
    if (end->sink)
        return end->sink->ids(end->sink->context, ids->ids, ids->count, error);
    if (end->list)
        return lxm_buffer_append(&end->list->ids, ids->ids, ids->count * sizeof *ids->ids)
                   ? LXM_OK
                   : lxm_fail_memory(error);
    if (end->writer)
        return lxm_writer_ids(end->writer, ids, error);
    return end->formatter->functions->ids(end->formatter, ids, error);
}

static lxm_status tokens_found(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_token_end *end = context;
    lxm_ids ids;
    if (!end->mapper)
        return put_tokens(end, tokens, error);
    lxm_status status = lxm_mapper_map(end->mapper, tokens, &ids, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = tokens->offsets ? tokens->offsets[2 * error->offset] : LXM_NO_OFFSET;
    return status ? status : put_ids(end, &ids, error);
}

static lxm_status document_ends(void *context, lxm_error *error)
{
    lxm_token_end *end = context;
    if (end->sink)
        return end->sink->end_document(end->sink->context, error);
    if (end->list)
        return end_in_list(end->list, error);
    if (end->writer)
        return lxm_writer_end_document(end->writer, error);
    return end->formatter->functions->end_document(end->formatter, error);
}

lxm_token_sink lxm_token_end_sink(lxm_token_end *end)
{
    return (lxm_token_sink){tokens_found, document_ends, end};
}
