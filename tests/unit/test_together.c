/* Documents that go together come out as they do one by one. */
#include "segment.h"

#include "stream/formatter.h"
#include "stream/reader.h"
#include "tokenize/documents.h"
#include "tokenize/lines.h"

/* ---- scanning ---- */

static lxm_status collect(void *context, const lxm_tokens *tokens, uint32_t *ends, size_t count,
                          lxm_error *error)
{
    unit_collector *got = context;
    size_t from = 0;
    (void)error;
    assert_true(tokens->plain);
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? ends[i] : tokens->count;
        const lxm_tokens some = lxm_some_tokens(tokens, from, to);
        assert_true(from <= to && to <= tokens->count);
        unit_collect_tokens(got, &some);
        if (i < count)
            unit_collect_end(got);
        from = to;
    }
    return LXM_OK;
}

static void segment_lines(lxm_segmenter *segmenter, const uint8_t *text, size_t length)
{
    lxm_splitter splitter = {.how = LXM_SPLIT_LINE};
    lxm_error error;
    lxm_piece piece;
    for (size_t at = 0; at < length;) {
        size_t used = lxm_splitter_next(&splitter, text + at, length - at, true, &piece);
        unit_succeeds(
            lxm_segmenter_push(segmenter, text + at + piece.begin, piece.end - piece.begin, &error),
            &error);
        unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
        at += used;
    }
}

/* One preset's ways. */
typedef struct ways {
    const char *preset;
    lxm_tokenizer *tokenizer;
    lxm_segmenter *segmenter;
    lxm_lines *lines;
    unit_collector together, apart;
    size_t joined;
} ways;

static bool begin(ways *w, const char *preset, const lxm_tokenizer_options *more)
{
    static const char *const specials[] = {"<|end|>"};
    lxm_tokenizer_options options = *more;
    options.preset = preset;
    options.specials = specials;
    options.special_count = 1;
    const lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_error error;
    *w = (ways){.preset = preset, .tokenizer = segment_tokenizer(&options)};
    unit_collector_init(&w->together);
    unit_collector_init(&w->apart);
    const lxm_token_sink sink = unit_collector_sink(&w->apart);
    unit_succeeds(lxm_segmenter_new(&w->segmenter, w->tokenizer, &sink, NULL, &error), &error);
    unit_succeeds(lxm_lines_new(&w->lines, w->tokenizer, collect, &w->together, &standard, &error),
                  &error);
    return w->lines != NULL;
}

static void end(ways *w)
{
    lxm_lines_free(w->lines);
    lxm_segmenter_free(w->segmenter);
    lxm_tokenizer_free(w->tokenizer);
    unit_collector_free(&w->together);
    unit_collector_free(&w->apart);
}

static void compare(ways *w, const uint8_t *text, size_t length)
{
    lxm_error error;
    if (!lxm_lines_can(w->lines, text, length))
        return;
    w->joined++;
    unit_collector_clear(&w->together);
    unit_collector_clear(&w->apart);
    unit_succeeds(lxm_lines_push(w->lines, text, length, &error), &error);
    segment_lines(w->segmenter, text, length);
    const char *together = unit_collected(&w->together), *apart = unit_collected(&w->apart);
    size_t same = 0;
    if (strcmp(together, apart) == 0)
        return;
    while (together[same] == apart[same])
        same++;
    for (same -= same < 20 ? same : 20; (together[same] & 0xC0) == 0x80;)
        same++;
    fail_msg("%s: '%.80s' is not '%.80s'", w->preset, together + same, apart + same);
}

static void short_texts(ways *w)
{
    static const char *const letters[] = {"A", " ", "\n", "\r", "/", ".", "\xCC\x81"};
    size_t before = w->joined, texts = 0;
    for (size_t length = 1, count = unit_count(letters); length <= 5;
         length++, count *= unit_count(letters))
        for (size_t n = 0; n < count; n++, texts++) {
            uint8_t text[16];
            size_t used = 0;
            for (size_t i = 0, rest = n; i < length; i++, rest /= unit_count(letters)) {
                const char *letter = letters[rest % unit_count(letters)];
                memcpy(text + used, letter, strlen(letter));
                used += strlen(letter);
            }
            compare(w, text, used);
        }
    assert_true(w->joined - before > texts / 2);
}

/* Hard texts, and some with more line ends than fit one batch. */
static void long_texts(ways *w)
{
    enum { capacity = 65536 };
    static const char *const pieces[] = {"\n",  "\n\n", " \n", "\r\n", "/",
                                         "\n/", ".\n",  "\n ", "x"};
    uint8_t *text = malloc(capacity + 8);
    uint64_t seed = 11;
    size_t before = w->joined;
    assert_non_null(text);
    for (int round = 0; round < 40; round++) {
        size_t length = 0, most = round < 36 ? 300 : capacity - 300;
        while (length < most) {
            length += segment_hard_text(&seed, text + length, 8 + unit_random(&seed) % 40);
            for (size_t n = unit_random(&seed) % 4; n > 0; n--) {
                const char *piece = pieces[unit_random(&seed) % unit_count(pieces)];
                memcpy(text + length, piece, strlen(piece));
                length += strlen(piece);
            }
        }
        compare(w, text, length);
    }
    assert_true(w->joined - before == 40);
    free(text);
}

