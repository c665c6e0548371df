#include "pipeline/token_end.h"

#include "base/error.h"
#include "idmap/mapper.h"
#include "idmap/model.h"
#include "idmap/template.h"
#include "idmap/vocab.h"

enum { few_tokens = 64 }; /* more of them at once gain nothing */

static lxm_status put_tokens(lxm_token_end *end, const lxm_tokens *tokens, lxm_error *error)
{
    if (end->writer)
        return lxm_writer_tokens(end->writer, tokens, error);
    return end->formatter->functions->tokens(end->formatter, tokens, error);
}

static lxm_status put_ids(lxm_token_end *end, const lxm_ids *ids, lxm_error *error)
{
    if (ids->count == 0)
        return LXM_OK;
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
    return put_ids(end, &before, error);
}

/* What is under way of a document ends, or all of it if nothing is. */
static lxm_status finish(lxm_token_end *end, lxm_error *error)
{
    lxm_status status = begin(end, error);
    end->inside = false;
    if (!status && end->mapper) {
        const lxm_ids after = lxm_template_after(end->vocab);
        status = put_ids(end, &after, error);
    }
    if (status)
        return status;
    if (end->writer)
        return lxm_writer_end_document(end->writer, error);
    return end->formatter->functions->end_document(end->formatter, error);
}

static lxm_status map(lxm_token_end *end, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_ids ids;
    lxm_status status = lxm_mapper_map(end->mapper, tokens, &ids, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = tokens->offsets ? tokens->offsets[2 * error->offset] : LXM_NO_OFFSET;
    return status ? status : put_ids(end, &ids, error);
}

/* ---- several documents ---- */

/* Each with what the template puts around it. */
static lxm_status put_one_by_one(lxm_token_end *end, const lxm_ids *ids, const uint32_t *ends,
                                 size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t from = 0;
    for (size_t i = 0; !status && i <= count; i++) {
        size_t to = i < count ? ends[i] : ids->count;
        const lxm_ids some = lxm_some_ids(ids, from, to);
        if (to > from)
            status = begin(end, error);
        if (!status)
            status = put_ids(end, &some, error);
        if (!status && i < count)
            status = finish(end, error);
        from = to;
    }
    return status;
}

static lxm_status put_documents(lxm_token_end *end, const lxm_tokens *tokens, uint32_t *ends,
                                size_t count, lxm_error *error)
{
    lxm_ids ids;
    if (!end->mapper)
        return lxm_format_documents_of_tokens(end->formatter, tokens, ends, count, error);
    lxm_status status = lxm_mapper_map_documents(end->mapper, tokens, ends, count, &ids, error);
    if (status)
        return status;
    if (lxm_template_before(end->vocab).count || lxm_template_after(end->vocab).count)
        return put_one_by_one(end, &ids, ends, count, error);
    return lxm_format_documents_of_ids(end->formatter, &ids, ends, count, error);
}

lxm_status lxm_token_end_documents(lxm_token_end *end, const lxm_tokens *tokens, uint32_t *ends,
                                   size_t count, lxm_error *error)
{
    lxm_status status = lxm_token_end_flush(end, error);
    return status ? status : put_documents(end, tokens, ends, count, error);
}

/* ---- tokens that wait ---- */

void lxm_token_end_batch(lxm_token_end *end, const lxm_allocator *allocator)
{
    end->batch.wanted = end->vocab && end->vocab->model->map;
    lxm_buffer_init(&end->batch.text, allocator);
}

void lxm_token_end_clear(lxm_token_end *end)
{
    end->batch.count = end->batch.documents = end->batch.text.length = 0;
}

void lxm_token_end_free(lxm_token_end *end)
{
    if (end->batch.text.data)
        lxm_buffer_free(&end->batch.text);
}

lxm_status lxm_token_end_flush(lxm_token_end *end, lxm_error *error)
{
    lxm_waiting *b = &end->batch;
    const lxm_tokens tokens = {
        .text = b->text.data, .spans = b->spans, .count = b->count, .plain = true};
    if (!b->count && !b->documents)
        return LXM_OK;
    lxm_status status = put_documents(end, &tokens, b->ends, b->documents, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = LXM_NO_OFFSET;
    lxm_token_end_clear(end);
    return status;
}

static lxm_status wait(lxm_waiting *b, const lxm_tokens *tokens, lxm_error *error)
{
    const lxm_span *spans = tokens->spans;
    size_t begin = spans[0].begin, end = spans[tokens->count - 1].end;
    size_t moved = b->text.length - begin;
    if (!lxm_buffer_append(&b->text, tokens->text + begin, end - begin))
        return lxm_fail_memory(error);
    for (size_t i = 0; i < tokens->count; i++)
        b->spans[b->count++] =
            (lxm_span){(uint32_t)(spans[i].begin + moved), (uint32_t)(spans[i].end + moved)};
    return LXM_OK;
}

/* ---- the sink ---- */

static lxm_status tokens_found(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_token_end *end = context;
    lxm_waiting *b = &end->batch;
    lxm_status status = LXM_OK;
    if (!end->mapper)
        return put_tokens(end, tokens, error);
    bool waits = b->wanted && tokens->plain && !tokens->offsets && tokens->count <= few_tokens;
    if (!waits || b->count + tokens->count > lxm_batch_tokens)
        status = lxm_token_end_flush(end, error);
    if (!status && waits && tokens->count)
        return wait(b, tokens, error);
    if (!status)
        status = begin(end, error);
    return status ? status : map(end, tokens, error);
}

static lxm_status document_ends(void *context, lxm_error *error)
{
    lxm_token_end *end = context;
    lxm_waiting *b = &end->batch;
    lxm_status status = LXM_OK;
    if (b->documents == lxm_batch_documents)
        status = lxm_token_end_flush(end, error);
    if (!status && (b->count || b->documents)) {
        b->ends[b->documents++] = (uint32_t)b->count;
        return LXM_OK;
    }
    return status ? status : finish(end, error);
}

lxm_token_sink lxm_token_end_sink(lxm_token_end *end)
{
    return (lxm_token_sink){tokens_found, document_ends, end};
}
