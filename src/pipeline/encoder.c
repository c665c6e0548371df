/* text -> ids in memory. */
#include "base/error.h"
#include "idmap/mapper.h"
#include "idmap/template.h"
#include "lexmill/pipeline.h"
#include "tokenize/tokenizer.h"

struct lxm_encoder {
    lxm_allocator allocator;
    lxm_segmenter *segmenter;
    const lxm_vocab *vocab;
    lxm_mapper *mapper;
    bool offsets;
};

static lxm_status tokens_found(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_encoder *encoder = context;
    lxm_status status = lxm_mapper_append(encoder->mapper, tokens, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = tokens->offsets ? tokens->offsets[2 * error->offset] : LXM_NO_OFFSET;
    return status;
}

static lxm_status document_ends(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

lxm_status lxm_encoder_new(lxm_encoder **out, const lxm_tokenizer *tokenizer,
                           const lxm_vocab *vocab, const lxm_mapper_options *options,
                           const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_encoder *encoder = lxm_new(&a, sizeof *encoder);
    if (!encoder)
        return lxm_fail_memory(error);
    lxm_token_sink sink = {tokens_found, document_ends, encoder};
    encoder->allocator = a;
    encoder->vocab = vocab;
    encoder->offsets = tokenizer->options.offsets;
    lxm_status status = lxm_segmenter_new(&encoder->segmenter, tokenizer, &sink, &a, error);
    if (!status)
        status = lxm_mapper_new(&encoder->mapper, vocab, options, &a, error);
    if (status) {
        lxm_encoder_free(encoder);
        return status;
    }
    *out = encoder;
    return LXM_OK;
}

void lxm_encoder_free(lxm_encoder *encoder)
{
    if (!encoder)
        return;
    lxm_allocator a = encoder->allocator;
    lxm_segmenter_free(encoder->segmenter);
    lxm_mapper_free(encoder->mapper);
    lxm_release(&a, encoder);
}

lxm_status lxm_encoder_encode(lxm_encoder *encoder, const void *text, size_t length, lxm_ids *ids,
                              lxm_error *error)
{
    *ids = (lxm_ids){NULL, 0, NULL};
    const lxm_ids before = lxm_template_before(encoder->vocab);
    const lxm_ids after = lxm_template_after(encoder->vocab);
    lxm_mapper_clear(encoder->mapper);
    lxm_status status = lxm_mapper_append_ids(encoder->mapper, &before, error);
    if (!status)
        status = lxm_segmenter_push(encoder->segmenter, text, length, error);
    if (!status)
        status = lxm_segmenter_end_document(encoder->segmenter, error);
    if (!status)
        status = lxm_mapper_append_ids(encoder->mapper, &after, error);
    if (status)
        lxm_segmenter_reset(encoder->segmenter);
    else
        *ids = lxm_mapper_ids(encoder->mapper, encoder->offsets);
    return status;
}
