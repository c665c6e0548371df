#include <time.h>

#include "segment.h"

typedef struct fixture {
    unit_collector got;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    unit_collector_init(&f.got);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unit_collector_free(&f->got);
    return 0;
}

static void gives_bytes(fixture *f, const lxm_tokenizer_options *options, const char *text,
                        size_t length, const char *expected)
{
    lxm_tokenizer *tokenizer = segment_tokenizer(options);
    for (uint64_t how = cut_never; how <= cut_at_random; how++) {
        unit_succeeds(segment(tokenizer, text, length, how, &f->got, &f->error), &f->error);
        assert_string_equal(unit_collected(&f->got), expected);
    }
    lxm_tokenizer_free(tokenizer);
}

static void gives(fixture *f, const lxm_tokenizer_options *options, const char *text,
                  const char *expected)
{
    gives_bytes(f, options, text, strlen(text), expected);
}

static void fails(fixture *f, const lxm_tokenizer_options *options, const char *text,
                  lxm_status status, uint64_t offset)
{
    lxm_tokenizer *tokenizer = segment_tokenizer(options);
    for (uint64_t how = cut_never; how <= cut_at_random; how++) {
        assert_int_equal(segment(tokenizer, text, strlen(text), how, &f->got, &f->error), status);
        assert_int_equal(f->error.code, status);
        assert_int_equal(f->error.offset, offset);
    }
    lxm_tokenizer_free(tokenizer);
}

/* ---- presets ---- */

static void words_are_what_a_reader_would_say(void **state)
{
    static const struct {
        const char *text, *tokens;
    } rows[] = {
        {"", "/"},
        {" \n\t ", "/"},
        {"The robin sings.", "The|robin|sings|.|/"},
        {"don't well-known rock'n'roll", "don't|well-known|rock'n'roll|/"},
        {"'quoted' -dash- end-", "'|quoted|'|-|dash|-|end|-|/"},
        {"1,000.50 3.14 v2.0 10:30", "1,000.50|3.14|v2.0|10|:|30|/"},
        {"snake_case C++ a_", "snake_case|C|+|+|a|_|/"},
        {"na\xC3\xAFve caf\xC3\xA9 e\xCC\x81t\xC3\xA9",
         "na\xC3\xAFve|caf\xC3\xA9|e\xCC\x81t\xC3\xA9|/"},
        {"\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82", "\xE4\xB8\xAD|\xE6\x96\x87|\xE3\x80\x82|/"},
        {"\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7",
         "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA|\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7|/"},
        {"\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD!", "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD|!|/"},
        {"\xD0\x9F\xD0\xB0\xD1\x80\xD0\xB8\xD0\xB6", "\xD0\x9F\xD0\xB0\xD1\x80\xD0\xB8\xD0\xB6|/"},
    };
    for (size_t i = 0; i < unit_count(rows); i++)
        gives(*state, NULL, rows[i].text, rows[i].tokens);
}

static void the_book_splits_as_its_regex_does(void **state)
{
    lxm_tokenizer_options book = {.preset = "book"};
    gives(*state, &book, "Hello, world. Is this-- a test?",
          "Hello|,|world|.|Is|this|--|a|test|?|/");
    gives(*state, &book, "\"It's\" (the_last) a-b---c", "\"|It|'|s|\"|(|the|_|last|)|a-b|--|-c|/");
}

static void gpt2_keeps_the_space_before_a_word(void **state)
{
    lxm_tokenizer_options gpt2 = {.preset = "gpt2"};
    gives(*state, &gpt2, "Hello world, it's 3 o'clock", "Hello| world|,| it|'s| 3| o|'|clock|/");
    gives(*state, &gpt2, "a  b\n\n c \n", "a| | b|\\n\\n| c| \\n|/");
    gives(*state, &gpt2, "   ", "   |/");
}

static void white_space_is_unicodes(void **state)
{
    lxm_tokenizer_options space = {.preset = "whitespace"};
    gives(*state, &space,
          "a\xC2\xA0"
          "b\xE2\x80\x83"
          "c\xE3\x80\x80"
          "d\xE2\x80\xA8"
          "e\xC2\x85"
          "f",
          "a|b|c|d|e|f|/");
    /* U+180E and U+200B are none */
    gives(*state, &space,
          "a\xE1\xA0\x8E"
          "b\xE2\x80\x8B"
          "c",
          "a\xE1\xA0\x8E"
          "b\xE2\x80\x8B"
          "c|/");
}

