/* The tokenizer.json files of testdata/families: their tokens don't depend on how text arrives, and
 * what is hostile in such files is an error, never a crash. */
#include "segment.h"

#ifndef TESTDATA
#define TESTDATA "testdata"
#endif

static const char *const families[] = {"albert",  "bert-added", "gemma", "llama2", "llama3",
                                       "mistral", "roberta",    "t5",    "t5-new", "xlmr"};
static const char *const specials[] = {"<mask>", "<s>", "[E1]", "[E2]", "<|im|>", "[MASK]"};

typedef struct fixture {
    char *folder, *path;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->folder = unit_folder_make();
    f->path = unit_path(f->folder, "tokenizer.json");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unit_folder_remove(f->folder);
    free(f->path);
    free(f);
    return 0;
}

static lxm_status open_family(const char *name, lxm_tokenizer **tokenizer,
                              const lxm_allocator *allocator, lxm_error *error)
{
    static char path[512]; /* the error names it */
    const lxm_tokenizer_options options = {.specials = specials,
                                           .special_count = unit_count(specials),
                                           .offsets = true,
                                           .invalid = LXM_INVALID_REPLACE};
    snprintf(path, sizeof path, "%s/families/%s.json", TESTDATA, name);
    return lxm_tokenizer_open(tokenizer, path, &options, allocator, error);
}

static uint8_t *hostile(size_t *length)
{
    return unit_file_read(TESTDATA "/families/hostile.jsonl", length);
}

/* ---- cuts ---- */

static void check_cuts(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t length,
                       const char *name)
{
    lxm_error error;
    unit_collector whole, parts;
    unit_collector_init(&whole);
    unit_collector_init(&parts);
    unit_succeeds(segment(tokenizer, text, length, cut_never, &whole, &error), &error);
    for (uint64_t how = cut_everywhere; how < cut_at_random + 4; how++) {
        unit_collector_clear(&parts);
        unit_succeeds(segment(tokenizer, text, length, how, &parts, &error), &error);
        if (strcmp(unit_collected(&whole), unit_collected(&parts)) != 0)
            fail_msg("%s, cut %d: %.200s", name, (int)how, unit_collected(&parts));
    }
    unit_collector_free(&whole);
    unit_collector_free(&parts);
}

static void tokens_and_offsets_do_not_depend_on_cuts(void **state)
{
    size_t length;
    uint8_t *text = hostile(&length);
    (void)state;
    for (size_t i = 0; i < unit_count(families); i++) {
        lxm_tokenizer *tokenizer;
        lxm_error error;
        unit_succeeds(open_family(families[i], &tokenizer, NULL, &error), &error);
        check_cuts(tokenizer, text, length, families[i]);
        for (uint8_t *line = text, *end; line < text + length; line = end + 1) {
            end = memchr(line, '\n', (size_t)(text + length - line));
            check_cuts(tokenizer, line, (size_t)(end - line), families[i]);
        }
        lxm_tokenizer_free(tokenizer);
    }
    free(text);
}

/* Runs of what has to wait for what follows: linear, and in bounded memory. */
static void runs_take_linear_time(void **state)
{
    static const char *const parts[] = {" ", "\xCC\x81", "a",  "\xE2\x96\x81",
                                        "<", "<mask>",   "\n", "bird"};
    enum { size = 1 << 20 };
    uint8_t *text = malloc(size + 16);
    (void)state;
    for (size_t i = 0; i < unit_count(families) * unit_count(parts); i++) {
        const char *part = parts[i % unit_count(parts)], *name = families[i / unit_count(parts)];
        lxm_tokenizer *tokenizer;
        lxm_error error;
        unit_collector got;
        size_t length = 0;
        for (; length < size; length += strlen(part))
            memcpy(text + length, part, strlen(part));
        unit_collector_init(&got);
        unit_succeeds(open_family(name, &tokenizer, NULL, &error), &error);
        double start = unit_seconds();
        unit_succeeds(segment(tokenizer, text, length, cut_at_random, &got, &error), &error);
        double took = unit_seconds() - start;
        if (took > 20)
            fail_msg("%s took %g seconds for 1 MiB of '%s'", name, took, part);
        lxm_tokenizer_free(tokenizer);
        unit_collector_free(&got);
    }
    free(text);
}

/* ---- memory ---- */