static void lines_have_the_tokens_that_each_has_alone(void **state)
{
    (void)state;
    static const lxm_tokenizer_options more[] = {
        {.offsets = false},
        {.offsets = true},
        {.lowercase = true},
        {.normal_form = LXM_NORMAL_NFKC, .casefold = true},
        {.normal_form = LXM_NORMAL_NFC, .strip_marks = true},
    };
    size_t count = 0;
    for (size_t i = 0; lxm_preset_at(i); i++)
        for (size_t n = 0; n < unit_count(more); n++) {
            ways w;
            if (begin(&w, lxm_preset_at(i)->name, &more[n])) {
                short_texts(&w);
                long_texts(&w);
                count++;
            }
            end(&w);
        }
    assert_true(count >= 50);
}

static void what_needs_a_closer_look_is_not_joined(void **state)
{
    (void)state;
    static const char *const texts[] = {"a\rb\n", "a\n\r", "a <|end|> b\n", "a\n\xFF\n"};
    const lxm_tokenizer_options none = {.offsets = false};
    ways w;
    assert_true(begin(&w, "cl100k", &none));
    assert_true(lxm_lines_can(w.lines, (const uint8_t *)"a\r\nb", 4));
    for (size_t i = 0; i < unit_count(texts); i++)
        assert_false(lxm_lines_can(w.lines, (const uint8_t *)texts[i], strlen(texts[i])));
    end(&w);
}

/* ---- formatting ---- */

/* Documents of words or ids, with their ends. */
typedef struct sample {
    lxm_tokens tokens;
    lxm_ids ids;
    lxm_span *spans;
    uint64_t *offsets;
    uint32_t *numbers, *ends;
    uint8_t *text;
    size_t items, documents;
} sample;

/* `empty`: one document of so many has something in it. */
static sample make_sample(uint64_t *seed, size_t items, size_t documents, size_t empty)
{
    sample s = {.items = items, .documents = documents};
    s.text = malloc(16 * items + 1);
    s.spans = malloc(items * sizeof *s.spans + 1);
    s.offsets = malloc(2 * items * sizeof *s.offsets + 1);
    s.numbers = malloc(items * sizeof *s.numbers + 1);
    s.ends = malloc(documents * sizeof *s.ends + 1);
    assert_true(s.text && s.spans && s.offsets && s.numbers && s.ends);
    uint32_t at = 0;
    for (size_t i = 0; i < items; i++) {
        uint32_t length = 1 + (uint32_t)(unit_random(seed) % 12);
        memset(s.text + at, 'a' + (int)(i % 26), length);
        s.spans[i] = (lxm_span){at, at + length};
        s.offsets[2 * i] = i;
        s.offsets[2 * i + 1] = i + length;
        s.numbers[i] = (uint32_t)unit_random(seed) >> unit_random(seed) % 32;
        at += length + (uint32_t)(unit_random(seed) % 3);
    }
    size_t each = documents ? 2 * items * empty / documents + 1 : 1, end = 0;
    for (size_t i = 0; i < documents; i++) {
        end += unit_random(seed) % empty == 0 ? unit_random(seed) % each : 0;
        s.ends[i] = (uint32_t)(end < items ? end : items);
    }
    s.tokens = (lxm_tokens){s.text, s.spans, items, s.offsets, true};
    s.ids = (lxm_ids){s.numbers, items, s.offsets};
    return s;
}

static void free_sample(sample *s)
{
    free(s->text);
    free(s->spans);
    free(s->offsets);
    free(s->numbers);
    free(s->ends);
}

static lxm_status put_apart(lxm_formatter *f, const sample *s, lxm_error *error)
{
    lxm_formatter_functions one_by_one = *f->functions;
    const lxm_formatter_functions *functions = f->functions;
    one_by_one.documents_of_ids = NULL;
    one_by_one.documents_of_tokens = NULL;
    f->functions = &one_by_one;
    lxm_status status =
        f->kind == LXM_KIND_IDS
            ? lxm_format_documents_of_ids(f, &s->ids, s->ends, s->documents, error)
            : lxm_format_documents_of_tokens(f, &s->tokens, s->ends, s->documents, error);
    f->functions = functions;
    return status;
}

static void format_both(lxm_formatter *together, lxm_formatter *apart, const sample *s)
{
    lxm_error error;
    unit_succeeds(
        together->kind == LXM_KIND_IDS
            ? lxm_format_documents_of_ids(together, &s->ids, s->ends, s->documents, &error)
            : lxm_format_documents_of_tokens(together, &s->tokens, s->ends, s->documents, &error),
        &error);
    unit_succeeds(put_apart(apart, s, &error), &error);
    assert_int_equal(together->out.length, apart->out.length);
    assert_memory_equal(&together->totals, &apart->totals, sizeof apart->totals);
    assert_int_equal(together->in_document, apart->in_document);
}

