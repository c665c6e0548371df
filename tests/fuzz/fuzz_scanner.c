/*
 * A preset's scanner, in every variant that the processor has, finds the tokens that PCRE2 finds
 * with the preset's pattern. The first byte is the preset, the second how the text is cut.
 */
#include "../unit/unicode_15.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "tokenize/scan/scan.h"
#include "tokenize/tokenizer.h"

enum { presets = 16, variants = 3 };

typedef struct kept {
    lxm_tokenizer *pattern, *preset;
    const lxm_scanner *scanners[variants];
} kept;

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    uint64_t *hash = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++)
        *hash = fuzz_hash(*hash, tokens->offsets + 2 * i, 2 * sizeof *tokens->offsets);
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

static uint64_t run(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t size, size_t part)
{
    uint64_t hash = 0;
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {take_tokens, take_end, &hash};
    fuzz_demand(!lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, NULL));
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < part ? size - at : part;
        fuzz_demand(!lxm_segmenter_push(segmenter, text + at, n, NULL));
    }
    fuzz_demand(!lxm_segmenter_end_document(segmenter, NULL));
    lxm_segmenter_free(segmenter);
    return hash;
}

static kept *tokenizers_for(const lxm_preset *preset, size_t which)
{
    static kept all[presets];
    static const char *const limits[variants] = {"scalar", "avx2", NULL};
    kept *k = &all[which];
    lxm_tokenizer_options options = {.preset = preset->name, .offsets = true};
    if (k->preset)
        return k;
    fuzz_demand(!lxm_tokenizer_new(&k->preset, &options, NULL, NULL));
    options = (lxm_tokenizer_options){
        .pattern = preset->pattern, .clean = preset->clean, .offsets = true};
    fuzz_demand(!lxm_tokenizer_new(&k->pattern, &options, NULL, NULL));
    for (size_t i = 0; i < variants; i++) {
        k->scanners[i] = lxm_scanner_for_preset(preset->name, lxm_cpu_features_up_to(limits[i]));
        fuzz_demand(k->scanners[i]);
    }
    return k;
}

/* UTF-8, without what the two have in another version of Unicode. */
static bool is_fit(const uint8_t *text, size_t size)
{
    if (lxm_utf8_valid(text, size) != size)
        return false;
    for (size_t i = 0, n; i < size; i += n)
        if (new_in_15(lxm_utf8_decode(text + i, &n)))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = 0;
    while (lxm_preset_at(count))
        count++;
    if (size < 2 || !is_fit(data + 2, size - 2))
        return 0;
    kept *k = tokenizers_for(lxm_preset_at(data[0] % count), data[0] % count);
    uint64_t expected = run(k->pattern, data + 2, size - 2, size);
    for (size_t i = 0; i < variants; i++) {
        k->preset->scanner = k->scanners[i];
        fuzz_demand(run(k->preset, data + 2, size - 2, size) == expected);
        fuzz_demand(run(k->preset, data + 2, size - 2, 1 + data[1] % 130) == expected);
    }
    return 0;
}