/* ---- options ---- */

static void the_longest_special_token_wins(void **state)
{
    static const char *const specials[] = {"<a>", "<a><b>", "<", "b>c"};
    lxm_tokenizer_options options = {
        .preset = "gpt2", .specials = specials, .special_count = 4, .offsets = true};
    gives(*state, &options, "x<a><b>c", "x@0-1|<a><b>@1-7|c@7-8|/");
    gives(*state, &options, "<a><", "<a>@0-3|<@3-4|/");
    gives(*state, &options, "<a><bb>c", "<a>@0-3|<@3-4|b@4-5|b>c@5-8|/");
    gives(*state, &options, "hi <a> you", "hi@0-2| @2-3|<a>@3-6| you@6-10|/");
}

static void only_a_named_special_token_is_kept_whole(void **state)
{
    static const char *const other[] = {"<s>"}, *const end[] = {"<|end|>"};
    lxm_tokenizer_options gpt2 = {.preset = "gpt2", .specials = other, .special_count = 1};
    gives(*state, &gpt2, "a<|end|>", "a|<||end||>|/");
    gpt2.specials = end;
    gives(*state, &gpt2, "a<|end|>", "a|<|end|>|/");
}

static void special_tokens_are_cut_out_before_normalisation(void **state)
{
    static const char *const specials[] = {"<A>", "\xC3\x84"};
    lxm_tokenizer_options options = {.specials = specials,
                                     .special_count = 2,
                                     .casefold = true,
                                     .normal_form = LXM_NORMAL_NFD,
                                     .offsets = true};
    gives(*state, &options, "A<A>B<a>", "a@0-1|<A>@1-4|b@4-5|<@5-6|a@6-7|>@7-8|/");
    gives(*state, &options, "A\xCC\x88 \xC3\x84", "a\xCC\x88@0-3|\xC3\x84@4-6|/");
    /* a special token parts what stands around it */
    gives(*state, &options, "e<A>\xCC\x81x", "e@0-1|<A>@1-4|\xCC\x81@4-6|x@6-7|/");
}

static void every_kind_of_bad_utf8_is_found_where_it_stands(void **state)
{
    static const struct {
        const char *text;
        uint64_t offset;
        const char *replaced, *kept;
    } rows[] = {
#define R "\xEF\xBF\xBD"
        {"\x80", 0, R "@0-1|/", "\\x80@0-1|/"},
        {"ab\xFF"
         "c",
         2, "ab" R "c@0-4|/", "ab@0-2|\\xFF@2-3|c@3-4|/"},
        {"a\xC3", 1, "a" R "@0-2|/", "a@0-1|\\xC3@1-2|/"},
        {"a\xC3 b", 1, "a" R "@0-2|b@3-4|/", "a@0-1|\\xC3@1-2|b@3-4|/"},
        {"\xC0\xAF", 0, R R "@0-2|/", "\\xC0@0-1|\\xAF@1-2|/"},
        {"\xE0\x80\xAF", 0, R R R "@0-3|/", "\\xE0@0-1|\\x80@1-2|\\xAF@2-3|/"},
        {"x\xE2\x82", 1, "x" R "@0-3|/", "x@0-1|\\xE2\\x82@1-3|/"},
        {"x\xE2\x82y", 1, "x" R "y@0-4|/", "x@0-1|\\xE2\\x82@1-3|y@3-4|/"},
        {"\xED\xA0\x80", 0, R R R "@0-3|/", "\\xED@0-1|\\xA0@1-2|\\x80@2-3|/"},
        {"\xF0\x9F\x90", 0, R "@0-3|/", "\\xF0\\x9F\\x90@0-3|/"},
        {"\xF0\x9F\x90\xC3\xA9", 0, R "\xC3\xA9@0-5|/", "\\xF0\\x9F\\x90@0-3|\xC3\xA9@3-5|/"},
        {"\xF4\x90\x80\x80", 0, R R R R "@0-4|/", "\\xF4@0-1|\\x90@1-2|\\x80@2-3|\\x80@3-4|/"},
        {"\xF8\x88", 0, R R "@0-2|/", "\\xF8@0-1|\\x88@1-2|/"},
        {"\xC3\xA9\xC3\xC3\xA9", 2, "\xC3\xA9" R "\xC3\xA9@0-5|/",
         "\xC3\xA9@0-2|\\xC3@2-3|\xC3\xA9@3-5|/"},
        {"caf\xE9 ol\xE9", 3, "caf" R "@0-4|ol" R "@5-8|/", "caf@0-3|\\xE9@3-4|ol@5-7|\\xE9@7-8|/"},
#undef R
    };
    lxm_tokenizer_options options = {.preset = "whitespace", .offsets = true};
    for (size_t i = 0; i < unit_count(rows); i++) {
        options.invalid = LXM_INVALID_ERROR;
        fails(*state, &options, rows[i].text, LXM_ERROR_UTF8, rows[i].offset);
        options.invalid = LXM_INVALID_REPLACE;
        gives(*state, &options, rows[i].text, rows[i].replaced);
        options.invalid = LXM_INVALID_BYTES;
        gives(*state, &options, rows[i].text, rows[i].kept);
    }
}

