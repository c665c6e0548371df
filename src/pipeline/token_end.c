#include "pipeline/token_end.h"

#include "idmap/template.h"

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

/* A document begins, if it hasn't yet. */
static lxm_status begin(lxm_token_end *end, lxm_error *error)
{
    if (end->inside || !end->mapper)
        return LXM_OK;
    end->inside = true;
    const lxm_ids before = lxm_template_before(end->vocab);
    return before.count ? put_ids(end, &before, error) : LXM_OK;
}

static lxm_status tokens_found(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_token_end *end = context;
    lxm_ids ids;
    if (!end->mapper)
        return put_tokens(end, tokens, error);
    lxm_status status = begin(end, error);
    if (status)
        return status;
    status = lxm_mapper_map(end->mapper, tokens, &ids, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = tokens->offsets ? tokens->offsets[2 * error->offset] : LXM_NO_OFFSET;
    return status ? status : put_ids(end, &ids, error);
}

static lxm_status document_ends(void *context, lxm_error *error)
{
    lxm_token_end *end = context;
    lxm_status status = begin(end, error);
    end->inside = false;
    if (!status && end->mapper) {
        const lxm_ids after = lxm_template_after(end->vocab);
        status = after.count ? put_ids(end, &after, error) : LXM_OK;
    }
    if (status)
        return status;
    if (end->writer)
        return lxm_writer_end_document(end->writer, error);
    return end->formatter->functions->end_document(end->formatter, error);
}

lxm_token_sink lxm_token_end_sink(lxm_token_end *end)
{
    return (lxm_token_sink){tokens_found, document_ends, end};
}
