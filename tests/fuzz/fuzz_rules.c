/*
 * A tokenizer.json of any bytes: refused, or text gives the same tokens whether it is pushed whole
 * or in pieces. What stands behind the last '}' is the text.
 */
#define _GNU_SOURCE
#include "fuzz.h"

enum { most_text = 4096 };

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    uint64_t *hash = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        uint32_t length = tokens->spans[i].end - tokens->spans[i].begin;
        fuzz_demand(length > 0 && tokens->offsets[2 * i] <= tokens->offsets[2 * i + 1]);
        *hash = fuzz_hash(*hash, &length, sizeof length);
        *hash = fuzz_hash(*hash, tokens->text + tokens->spans[i].begin, length);
        *hash = fuzz_hash(*hash, tokens->offsets + 2 * i, 2 * sizeof *tokens->offsets);
    }
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

static lxm_status run(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t size, size_t part,
                      uint64_t *hash, lxm_error *error)
{
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {take_tokens, take_end, hash};
    lxm_status status = lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, error);
    *hash = 0;
    fuzz_demand(!status);
    for (size_t at = 0; !status && at < size; at += part)
        status =
            lxm_segmenter_push(segmenter, text + at, size - at < part ? size - at : part, error);
    if (!status)
        status = lxm_segmenter_end_document(segmenter, error);
    lxm_segmenter_free(segmenter);
    return status;
}

static void check(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t size)
{
    lxm_error error;
    uint64_t whole, parts;
    lxm_status status = run(tokenizer, text, size, size, &whole, &error);
    fuzz_check_error(status, &error);
    /* a match limit counts from where a search began, which depends on the pieces */
    for (size_t part = 1; status != LXM_ERROR_LIMIT && part < 8; part += 3) {
        fuzz_demand(run(tokenizer, text, size, part, &parts, &error) == status);
        fuzz_demand(status || parts == whole);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const specials[] = {"<s>", "<mask>"};
    const lxm_tokenizer_options options = {.invalid = LXM_INVALID_REPLACE,
                                           .offsets = true,
                                           .specials = specials,
                                           .special_count = 2,
                                           .match_limit = 10000};
    const uint8_t *brace = size ? memrchr(data, '}', size) : NULL;
    size_t json = brace ? (size_t)(brace + 1 - data) : size;
    lxm_tokenizer *tokenizer;
    lxm_error error;
    lxm_status status =
        lxm_tokenizer_open(&tokenizer, fuzz_file(data, json), &options, NULL, &error);
    fuzz_check_error(status, &error);
    if (status)
        fuzz_demand(!tokenizer);
    else if (size - json < most_text)
        check(tokenizer, data + json, size - json);
    lxm_tokenizer_free(tokenizer);
    return 0;
}