static void nul_bytes_are_text(void **state)
{
    lxm_tokenizer_options space = {.preset = "whitespace"};
    gives_bytes(*state, &space, "a\0b \0", 5, "a\\0b|\\0|/");
}

static void offsets_lead_back_to_the_source(void **state)
{
    lxm_tokenizer_options options = {
        .normal_form = LXM_NORMAL_NFKC, .casefold = true, .offsets = true};
    /* a ligature is one character, whatever becomes of it */
    gives(*state, &options, "\xEF\xAC\x81sh E\xCC\x81T", "fish@0-5|\xC3\xA9t@6-10|/");
    gives(*state, &options,
          "STRASSE stra\xC3\x9F"
          "e",
          "strasse@0-7|strasse@8-15|/");
    options.pattern = "(?s).";
    gives(*state, &options,
          "\xEF\xAC\x81"
          "E\xCC\x81x",
          "f@0-3|i@0-3|\xC3\xA9@3-6|x@6-7|/");
    options = (lxm_tokenizer_options){.pattern = "(?s).+", .offsets = true, .strip_marks = true};
    gives(*state, &options, "e\xCC\x81\xCC\x81 \xC3\xB1", "e n@0-8|/");
}

/* The bytes between a token's offsets are the token, and what lies outside of all is white space.
 */
static lxm_status check_offsets(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    const uint8_t *text = ((const uint8_t **)context)[0];
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        uint64_t begin = tokens->offsets[2 * i], end = tokens->offsets[2 * i + 1];
        lxm_span span = tokens->spans[i];
        assert_int_equal(end - begin, span.end - span.begin);
        assert_memory_equal(text + begin, tokens->text + span.begin, end - begin);
    }
    return LXM_OK;
}

static lxm_status ignore_end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

static void without_normalisation_offsets_hold_the_token(void **state)
{
    (void)state;
    static const char *const specials[] = {"<s>", "a"};
    uint64_t seed = 23;
    uint8_t text[3000];
    const uint8_t *context[] = {text};
    for (int i = 0; i < 40; i++) {
        const lxm_preset *preset = lxm_preset_at((size_t)i % 11);
        if (preset->clean)
            continue;
        lxm_tokenizer_options options = {.preset = preset->name,
                                         .offsets = true,
                                         .specials = specials,
                                         .special_count = (size_t)i % 3};
        lxm_tokenizer *tokenizer = segment_tokenizer(&options);
        lxm_segmenter *segmenter;
        lxm_token_sink sink = {check_offsets, ignore_end, context};
        unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, NULL), NULL);
        size_t length = segment_hard_text(&seed, text, sizeof text);
        for (uint64_t how = 0; how < 4; how++)
            unit_succeeds(segment_push(segmenter, text, length, how, NULL), NULL);
        lxm_segmenter_free(segmenter);
        lxm_tokenizer_free(tokenizer);
    }
}

