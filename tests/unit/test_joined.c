/* Texts that are joined have the tokens that each has alone, whatever stands at their ends. */
#include "unit.h"

#include "tokenize/joined.h"

static const char *const specials[] = {"[MASK]", "[mask]x"};

static const lxm_tokenizer_options options[] = {
    {.preset = "bert"},
    {.preset = "bert", .lowercase = true, .strip_marks = true},
    {.preset = "bert", .normal_form = LXM_NORMAL_NFC, .max_characters = 40},
    {.preset = "bert", .normal_form = LXM_NORMAL_NFKD, .casefold = true},
    {.preset = "bert", .lowercase = true, .specials = specials, .special_count = 2},
    {.preset = "whitespace", .normal_form = LXM_NORMAL_NFKC},
    {.preset = "whitespace"},
};

/* What texts are made of: marks that look back, what clean-up drops, white space of all kinds,
 * what grows or shrinks in another form, tokens kept whole and parts of them. */
static const char *const parts[] = {
    "robin",
    "Owl",
    " ",
    "\n",
    "\r\n",
    "\t",
    ".",
    "'s",
    "[MASK]",
    "[MA",
    "SK]",
    "[mask]x",
    "x",
    "\xCC\x81",
    "e\xCC\x81",
    "\xC3\x89",
    "\xC4\xB0",
    "\xE2\x80\xA8",
    "\xC2\x85",
    "\xC2\xA0",
    "\xE9\xB3\xA5",
    "\xEF\xAC\x81",
    "\xEA\xB0\x80",
    "\xE1\x85\xA1",
    "\xE1\x86\xA8",
    "\xC2\xAD",
    "\xC2\xB4",
    "\x01",
    "\x7F",
    "\xF0\x9F\x90\xA6",
    "\xE0\xA4\x95\xE0\xA5\x8D",
    "\xE0\xB9\x88",
    "\xEF\xBF\xBD",
    "\xE2\x80\x8D",
    "\xCE\xA3",
    "9",
    "",
};

typedef struct fixture {
    unit_collector joined, alone;
} fixture;

static lxm_status take(void *context, const lxm_tokens *tokens, uint32_t *ends, size_t count,
                       lxm_error *error)
{
    (void)error;
    fixture *f = context;
    size_t from = 0;
    assert_null(tokens->offsets);
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? ends[i] : tokens->count;
        lxm_tokens some = *tokens;
        assert_true(from <= to && to <= tokens->count);
        some.spans += from;
        some.count = to - from;
        unit_collect_tokens(&f->joined, &some);
        if (i < count)
            unit_collect_end(&f->joined);
        from = to;
    }
    return LXM_OK;
}

static size_t make_text(char *text, uint64_t *random)
{
    size_t length = 0;
    for (size_t left = unit_random(random) % 6; left > 0; left--) {
        const char *part = parts[unit_random(random) % unit_count(parts)];
        memcpy(text + length, part, strlen(part));
        length += strlen(part);
    }
    return length;
}

static void check(const lxm_tokenizer_options *o, uint64_t *random)
{
    enum { texts = 5000 };
    lxm_tokenizer *tokenizer;
    lxm_segmenter *segmenter;
    lxm_joined *joined;
    lxm_error error;
    fixture f;
    char text[64];
    unit_collector_init(&f.joined);
    unit_collector_init(&f.alone);
    lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_token_sink sink = unit_collector_sink(&f.alone);
    unit_succeeds(lxm_tokenizer_new(&tokenizer, o, NULL, &error), &error);
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, &error), &error);
    unit_succeeds(lxm_joined_new(&joined, tokenizer, take, &f, &a, &error), &error);
    assert_non_null(joined);
    for (size_t i = 0; i < texts; i++) {
        size_t length = make_text(text, random);
        unit_succeeds(lxm_segmenter_push(segmenter, text, length, &error), &error);
        unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
        if (lxm_joined_can(joined, text, length)) {
            unit_succeeds(lxm_joined_add(joined, text, length, &error), &error);
        } else {
            assert_int_not_equal(o->max_characters, 0);
            lxm_token_sink other = unit_collector_sink(&f.joined);
            lxm_segmenter *alone;
            unit_succeeds(lxm_joined_flush(joined, &error), &error);
            unit_succeeds(lxm_segmenter_new(&alone, tokenizer, &other, NULL, &error), &error);
            unit_succeeds(lxm_segmenter_push(alone, text, length, &error), &error);
            unit_succeeds(lxm_segmenter_end_document(alone, &error), &error);
            lxm_segmenter_free(alone);
        }
    }
    unit_succeeds(lxm_joined_flush(joined, &error), &error);
    assert_int_equal(f.joined.documents, texts);
    assert_string_equal(unit_collected(&f.joined), unit_collected(&f.alone));
    unit_collector_free(&f.joined);
    unit_collector_free(&f.alone);
    lxm_joined_free(joined);
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
}

static void they_have_the_tokens_that_each_has(void **state)
{
    (void)state;
    uint64_t random = 23;
    for (size_t i = 0; i < unit_count(options); i++)
        check(&options[i], &random);
}

static void what_looks_over_white_space_is_not_joined(void **state)
{
    (void)state;
    static const char *const spaced[] = {"the owl"};
    static const lxm_tokenizer_options others[] = {
        {.preset = "gpt2"},
        {.preset = "bert", .prefix_space = true},
        {.preset = "bert", .specials = spaced, .special_count = 1},
        {.pattern = "\\S+"},
        {.preset = "bert", .offsets = true},
        {.preset = "bert", .max_token = 1000},
    };
    lxm_allocator a = lxm_allocator_or_default(NULL);
    for (size_t i = 0; i < unit_count(others); i++) {
        lxm_tokenizer *tokenizer;
        lxm_joined *joined;
        lxm_error error;
        unit_succeeds(lxm_tokenizer_new(&tokenizer, &others[i], NULL, &error), &error);
        unit_succeeds(lxm_joined_new(&joined, tokenizer, take, NULL, &a, &error), &error);
        assert_null(joined);
        lxm_tokenizer_free(tokenizer);
    }
}

static void long_texts_and_bad_ones_go_alone(void **state)
{
    (void)state;
    static char text[5000];
    lxm_tokenizer *tokenizer;
    lxm_joined *joined;
    lxm_error error;
    lxm_allocator a = lxm_allocator_or_default(NULL);
    memset(text, 'a', sizeof text);
    unit_succeeds(lxm_tokenizer_new(&tokenizer, &options[0], NULL, &error), &error);
    unit_succeeds(lxm_joined_new(&joined, tokenizer, take, NULL, &a, &error), &error);
    assert_true(lxm_joined_can(joined, text, 4096));
    assert_false(lxm_joined_can(joined, text, sizeof text));
    assert_false(lxm_joined_can(joined, "\xC3", 1));
    assert_true(lxm_joined_can(joined, "", 0));
    lxm_joined_free(joined);
    lxm_tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_have_the_tokens_that_each_has),
        cmocka_unit_test(what_looks_over_white_space_is_not_joined),
        cmocka_unit_test(long_texts_and_bad_ones_go_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