static lxm_status open_and_segment(const char *name, const lxm_allocator *allocator,
                                   lxm_error *error)
{
    static const char text[] = "\xEF\xAC\x81 <mask>  The  birds\xCC\x81 [E2] \xE6\x97\xA5\t\n\n\n";
    lxm_tokenizer *tokenizer;
    lxm_segmenter *segmenter = NULL;
    unit_collector got;
    lxm_status status = open_family(name, &tokenizer, allocator, error);
    unit_collector_init(&got);
    const lxm_token_sink sink = unit_collector_sink(&got);
    if (!status)
        status = lxm_segmenter_new(&segmenter, tokenizer, &sink, allocator, error);
    for (size_t i = 0; !status && i < sizeof text - 1; i += 5)
        status = lxm_segmenter_push(segmenter, text + i,
                                    sizeof text - 1 - i < 5 ? sizeof text - 1 - i : 5, error);
    if (!status)
        status = lxm_segmenter_end_document(segmenter, error);
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
    unit_collector_free(&got);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < unit_count(families); i++) {
        lxm_status status = LXM_ERROR_MEMORY;
        for (size_t at = 1; status; at++) {
            lxm_error error;
            unit_allocator a;
            unit_allocator_init(&a);
            a.fail_at = at;
            status = open_and_segment(families[i], &a.functions, &error);
            assert_true(!status || status == LXM_ERROR_MEMORY);
            assert_int_equal(atomic_load(&a.live), 0);
        }
    }
}

/* ---- hostile files ---- */

static lxm_status open_text(fixture *f, const char *json, lxm_tokenizer **tokenizer)
{
    unit_file_write(f->path, json, strlen(json));
    f->error = (lxm_error){0};
    return lxm_tokenizer_open(tokenizer, f->path, NULL, NULL, &f->error);
}

#define WITH(normalizer, rest)                                                                     \
    "{\"normalizer\":" normalizer ",\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"}" rest "}"
#define TABLE(text) WITH("{\"type\":\"Precompiled\",\"precompiled_charsmap\":" text "}", "")
#define BEHIND(pre_tokenizer)                                                                      \
    "{\"normalizer\":null,\"pre_tokenizer\":" pre_tokenizer ",\"model\":{\"type\":\"BPE\"}}"

static void what_is_damaged_or_cant_be_done_is_named(void **state)
{
    static const struct {
        const char *json;
        lxm_status status;
        const char *says;
    } bad[] = {
        {TABLE("null"), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"\""), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"AAAA\""), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"!!!!\""), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"AAAAAA==\""), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"/////wAAAAA=\""), LXM_ERROR_FORMAT, "precompiled_charsmap"},
        {TABLE("\"BAAAAAAAAAD/\""), LXM_ERROR_FORMAT, "UTF-8"},
        {WITH("{\"type\":\"Replace\"}", ""), LXM_ERROR_FORMAT, "Replace"},
        {WITH("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}", ""),
         LXM_ERROR_UNSUPPORTED, "empty"},
        {WITH("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a|b\"},\"content\":\"\"}", ""),
         LXM_ERROR_UNSUPPORTED, "a|b"},
        {WITH("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,3}\"},\"content\":\"\"}", ""),
         LXM_ERROR_UNSUPPORTED, " {2,3}"},
        {WITH("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {0,}\"},\"content\":\"\"}", ""),
         LXM_ERROR_UNSUPPORTED, " {0,}"},
        {WITH("{\"type\":\"Prepend\"}", ""), LXM_ERROR_FORMAT, "Prepend"},
        {WITH("{\"type\":\"Nmt\"}", ""), LXM_ERROR_UNSUPPORTED, "Nmt"},
        {WITH("{\"type\":\"StripAccents\"}", ""), LXM_ERROR_UNSUPPORTED, "StripAccents"},
        {WITH("{\"type\":\"Strip\"}", ",\"added_tokens\":[{\"content\":\"  \"}]"),
         LXM_ERROR_UNSUPPORTED, "nothing is left"},
        {WITH("null", ",\"added_tokens\":[{\"id\":5}]"), LXM_ERROR_FORMAT, "content"},
        {BEHIND("{\"type\":\"Metaspace\",\"replacement\":\"__\"}"), LXM_ERROR_FORMAT,
         "one character"},
        {BEHIND("{\"type\":\"Metaspace\",\"prepend_scheme\":\"last\"}"), LXM_ERROR_UNSUPPORTED,
         "last"},
        {BEHIND("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},"
                "{\"type\":\"Metaspace\",\"prepend_scheme\":\"first\"}]}"),
         LXM_ERROR_UNSUPPORTED, "Metaspace"},
        {BEHIND("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Metaspace\"},"
                "{\"type\":\"Digits\"}]}"),
         LXM_ERROR_UNSUPPORTED, "Digits"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(bad); i++) {
        lxm_tokenizer *tokenizer;
        lxm_status status = open_text(f, bad[i].json, &tokenizer);
        if (status != bad[i].status || !strstr(f->error.message, bad[i].says))
            fail_msg("%s: %d %s", bad[i].json, status, f->error.message);
        assert_null(tokenizer);
    }
}