/* ---- errors and limits ---- */

static void a_token_over_the_limit_is_an_error_where_it_begins(void **state)
{
    lxm_tokenizer_options options = {.preset = "whitespace", .max_token = 10};
    gives(*state, &options, "ab 0123456789 cd", "ab|0123456789|cd|/");
    fails(*state, &options, "ab 0123456789x cd", LXM_ERROR_LIMIT, 3);
    fails(*state, &options, "0123456789x", LXM_ERROR_LIMIT, 0);
    fails(*state, &options, "ab cd 0123456789abcdefghijklmnopqrstuvwxyz", LXM_ERROR_LIMIT, 6);
    options.normal_form = LXM_NORMAL_NFKD;
    fails(*state, &options, "x \xE3\x8C\x80", LXM_ERROR_LIMIT, 2);
}

static void a_pattern_without_an_end_hits_the_match_limit(void **state)
{
    fixture *f = *state;
    lxm_tokenizer_options options = {.pattern = "(a+)+$", .match_limit = 100000};
    char text[64] = "zz ";
    memset(text + 3, 'a', 40);
    memcpy(text + 43, "b", 2);
    lxm_tokenizer *tokenizer = segment_tokenizer(&options);
    assert_int_equal(segment(tokenizer, text, 44, cut_never, &f->got, &f->error), LXM_ERROR_LIMIT);
    assert_true(f->error.offset <= 3);
    assert_non_null(strstr(f->error.message, "match-limit"));
    lxm_tokenizer_free(tokenizer);
}

static void a_deep_pattern_goes_on_without_jit(void **state)
{
    fixture *f = *state;
    /* recursion that needs more than the JIT stack */
    lxm_tokenizer_options options = {.pattern = "(?:a|b(?=c)|bd)*c"};
    lxm_tokenizer *tokenizer = segment_tokenizer(&options);
    size_t length = 60001;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'a', length - 1);
    text[length - 1] = 'c';
    lxm_status status = segment(tokenizer, text, length, cut_never, &f->got, &f->error);
    assert_true(status == LXM_OK || status == LXM_ERROR_LIMIT);
    if (!status)
        assert_int_equal(f->got.tokens, 1);
    free(text);
    lxm_tokenizer_free(tokenizer);
}

static void bad_options_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const empty[] = {""}, *const invalid[] = {"\xFF"};
    static const struct {
        lxm_tokenizer_options options;
        lxm_status status;
        uint64_t offset;
    } rows[] = {
        {{.pattern = "a(b"}, LXM_ERROR_PATTERN, 3},
        {{.pattern = "[z-a]"}, LXM_ERROR_PATTERN, 3},
        {{.pattern = "a\\C"}, LXM_ERROR_PATTERN, 3},
        {{.pattern = "\xFF"}, LXM_ERROR_PATTERN, 0},
        {{.preset = "none such"}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.preset = "gpt2", .pattern = "a"}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.split = true}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.normal_form = (lxm_normal_form)9}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.invalid = (lxm_invalid)3}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.max_token = SIZE_MAX}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.specials = empty, .special_count = 1}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
        {{.specials = invalid, .special_count = 1}, LXM_ERROR_ARGUMENT, LXM_NO_OFFSET},
    };
    for (size_t i = 0; i < unit_count(rows); i++) {
        lxm_tokenizer *tokenizer = (lxm_tokenizer *)f;
        unit_allocator a;
        unit_allocator_init(&a);
        assert_int_equal(lxm_tokenizer_new(&tokenizer, &rows[i].options, &a.functions, &f->error),
                         rows[i].status);
        assert_null(tokenizer);
        assert_int_equal(f->error.offset, rows[i].offset);
        assert_int_equal(a.live, 0);
    }
}

