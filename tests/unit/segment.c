#include "segment.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

lxm_tokenizer *segment_tokenizer(const lxm_tokenizer_options *options)
{
    lxm_tokenizer *tokenizer;
    lxm_error error;
    unit_succeeds(lxm_tokenizer_new(&tokenizer, options, NULL, &error), &error);
    return tokenizer;
}

lxm_status segment_push(lxm_segmenter *segmenter, const void *text, size_t length, uint64_t how,
                        lxm_error *error)
{
    const uint8_t *p = text;
    lxm_status status = LXM_OK;
    uint64_t seed = how;
    for (size_t at = 0, n; !status && at < length; at += n) {
        n = length - at;
        if (how == cut_everywhere)
            n = 1;
        else if (how >= cut_at_random && n > 1)
            n = 1 + unit_random(&seed) % (n < 40 ? n : 40);
        /* a copy of its own, so that a read beyond the piece is seen, and freed at once */
        uint8_t *piece = malloc(n);
        assert_non_null(piece);
        memcpy(piece, p + at, n);
        status = lxm_segmenter_push(segmenter, piece, n, error);
        free(piece);
    }
    return status ? status : lxm_segmenter_end_document(segmenter, error);
}

lxm_status segment(const lxm_tokenizer *tokenizer, const void *text, size_t length, uint64_t how,
                   unit_collector *got, lxm_error *error)
{
    unit_allocator a;
    lxm_segmenter *segmenter;
    lxm_token_sink sink = unit_collector_sink(got);
    unit_allocator_init(&a);
    unit_collector_clear(got);
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, &a.functions, error), error);
    lxm_status status = segment_push(segmenter, text, length, how, error);
    lxm_segmenter_free(segmenter);
    assert_int_equal(a.live, 0);
    return status;
}

/* ---- the reference ---- */

typedef struct reference {
    pcre2_code *code;
    pcre2_match_data *match;
    bool split;
    unit_collector *expected;
} reference;

static void expect(const reference *r, const uint8_t *text, size_t begin, size_t end)
{
    lxm_span span = {(uint32_t)begin, (uint32_t)end};
    if (begin < end)
        unit_collect_tokens(r->expected, &(lxm_tokens){text, &span, 1, NULL});
}

/* One subject: no JIT, no parts. */
static void search(const reference *r, const uint8_t *text, size_t length)
{
    const size_t *found = pcre2_get_ovector_pointer(r->match);
    size_t at = 0;
    uint32_t options = r->split ? 0 : PCRE2_NOTEMPTY;
    for (;;) {
        int result = pcre2_match(r->code, text, length, at, options, r->match, NULL);
        if (result < 0) {
            assert_int_equal(result, PCRE2_ERROR_NOMATCH);
            break;
        }
        if (r->split) {
            expect(r, text, at, found[0]);
            options = found[0] == found[1] ? PCRE2_NOTEMPTY_ATSTART : 0;
        } else {
            expect(r, text, found[0], found[1]);
        }
        at = found[1];
    }
    if (r->split)
        expect(r, text, at, length);
}

static size_t special_at(const lxm_tokenizer_options *options, const uint8_t *text, size_t length)
{
    size_t longest = 0;
    for (size_t i = 0; i < options->special_count; i++) {
        size_t size = strlen(options->specials[i]);
        if (size > longest && size <= length && memcmp(text, options->specials[i], size) == 0)
            longest = size;
    }
    return longest;
}

static const char *pattern_of(const lxm_tokenizer_options *options)
{
    if (options->pattern)
        return options->pattern;
    for (size_t i = 0; lxm_preset_at(i); i++)
        if (strcmp(lxm_preset_at(i)->name, options->preset) == 0)
            return lxm_preset_at(i)->pattern;
    fail_msg("no preset %s", options->preset);
    return NULL;
}

void segment_reference(const lxm_tokenizer_options *options, const uint8_t *text, size_t length,
                       unit_collector *expected)
{
    int code;
    size_t offset, begin = 0;
    reference r = {.split = options->split, .expected = expected};
    r.code = pcre2_compile((PCRE2_SPTR)pattern_of(options), PCRE2_ZERO_TERMINATED,
                           PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);
    assert_non_null(r.code);
    r.match = pcre2_match_data_create_from_pattern(r.code, NULL);
    unit_collector_clear(expected);
    for (size_t at = 0; at < length;) {
        size_t size = special_at(options, text + at, length - at);
        if (size) {
            search(&r, text + begin, at - begin);
            expect(&r, text, at, at + size);
            begin = at + size;
        }
        at += size ? size : 1;
    }
    search(&r, text + begin, length - begin);
    unit_collect_end(expected);
    pcre2_match_data_free(r.match);
    pcre2_code_free(r.code);
}

size_t segment_hard_text(uint64_t *seed, uint8_t *text, size_t capacity)
{
    static const char *const pieces[] = {
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "'s",
        "'LL",
        "n't",
        "don't",
        "a",
        "Bc",
        "ABC",
        "1",
        "23",
        "1,000.5",
        "...",
        "--",
        "-",
        "^",
        "(",
        "\"",
        "_",
        "\xC3\xA9",
        "e\xCC\x81",
        "\xCC\x81",
        "\xC3\x9F",
        "\xCE\xA3\xCF\x82",
        "\xD7\xA9\xD6\xB8",
        "\xD9\x85\xD9\x8F",
        "\xE0\xA4\x95\xE0\xA4\xBF",
        "\xE0\xB8\x81\xE0\xB8\xB4",
        "\xE4\xB8\xAD",
        "\xE6\x96\x87",
        "\xED\x95\x9C",
        "\xE3\x82\xAB\xE3\x82\x99",
        "\xE3\x80\x82",
        "\xC2\xA0",
        "\xE2\x80\x83",
        "\xE3\x80\x80",
        "\xE2\x80\x99",
        "\xE2\x80\x8D",
        "\xF0\x9F\x90\xA6",
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC",
        "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",
        "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",
        "1\xEF\xB8\x8F\xE2\x83\xA3",
        "<s>",
        "<",
        "s>",
        "<s",
        "\x01",
        "\x1C",
        "\xE1\xA0\x8E",
        "\xE2\x80\xA8",
        "\xC2\xAD",
        "\xE2\x85\xA7",
        "\xC2\xBD",
        "\xF0\x9D\x9F\x98",
        "/",
        "http://",
        "x@y",
    };
    size_t length = 0;
    for (;;) {
        const char *piece = pieces[unit_random(seed) % unit_count(pieces)];
        size_t times = unit_random(seed) % 16 ? 1 : 1 + unit_random(seed) % 8;
        for (size_t size = strlen(piece); times > 0; times--, length += size) {
            if (length + size > capacity)
                return length;
            memcpy(text + length, piece, size);
        }
    }
}