/* A table whose trie leads in circles, or out of itself, changes nothing. */
static void a_table_of_nonsense_does_no_harm(void **state)
{
    static const char *const tables[] = {
        "\"BAAAAAAAAABh\"",
        "\"CAAAAGEBAABhAQAAYQ==\"",
        "\"BAAAAP////9h\"",
        "\"CAAAAAAEAABhBQAAYWI=\"",
    };
    static const char text[] = "a\xCC\x81\xCC\x81 ab\r\n\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA";
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(tables); i++) {
        char json[256];
        lxm_tokenizer *tokenizer;
        snprintf(json, sizeof json, TABLE("%s"), tables[i]);
        unit_succeeds(open_text(f, json, &tokenizer), &f->error);
        check_cuts(tokenizer, (const uint8_t *)text, sizeof text - 1, tables[i]);
        lxm_tokenizer_free(tokenizer);
    }
}

/* ---- templates ---- */

static lxm_status use_template(fixture *f, const char *post_processor, lxm_vocab **vocab)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[CLS]\":0,\"[SEP]\":1,\"a\":2}},"
             "\"post_processor\":%s}",
             post_processor);
    unit_file_write(f->path, json, strlen(json));
    unit_succeeds(lxm_vocab_open(vocab, f->path, NULL, &f->error), &f->error);
    return lxm_vocab_use_template(*vocab, &f->error);
}

#define TEMPLATE(pieces)                                                                           \
    "{\"type\":\"TemplateProcessing\",\"single\":[" pieces                                         \
    "],\"special_tokens\":{\"[CLS]\":{\"ids\":[0]},\"[SEP]\":{\"ids\":[1,1]},\"far\":{\"ids\":[9]" \
    "}}}"
#define TOKEN(name) "{\"SpecialToken\":{\"id\":\"" name "\"}}"
#define TEXT "{\"Sequence\":{\"id\":\"A\"}}"

static void templates_that_cant_be_done_are_refused_when_they_are_wanted(void **state)
{
    static const struct {
        const char *post_processor, *says;
    } bad[] = {
        {"null", "no template"},
        {"{\"type\":\"ByteLevel\"}", "no template"},
        {"{\"type\":\"Magic\"}", "Magic"},
        {"{}", "no type"},
        {TEMPLATE(TOKEN("[CLS]")), "isn't in it"},
        {TEMPLATE(TEXT "," TEXT), "twice"},
        {TEMPLATE("{\"Sequence\":{\"id\":\"B\"}}"), "another sequence"},
        {TEMPLATE(TOKEN("[PAD]") "," TEXT), "[PAD]"},
        {TEMPLATE(TOKEN("far") "," TEXT), "id 9"},
        {"{\"type\":\"BertProcessing\",\"cls\":[\"x\",-1],\"sep\":[\"x\",0]}", "no id"},
        {"{\"type\":\"Sequence\",\"processors\":[" TEMPLATE(TEXT) "," TEMPLATE(TEXT) "]}",
         "two of"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(bad); i++) {
        lxm_vocab *vocab;
        assert_int_not_equal(use_template(f, bad[i].post_processor, &vocab), LXM_OK);
        if (!strstr(f->error.message, bad[i].says))
            fail_msg("%s: %s", bad[i].post_processor, f->error.message);
        lxm_vocab_free(vocab);
    }
}

/* Around every document that an encoder is given, empty ones too. */
static void encoders_put_the_template_around_documents(void **state)
{
    static const char sequence[] =
        "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"}," TEMPLATE(
            TOKEN("[SEP]") "," TOKEN("[CLS]") "," TEXT "," TOKEN("[SEP]")) "]}";
    static const uint32_t expected[] = {1, 1, 0, 2, 2, 1, 1}, empty[] = {1, 1, 0, 1, 1};
    fixture *f = *state;
    lxm_vocab *vocab;
    lxm_tokenizer *tokenizer;
    lxm_encoder *encoder;
    lxm_ids ids;
    unit_succeeds(use_template(f, sequence, &vocab), &f->error);
    tokenizer = segment_tokenizer(&(lxm_tokenizer_options){.offsets = true});
    unit_succeeds(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &f->error), &f->error);
    unit_succeeds(lxm_encoder_encode(encoder, "a a", 3, &ids, &f->error), &f->error);
    assert_int_equal(ids.count, unit_count(expected));
    assert_memory_equal(ids.ids, expected, sizeof expected);
    assert_int_equal(ids.offsets[1], 0);
    assert_int_equal(ids.offsets[8], 2);
    unit_succeeds(lxm_encoder_encode(encoder, "", 0, &ids, &f->error), &f->error);
    assert_int_equal(ids.count, unit_count(empty));
    assert_memory_equal(ids.ids, empty, sizeof empty);
    lxm_encoder_free(encoder);
    lxm_tokenizer_free(tokenizer);
    lxm_vocab_free(vocab);
}