static void settings_say_all_that_decides_the_tokens(void **state)
{
    (void)state;
    static const char *const specials[] = {"<s>", "a\tb"};
    lxm_tokenizer *tokenizer = segment_tokenizer(NULL);
    assert_string_equal(lxm_tokenizer_settings(tokenizer), "preset=words");
    lxm_tokenizer_free(tokenizer);
    tokenizer = segment_tokenizer(&(lxm_tokenizer_options){.pattern = "\\s+",
                                                           .split = true,
                                                           .normal_form = LXM_NORMAL_NFKC,
                                                           .casefold = true,
                                                           .lowercase = true,
                                                           .strip_marks = true,
                                                           .invalid = LXM_INVALID_BYTES,
                                                           .specials = specials,
                                                           .special_count = 2});
    assert_string_equal(lxm_tokenizer_settings(tokenizer),
                        "split=\\\\s+\tnormalize=nfkc\tstrip-marks=yes\tlowercase=yes\t"
                        "casefold=yes\tinvalid=bytes\tspecial=<s>\tspecial=a\\tb");
    lxm_tokenizer_free(tokenizer);
}

static lxm_status refuse(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    (void)tokens;
    (void)error;
    return *(size_t *)context += tokens->count, LXM_ERROR_IO;
}

static void a_sinks_refusal_ends_the_push(void **state)
{
    fixture *f = *state;
    size_t taken = 0;
    lxm_tokenizer *tokenizer = segment_tokenizer(&(lxm_tokenizer_options){.pattern = "\\S+"});
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {refuse, ignore_end, &taken};
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, &f->error), &f->error);
    assert_int_equal(lxm_segmenter_push(segmenter, "one two three", 13, &f->error), LXM_ERROR_IO);
    assert_int_equal(taken, 2);
    lxm_segmenter_reset(segmenter);
    assert_int_equal(lxm_segmenter_push(segmenter, "one", 3, &f->error), LXM_OK);
    assert_int_equal(lxm_segmenter_end_document(segmenter, &f->error), LXM_ERROR_IO);
    assert_int_equal(taken, 3);
    lxm_segmenter_free(segmenter);
    lxm_segmenter_free(NULL);
    lxm_tokenizer_free(tokenizer);
    lxm_tokenizer_free(NULL);
}

static void after_a_reset_nothing_of_the_old_document_is_left(void **state)
{
    fixture *f = *state;
    static const char *const specials[] = {"<end>"};
    static const char *const texts[] = {"robin goose\xC3", "bad \xFF", "e\xCC\x81", "<en", "zzz"};
    lxm_tokenizer *tokenizer = segment_tokenizer(&(lxm_tokenizer_options){
        .specials = specials, .special_count = 1, .normal_form = LXM_NORMAL_NFC, .offsets = true});
    lxm_segmenter *segmenter;
    lxm_token_sink sink = unit_collector_sink(&f->got);
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, &f->error), &f->error);
    for (size_t i = 0; i < unit_count(texts); i++) {
        (void)lxm_segmenter_push(segmenter, texts[i], strlen(texts[i]), &f->error);
        lxm_segmenter_reset(segmenter);
        unit_collector_clear(&f->got);
        unit_succeeds(segment_push(segmenter, "^a<end>b", 8, cut_everywhere, &f->error), &f->error);
        assert_string_equal(unit_collected(&f->got), "^@0-1|a@1-2|<end>@2-7|b@7-8|/");
    }
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
}

/* ---- linear time ---- */

static lxm_status count_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    size_t *sums = context;
    (void)error;
    sums[0] += tokens->count;
    for (size_t i = 0; i < tokens->count; i++)
        sums[1] += tokens->spans[i].end - tokens->spans[i].begin;
    return LXM_OK;
}

/* Tokens and their bytes in a text that is pushed in parts. */
static void count(lxm_segmenter *segmenter, const char *text, size_t length, size_t part)
{
    lxm_error error;
    for (size_t at = 0; at < length; at += part)
        unit_succeeds(lxm_segmenter_push(segmenter, text + at,
                                         length - at < part ? length - at : part, &error),
                      &error);
    unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
}

