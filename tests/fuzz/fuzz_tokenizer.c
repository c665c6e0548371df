/*
 * Text under any options, pushed whole and in pieces: the same tokens, or the same error.
 * The first four bytes are the options.
 */
#include "fuzz.h"

static const char *const patterns[] = {
    "\\w+", "\\s+", "(?s).", "^.|\\b\\w", "(?<=a)\\S|x*", "\\S+$", "(?:a|b(?=c))+", "\\X",
};
static const char *const specials[] = {"<s>", "<", "<s><s>", "\xC3\xA9", "\n\n", "aa"};

enum { presets = 16, most_tokenizers = 1 << 16 };

typedef struct result {
    uint64_t hash;
    size_t source_end; /* offsets never go back */
} result;

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    result *r = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        lxm_span span = tokens->spans[i];
        uint32_t length = span.end - span.begin;
        fuzz_demand(span.begin < span.end);
        r->hash = fuzz_hash(r->hash, &length, sizeof length);
        r->hash = fuzz_hash(r->hash, tokens->text + span.begin, length);
        if (!tokens->offsets)
            continue;
        fuzz_demand(tokens->offsets[2 * i] <= tokens->offsets[2 * i + 1]);
        r->hash = fuzz_hash(r->hash, tokens->offsets + 2 * i, 2 * sizeof *tokens->offsets);
    }
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    result *r = context;
    (void)error;
    r->hash = fuzz_hash(r->hash, "end", 3);
    return LXM_OK;
}

static lxm_status run(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t size, size_t part,
                      result *r, lxm_error *error)
{
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {take_tokens, take_end, r};
    lxm_status status = lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, error);
    fuzz_demand(!status);
    for (size_t at = 0; !status && at < size; at += part)
        status =
            lxm_segmenter_push(segmenter, text + at, size - at < part ? size - at : part, error);
    if (!status)
        status = lxm_segmenter_end_document(segmenter, error);
    lxm_segmenter_free(segmenter);
    return status;
}

static lxm_tokenizer_options read_options(const uint8_t *data)
{
    lxm_tokenizer_options o = {.normal_form = (lxm_normal_form)(data[1] % 5),
                               .strip_marks = data[1] & 0x80,
                               .lowercase = data[1] & 0x40,
                               .casefold = data[1] & 0x20,
                               .invalid = (lxm_invalid)(data[2] % 3),
                               .offsets = data[2] & 0x80,
                               .specials = specials,
                               .special_count = data[2] / 4 % 7,
                               .match_limit = 100000};
    size_t which = data[0] % (presets + 2 * sizeof patterns / sizeof *patterns);
    const lxm_preset *preset = which < presets ? lxm_preset_at(which) : NULL;
    if (preset) {
        o.preset = preset->name;
    } else {
        o.pattern = patterns[which / 2 % (sizeof patterns / sizeof *patterns)];
        o.split = which & 1;
    }
    return o;
}

/* Compiling costs far more than a run: tokenizers are kept. */
static const lxm_tokenizer *tokenizer_for(const uint8_t *data)
{
    static lxm_tokenizer *kept[most_tokenizers];
    static uint32_t keys[most_tokenizers];
    uint32_t key = 1 + (uint32_t)(data[0] | data[1] << 8 | data[2] << 16);
    size_t slot = key * 2654435761u >> 16;
    lxm_tokenizer_options options = read_options(data);
    if (keys[slot] != key) {
        lxm_error error;
        lxm_tokenizer_free(kept[slot]);
        keys[slot] = key;
        fuzz_demand(!lxm_tokenizer_new(&kept[slot], &options, NULL, &error));
    }
    return kept[slot];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lxm_error error, other;
    result whole = {0}, parts = {0};
    if (size < 4)
        return 0;
    const lxm_tokenizer *tokenizer = tokenizer_for(data);
    size_t part = 1 + data[3] % 40;
    lxm_status status = run(tokenizer, data + 4, size - 4, size, &whole, &error);
    fuzz_check_error(status, &error);
    /* a match limit counts from where a search began, which depends on the pieces */
    if (status == LXM_ERROR_LIMIT)
        return 0;
    fuzz_demand(run(tokenizer, data + 4, size - 4, part, &parts, &other) == status);
    if (status)
        fuzz_demand(error.offset == other.offset);
    else
        fuzz_demand(whole.hash == parts.hash);
    return 0;
}