/* As in the reference, which warns. */
static void the_models_own_id_of_an_added_token_counts(void **state)
{
    static const char json[] = "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0,\"b\":1}},"
                               "\"added_tokens\":[{\"id\":5,\"content\":\"b\",\"special\":true},"
                               "{\"id\":2,\"content\":\"c\"}]}";
    fixture *f = *state;
    lxm_vocab *vocab;
    unit_file_write(f->path, json, sizeof json - 1);
    unit_succeeds(lxm_vocab_open(&vocab, f->path, NULL, &f->error), &f->error);
    assert_int_equal(lxm_vocab_size(vocab), 3);
    assert_int_equal(lxm_vocab_find(vocab, "b", 1), 1);
    assert_true(lxm_vocab_is_special(vocab, 1));
    assert_int_equal(lxm_vocab_find(vocab, "c", 1), 2);
    lxm_vocab_free(vocab);
}

/* Kept whole in text, they have their ids, whatever the model makes of what spells them: it has
 * no merges to them, and where its symbols are bytes their names stand for other bytes. */
static void added_tokens_that_the_model_has_are_themselves(void **state)
{
    static const struct {
        const char *json, *text;
        uint32_t ids[4];
    } samples[] = {
        {"{\"normalizer\":null,\"pre_tokenizer\":null,\"added_tokens\":[{\"id\":2,"
         "\"content\":\"<u>\",\"special\":false,\"normalized\":false}],\"model\":{\"type\":"
         "\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"<u>\":2,\"<\":3,\"u\":4,\">\":5},"
         "\"merges\":[]}}",
         "ab<u>b",
         {0, 1, 2, 1}},
        {"{\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
         "false},\"added_tokens\":[{\"id\":3,\"content\":\"\u00C9\",\"special\":false,"
         "\"normalized\":false}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,"
         "\"\u00C3\":1,\"\u012B\":2,\"\u00C9\":3},\"merges\":[]}}",
         "a\u00C9aa",
         {0, 3, 0, 0}},
    };
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        lxm_vocab *vocab;
        lxm_tokenizer *tokenizer;
        lxm_encoder *encoder;
        lxm_ids ids;
        unit_succeeds(open_text(f, samples[i].json, &tokenizer), &f->error);
        unit_succeeds(lxm_vocab_open(&vocab, f->path, NULL, &f->error), &f->error);
        unit_succeeds(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &f->error),
                      &f->error);
        unit_succeeds(
            lxm_encoder_encode(encoder, samples[i].text, strlen(samples[i].text), &ids, &f->error),
            &f->error);
        assert_int_equal(ids.count, 4);
        assert_memory_equal(ids.ids, samples[i].ids, sizeof samples[i].ids);
        lxm_encoder_free(encoder);
        lxm_tokenizer_free(tokenizer);
        lxm_vocab_free(vocab);
    }
}

#define with_file(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_offsets_do_not_depend_on_cuts),
        cmocka_unit_test(runs_take_linear_time),
        cmocka_unit_test(every_allocation_may_fail),
        with_file(what_is_damaged_or_cant_be_done_is_named),
        with_file(a_table_of_nonsense_does_no_harm),
        with_file(templates_that_cant_be_done_are_refused_when_they_are_wanted),
        with_file(encoders_put_the_template_around_documents),
        with_file(the_models_own_id_of_an_added_token_counts),
        with_file(added_tokens_that_the_model_has_are_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
