#include "pipeline/token_end.h"

static lxm_status put_tokens(lxm_token_end *end, const lxm_tokens *tokens, lxm_error *error)
{
    if (end->writer)
        return lxm_writer_tokens(end->writer, tokens, error);
    return end->formatter->functions->tokens(end->formatter, tokens, error);
}

static lxm_status put_ids(lxm_token_end *end, const lxm_ids *ids, lxm_error *error)
{
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
    if (end->writer)
        return lxm_writer_end_document(end->writer, error);
    return end->formatter->functions->end_document(end->formatter, error);
}

lxm_token_sink lxm_token_end_sink(lxm_token_end *end)
{
    return (lxm_token_sink){tokens_found, document_ends, end};
}