static void run_of(const lxm_tokenizer *tokenizer, const char *piece)
{
    enum { size = 1000000, parts = 3 };
    size_t sums[parts][2] = {{0}}, length = 0, n = strlen(piece);
    char *text = malloc(size + 32);
    assert_non_null(text);
    for (; length < size; length += n)
        memcpy(text + length, piece, n);
    clock_t begin = clock();
    for (int i = 0; i < parts; i++) {
        lxm_segmenter *segmenter;
        lxm_token_sink sink = {count_tokens, ignore_end, sums[i]};
        unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, NULL), NULL);
        count(segmenter, text, length, i == 0 ? length : i == 1 ? 4096 : 61);
        lxm_segmenter_free(segmenter);
    }
    assert_memory_equal(sums[1], sums[0], sizeof sums[0]);
    assert_memory_equal(sums[2], sums[0], sizeof sums[0]);
    /* in quadratic time it would be minutes */
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (seconds > 20)
        fail_msg("%s: %.1f s for a run of '%s'", lxm_tokenizer_settings(tokenizer), seconds, piece);
    free(text);
}

static const char *const run_pieces[] = {
    "a",
    "A",
    " ",
    "\n",
    "\r\n",
    "^",
    "\xCC\x81",
    "'s",
    "'",
    "1",
    "-",
    ".",
    "\xE4\xB8\xAD",
    "\xE2\x80\x8D",
    "\xF0\x9F\x91\xA9\xE2\x80\x8D",
    "a'",
    "1,",
    " \n",
    "<",
    "<s",
};

static void long_runs_take_linear_time_in_every_preset(void **state)
{
    (void)state;
    for (size_t p = 0; lxm_preset_at(p); p++) {
        lxm_tokenizer *tokenizer =
            segment_tokenizer(&(lxm_tokenizer_options){.preset = lxm_preset_at(p)->name});
        for (size_t i = 0; i < unit_count(run_pieces); i++)
            run_of(tokenizer, run_pieces[i]);
        lxm_tokenizer_free(tokenizer);
    }
}

static void long_runs_take_linear_time_with_every_option(void **state)
{
    (void)state;
    static const char *const specials[] = {"<s>", "<<<<<<<<<<<<<<<<<<<<>", "aaaaaaaaaaaaaaaaaaaab"};
    static const lxm_tokenizer_options all[] = {
        {.normal_form = LXM_NORMAL_NFC, .casefold = true, .offsets = true},
        {.normal_form = LXM_NORMAL_NFKD, .lowercase = true, .strip_marks = true, .offsets = true},
        {.preset = "gpt2", .specials = specials, .special_count = 3, .offsets = true},
        {.pattern = "\\s+", .split = true},
        {.pattern = "x", .split = true, .offsets = true},
        {.pattern = "(?s).", .normal_form = LXM_NORMAL_NFD, .offsets = true},
    };
    for (size_t o = 0; o < unit_count(all); o++) {
        lxm_tokenizer *tokenizer = segment_tokenizer(&all[o]);
        for (size_t i = 0; i < unit_count(run_pieces); i++)
            run_of(tokenizer, run_pieces[i]);
        lxm_tokenizer_free(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_what_a_reader_would_say),
        cmocka_unit_test(the_book_splits_as_its_regex_does),
        cmocka_unit_test(gpt2_keeps_the_space_before_a_word),
        cmocka_unit_test(white_space_is_unicodes),
        cmocka_unit_test(the_longest_special_token_wins),
        cmocka_unit_test(only_a_named_special_token_is_kept_whole),
        cmocka_unit_test(special_tokens_are_cut_out_before_normalisation),
        cmocka_unit_test(every_kind_of_bad_utf8_is_found_where_it_stands),
        cmocka_unit_test(nul_bytes_are_text),
        cmocka_unit_test(offsets_lead_back_to_the_source),
        cmocka_unit_test(without_normalisation_offsets_hold_the_token),
        cmocka_unit_test(a_token_over_the_limit_is_an_error_where_it_begins),
        cmocka_unit_test(a_pattern_without_an_end_hits_the_match_limit),
        cmocka_unit_test(a_deep_pattern_goes_on_without_jit),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(settings_say_all_that_decides_the_tokens),
        cmocka_unit_test(a_sinks_refusal_ends_the_push),
        cmocka_unit_test(after_a_reset_nothing_of_the_old_document_is_left),
        cmocka_unit_test(long_runs_take_linear_time_in_every_preset),
        cmocka_unit_test(long_runs_take_linear_time_with_every_option),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