static void formatters_write_the_same_bytes(void **state)
{
    (void)state;
    static const size_t samples[][3] = {{0, 0, 1},       {0, 3, 1},         {5, 0, 1},
                                        {40, 9, 1},      {16384, 100, 1},   {40000, 5000, 1},
                                        {300, 40000, 1}, {16384, 16384, 2}, {50000, 20000, 50}};
    const lxm_allocator standard = lxm_allocator_or_default(NULL);
    uint64_t seed = 3;
    for (unsigned way = 0; way < 12; way++) {
        lxm_formatter together, apart;
        const lxm_stream_options options = {.kind = way & 1 ? LXM_KIND_IDS : LXM_KIND_TOKENS,
                                            .offsets = way & 2,
                                            .format = (lxm_stream_format)(way / 4)};
        lxm_formatter_init(&together, &options, &standard);
        lxm_formatter_init(&apart, &options, &standard);
        for (size_t i = 0; i < 3 * unit_count(samples); i++) {
            const size_t *n = samples[i % unit_count(samples)];
            sample s = make_sample(&seed, n[0], n[1], n[2]);
            format_both(&together, &apart, &s);
            free_sample(&s);
        }
        assert_true(together.functions->flush(&together) && apart.functions->flush(&apart));
        assert_memory_equal(together.out.data, apart.out.data, apart.out.length);
        lxm_formatter_free(&together);
        lxm_formatter_free(&apart);
    }
}

/* ---- reading ---- */

static void read_apart(const char *path, unit_collector *got)
{
    lxm_input *input;
    lxm_reader *reader;
    lxm_error error;
    bool more = true;
    unit_succeeds(lxm_input_open(&input, path, NULL, &error), &error);
    unit_succeeds(lxm_reader_new(&reader, input, (lxm_kind)0, NULL, &error), &error);
    while (more) {
        lxm_block block;
        unit_succeeds(lxm_reader_next(reader, &block, &more, &error), &error);
        unit_collect_tokens(got, &block.tokens);
        if (block.end_document)
            unit_collect_end(got);
    }
    lxm_reader_free(reader);
    lxm_input_close(input);
}

static void read_together(const char *path, unit_collector *got)
{
    lxm_input *input;
    lxm_reader *reader;
    lxm_error error;
    bool more = true;
    uint64_t items = 0;
    unit_succeeds(lxm_input_open(&input, path, NULL, &error), &error);
    unit_succeeds(lxm_reader_new(&reader, input, (lxm_kind)0, NULL, &error), &error);
    while (more) {
        lxm_block block;
        const uint32_t *ends;
        size_t count;
        unit_succeeds(lxm_reader_next_documents(reader, &block, &ends, &count, &more, &error),
                      &error);
        if (more && lxm_reader_is_binary(reader))
            assert_int_equal(block.position, items);
        items += block.tokens.count;
        for (size_t i = 0, from = 0; i <= count; i++) {
            size_t to = i < count ? ends[i] : block.tokens.count;
            const lxm_tokens some = lxm_some_tokens(&block.tokens, from, to);
            unit_collect_tokens(got, &some);
            if (i < count)
                unit_collect_end(got);
            from = to;
        }
    }
    lxm_reader_free(reader);
    lxm_input_close(input);
}

static void readers_read_the_same(void **state)
{
    (void)state;
    char *folder = unit_folder_make(), *path = unit_path(folder, "stream");
    const lxm_allocator standard = lxm_allocator_or_default(NULL);
    uint64_t seed = 5;
    for (unsigned way = 0; way < 3; way++) {
        const lxm_stream_options options = {.kind = LXM_KIND_TOKENS,
                                            .format = way ? LXM_STREAM_BINARY : LXM_STREAM_TEXT,
                                            .offsets = way == 2};
        lxm_formatter f;
        unit_collector together, apart;
        lxm_error error;
        sample s = make_sample(&seed, 50000, 30000, 3);
        unit_collector_init(&together);
        unit_collector_init(&apart);
        lxm_formatter_init(&f, &options, &standard);
        assert_true(f.functions->begin(&f));
        unit_succeeds(lxm_format_documents_of_tokens(&f, &s.tokens, s.ends, s.documents, &error),
                      &error);
        assert_true(f.functions->finish(&f));
        unit_file_write(path, f.out.data, f.out.length);
        read_apart(path, &apart);
        read_together(path, &together);
        assert_true(apart.documents >= s.documents);
        assert_string_equal(unit_collected(&together), unit_collected(&apart));
        lxm_formatter_free(&f);
        unit_collector_free(&together);
        unit_collector_free(&apart);
        free_sample(&s);
    }
    free(path);
    unit_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_tokens_that_each_has_alone),
        cmocka_unit_test(what_needs_a_closer_look_is_not_joined),
        cmocka_unit_test(formatters_write_the_same_bytes),
        cmocka_unit_test(readers_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
