/* Vocabularies in every form: what each form says byte by byte, what it can't hold and says so, and
 * the way text is cut, which goes along where there is a place for it. */
#define _GNU_SOURCE
#include <unistd.h>

#include "unit.h"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = unit_folder_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_folder_remove(folder);
    return 0;
}

static lxm_vocab *open_vocab(const char *path)
{
    lxm_vocab *vocab;
    lxm_error error;
    unit_succeeds(lxm_vocab_open(&vocab, path, NULL, &error), &error);
    return vocab;
}

static lxm_vocab *open_sample(const char *name)
{
    char *path = unit_path(TESTDATA "/vocab", name);
    lxm_vocab *vocab = open_vocab(path);
    free(path);
    return vocab;
}

static lxm_vocab *open_text(const char *name, const char *text)
{
    char *path = unit_path(folder, name);
    unit_file_write(path, text, strlen(text));
    lxm_vocab *vocab = open_vocab(path);
    free(path);
    return vocab;
}

static void write_as(const lxm_vocab *vocab, const char *path, lxm_vocab_form form,
                     const char *preset)
{
    lxm_vocab_write_options options = {.form = form, .preset = preset};
    lxm_error error;
    unit_succeeds(lxm_vocab_write(vocab, path, &options, &error), &error);
}

/* Writes a vocabulary and reads what came out as text, to be freed. */
static char *text_as(const lxm_vocab *vocab, lxm_vocab_form form, const char *preset)
{
    size_t length;
    char *path = unit_path(folder, "text");
    write_as(vocab, path, form, preset);
    char *text = (char *)unit_file_read(path, &length);
    free(path);
    return text;
}

static void same_files(const char *path, const char *other)
{
    size_t length, other_length;
    uint8_t *bytes = unit_file_read(path, &length), *others = unit_file_read(other, &other_length);
    assert_int_equal(length, other_length);
    assert_memory_equal(bytes, others, length);
    free(bytes);
    free(others);
}

/* ---- what comes back ---- */

static void canonical_forms_come_back_byte_by_byte(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file;
        lxm_vocab_form form;
    } cases[] = {
        {"ranks.tiktoken", "", LXM_VOCAB_TIKTOKEN},
        {"gpt2", "/merges.txt", LXM_VOCAB_MERGES},
        {"gpt2", "/vocab.json", LXM_VOCAB_MERGES},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_vocab *vocab = open_sample(cases[i].name);
        char *compiled = unit_path(folder, "x.compiled"), *path = unit_path(folder, "back");
        write_as(vocab, compiled, LXM_VOCAB_COMPILED, NULL);
        lxm_vocab_free(vocab);
        vocab = open_vocab(compiled);
        write_as(vocab, path, cases[i].form, NULL);
        lxm_vocab_free(vocab);
        char written[512], expected[512];
        snprintf(written, sizeof written, "%s%s", path, cases[i].file);
        snprintf(expected, sizeof expected, TESTDATA "/vocab/%s%s", cases[i].name, cases[i].file);
        same_files(written, expected);
        remove(written);
        free(compiled);
        free(path);
    }
}

/* All that a tokenizer.json says beside its model stays, on the way through a compiled file too. */
static void a_tokenizer_json_keeps_what_it_says(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":2,\"content\":\"<x>\",\"lstrip\":true,"
        "\"special\":true}],\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":"
        "\"WhitespaceSplit\"},\"post_processor\":null,\"padding\":{\"pad_id\":7},\"model\":{"
        "\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"b\":1},\"unk_token\":\"b\"}}";
    lxm_vocab *vocab = open_text("x.json", text);
    char *path = unit_path(folder, "x.compiled");
    char *written = text_as(vocab, LXM_VOCAB_TOKENIZER_JSON, NULL);
    write_as(vocab, path, LXM_VOCAB_COMPILED, NULL);
    lxm_vocab_free(vocab);
    assert_non_null(strstr(written, "\"lstrip\": true"));
    assert_non_null(strstr(written, "\"pad_id\": 7"));
    assert_non_null(strstr(written, "NFC"));
    vocab = open_vocab(path);
    assert_true(lxm_vocab_states_pattern(vocab));
    assert_int_equal(lxm_vocab_find(vocab, "<x>", 3), 2);
    assert_int_equal(lxm_vocab_unk(vocab), 1);
    char *again = text_as(vocab, LXM_VOCAB_TOKENIZER_JSON, NULL);
    assert_string_equal(written, again);
    lxm_vocab_free(vocab);
    free(written);
    free(again);
    free(path);
}

static void words_are_a_word_level_model(void **state)
{
    (void)state;
    lxm_vocab *vocab =
        open_text("x.vocab", "lexmill-vocabulary 1\tsize=3\tspecial=<e>\tunk=<u>\na \"b\\\\\t3\n"
                             "<e>\t0\n<u>\t0\n");
    char *text = text_as(vocab, LXM_VOCAB_TOKENIZER_JSON, NULL), *path = unit_path(folder, "text");
    assert_non_null(strstr(text, "\"type\": \"WordLevel\""));
    assert_non_null(strstr(text, "\"a \\\"b\\\\\": 0"));
    assert_non_null(strstr(text, "\"unk_token\": \"<u>\""));
    assert_non_null(strstr(text, "\"pre_tokenizer\": null"));
    lxm_vocab *again = open_vocab(path);
    assert_string_equal(lxm_vocab_model(again), "word");
    assert_true(lxm_vocab_fingerprint(again) == lxm_vocab_fingerprint(vocab));
    assert_int_equal(lxm_vocab_unk(again), 2);
    assert_true(lxm_vocab_is_special(again, 1));
    assert_false(lxm_vocab_is_special(again, 2));
    assert_false(lxm_vocab_states_pattern(again));
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
    free(text);
    free(path);
}

/* Others number added tokens that the vocab of the model lacks from its size on: behind a gap they
 * have to stand in it. */
static void added_tokens_behind_a_gap_keep_their_ids(void **state)
{
    (void)state;
    static const char *const gaps[] = {"", "\"c\":3,"};
    for (size_t i = 0; i < unit_count(gaps); i++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"added_tokens\":[{\"id\":%d,\"content\":\"<x>\",\"special\":true}],"
                 "\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\"model\":{\"type\":\"BPE\","
                 "\"vocab\":{\"a\":0,%s\"b\":1},\"merges\":[]}}",
                 i ? 4 : 2, gaps[i]);
        lxm_vocab *vocab = open_text("x.json", json);
        char *text = text_as(vocab, LXM_VOCAB_TOKENIZER_JSON, NULL);
        const char *model = strstr(text, "\"model\"");
        assert_non_null(model);
        assert_int_equal(strstr(model, "\"<x>\": 4") != NULL, i);
        lxm_vocab_free(vocab);
        free(text);
    }
}

/* ---- how text is cut ---- */

static char *settings_of(const char *path)
{
    lxm_tokenizer *tokenizer;
    lxm_error error;
    unit_succeeds(lxm_tokenizer_open(&tokenizer, path, NULL, NULL, &error), &error);
    char *settings = strdup(lxm_tokenizer_settings(tokenizer));
    lxm_tokenizer_free(tokenizer);
    return settings;
}

static char *settings_of_preset(const char *preset, bool clean)
{
    lxm_tokenizer *tokenizer;
    lxm_error error;
    lxm_tokenizer_options options = {.preset = preset, .clean = clean};
    unit_succeeds(lxm_tokenizer_new(&tokenizer, &options, NULL, &error), &error);
    char *settings = strdup(lxm_tokenizer_settings(tokenizer));
    lxm_tokenizer_free(tokenizer);
    return settings;
}

/* A preset that goes into a file comes out of it as the preset, with its scanner. */
static void presets_come_back(void **state)
{
    (void)state;
    static const lxm_vocab_form forms[] = {LXM_VOCAB_TOKENIZER_JSON, LXM_VOCAB_COMPILED};
    char *path = unit_path(folder, "x");
    for (int v = 0; v < 2; v++)
        for (size_t f = 0; f < unit_count(forms); f++)
            for (size_t i = 0; lxm_preset_at(i); i++) {
                const char *name = lxm_preset_at(i)->name;
                lxm_vocab *vocab =
                    v ? open_text("vocab.txt", "[UNK]\na\n##b\n") : open_sample("gpt2");
                write_as(vocab, path, forms[f], name);
                lxm_vocab_free(vocab);
                bool gpt2 = !strcmp(name, "r50k") || !strcmp(name, "p50k");
                char *expected = settings_of_preset(gpt2 ? "gpt2" : name, lxm_preset_at(i)->clean);
                char *settings = settings_of(path);
                assert_string_equal(settings, expected);
                free(settings);
                free(expected);
            }
    free(path);
}

static void a_compiled_vocabulary_without_a_pattern_says_so(void **state)
{
    (void)state;
    lxm_vocab *vocab = open_sample("gpt2");
    char *path = unit_path(folder, "x.compiled");
    write_as(vocab, path, LXM_VOCAB_COMPILED, NULL);
    assert_false(lxm_vocab_states_pattern(vocab));
    lxm_vocab_free(vocab);
    lxm_tokenizer *tokenizer;
    lxm_error error;
    assert_int_equal(lxm_tokenizer_open(&tokenizer, path, NULL, NULL, &error), LXM_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "name it with -p"));
    assert_null(tokenizer);
    free(path);
}

/* ---- what a form can't hold ---- */

#define BPE(merges, more)                                                                          \
    "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"added_tokens\":["    \
    "{\"id\":5,\"content\":\"\xC3\xA9\",\"special\":true}],\"model\":{\"type\":\"BPE\",\"vocab\":" \
    "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4}," more "\"merges\":[" merges "]}}"

static void what_would_be_lost_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text; /* NULL: a sample */
        lxm_vocab_form form;
        const char *says;
    } cases[] = {
        {"ranks.tiktoken", NULL, LXM_VOCAB_TEXT, "holds no model"},
        {"wordpiece.json", NULL, LXM_VOCAB_TIKTOKEN, "wordpiece"},
        {"unigram.json", NULL, LXM_VOCAB_MERGES, "unigram"},
        {"fallback.json", NULL, LXM_VOCAB_OPENAI, "another bpe"},
        {"affixes.json", NULL, LXM_VOCAB_TIKTOKEN, "another bpe"},
        {"ranks.tiktoken", NULL, LXM_VOCAB_WORDPIECE, "WordPiece's"},
        {"bytes.json", NULL, LXM_VOCAB_TIKTOKEN, "--drop-special"},
        {"bytes.json", NULL, LXM_VOCAB_MERGES, "made by no merge"},
        {"a.json", BPE("\"a b\",\"ab c\"", ""), LXM_VOCAB_TIKTOKEN, "another bpe"},
        {"b.json", BPE("\"a b\",\"ab c\"", ""), LXM_VOCAB_MERGES, "other bytes"},
        {"c.json", BPE("\"a b\"", "\"ignore_merges\":true,"), LXM_VOCAB_MERGES, "no merges come"},
        {"d.json", BPE("\"a b\"", ""), LXM_VOCAB_MERGES, "made by no merge"},
        {"e.json",
         "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"added_tokens\":["
         "{\"id\":2,\"content\":\"ab\"}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,"
         "\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}}",
         LXM_VOCAB_MERGES, "kept whole"},
        {"vocab.txt", "[UNK]\n[PAD]\nx\n", LXM_VOCAB_MERGES, "wordpiece"},
        {"gap.json",
         "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"b\":2},\"unk_token\":\"b\"}}",
         LXM_VOCAB_TEXT, "id 1 has no token"},
        {"bytes.vocab", "lexmill-vocabulary 1\tsize=1\tspecial=\\xFF\n\\xFF\t1\n",
         LXM_VOCAB_TOKENIZER_JSON, "not UTF-8"},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_vocab *vocab =
            cases[i].text ? open_text(cases[i].name, cases[i].text) : open_sample(cases[i].name);
        lxm_vocab_write_options options = {.form = cases[i].form};
        lxm_error error;
        char *path = unit_path(folder, "refused");
        lxm_status status = lxm_vocab_write(vocab, path, &options, &error);
        if (status != LXM_ERROR_UNSUPPORTED || !strstr(error.message, cases[i].says))
            fail_msg("%s: status %d: %s", cases[i].name, (int)status, status ? error.message : "");
        assert_ptr_equal(error.path, path);
        assert_int_equal(access(path, F_OK), -1);
        assert_null(strchr(error.message, '\n'));
        lxm_vocab_free(vocab);
        free(path);
    }
}

/* Continuations are what the model calls so, whatever the decoder takes away. */
static void continuations_are_the_models(void **state)
{
    (void)state;
    static const char json[] =
        "{\"pre_tokenizer\":null,\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"@@\","
        "\"cleanup\":false},\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
        "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":"
        "{\"a\":0,\"##b\":1,\"[UNK]\":2,\"@@b\":3}}}";
    static const uint32_t expected[] = {0, 1};
    lxm_vocab *vocab = open_text("a.json", json), *again;
    char *path = unit_path(folder, "b.json");
    write_as(vocab, path, LXM_VOCAB_TOKENIZER_JSON, NULL);
    again = open_vocab(path);
    lxm_span span = {0, 2};
    lxm_tokens tokens = {(const uint8_t *)"ab", &span, 1, NULL, false};
    lxm_mapper *mapper;
    lxm_ids ids;
    lxm_error error;
    unit_succeeds(lxm_mapper_new(&mapper, again, NULL, NULL, &error), &error);
    unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
    assert_int_equal(ids.count, 2);
    assert_memory_equal(ids.ids, expected, sizeof expected);
    lxm_mapper_free(mapper);
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
    free(path);
}

/* A list of merges that isn't what the ids alone tell: b c comes before a b, ab has the lower id.
 */
static void merges_out_of_order_are_no_ranks(void **state)
{
    (void)state;
    char json[16384];
    size_t at = (size_t)snprintf(json, sizeof json,
                                 "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
                                 "false},\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (unsigned byte = 0; byte < 256; byte++) {
        static const unsigned shifted[] = {127, 161, 173, 174};
        bool plain = (byte >= 33 && byte < shifted[0]) || (byte >= shifted[1] && byte != 173);
        unsigned point = plain        ? byte
                         : byte < 33  ? 256 + byte
                         : byte < 161 ? 256 + 33 + byte - 127
                                      : 256 + 67;
        at += (size_t)snprintf(json + at, sizeof json - at, "\"\\u%04x\":%u,", point, byte);
    }
    for (int order = 0; order < 2; order++) {
        snprintf(json + at, sizeof json - at, "\"ab\":256,\"bc\":257},\"merges\":[%s]}}",
                 order ? "\"a b\",\"b c\"" : "\"b c\",\"a b\"");
        lxm_vocab *vocab = open_text("x.json", json);
        lxm_vocab_write_options options = {.form = LXM_VOCAB_TIKTOKEN};
        lxm_error error;
        char *path = unit_path(folder, "x.tiktoken");
        lxm_status status = lxm_vocab_write(vocab, path, &options, &error);
        assert_int_equal(status, order ? LXM_OK : LXM_ERROR_UNSUPPORTED);
        if (status)
            assert_non_null(strstr(error.message, "ids alone"));
        lxm_vocab_free(vocab);
        free(path);
    }
}

static void wrong_requests_are_told(void **state)
{
    (void)state;
    static const struct {
        lxm_vocab_write_options options;
        const char *path, *says;
    } cases[] = {
        {{.form = (lxm_vocab_form)77}, "x", "unknown form"},
        {{.form = LXM_VOCAB_MERGES, .preset = "gpt2"}, "x", "leave the preset out"},
        {{.form = LXM_VOCAB_MERGES}, "-", "name the folder"},
        {{.form = LXM_VOCAB_TOKENIZER_JSON}, "x", "-p gpt2"},
        {{.form = LXM_VOCAB_COMPILED, .preset = "what"}, "x", "no preset"},
        {{.form = LXM_VOCAB_COMPILED, .preset = "gpt2", .lowercase = true}, "x", "bert"},
    };
    lxm_vocab *vocab = open_sample("gpt2");
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_error error;
        char *path = unit_path(folder, cases[i].path);
        bool standard = strcmp(cases[i].path, "-") == 0;
        assert_int_equal(lxm_vocab_write(vocab, standard ? "-" : path, &cases[i].options, &error),
                         LXM_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, cases[i].says));
        free(path);
    }
    lxm_vocab_free(vocab);
}

static void names_stand_for_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int form; /* -1: none */
    } cases[] = {
        {"a.compiled", LXM_VOCAB_COMPILED},
        {"a/b.json", LXM_VOCAB_TOKENIZER_JSON},
        {"x.tiktoken", LXM_VOCAB_TIKTOKEN},
        {"x.vocab", LXM_VOCAB_TEXT},
        {"vocab.txt", LXM_VOCAB_WORDPIECE},
        {"a/vocab.txt", LXM_VOCAB_WORDPIECE},
        {"no-such-folder/", LXM_VOCAB_MERGES},
        {".", LXM_VOCAB_MERGES},
        {".json", -1},
        {"x", -1},
        {"myvocab.txt", -1},
        {"-", -1},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_vocab_form form;
        assert_int_equal(lxm_vocab_form_of(cases[i].name, &form), cases[i].form >= 0);
        if (cases[i].form >= 0)
            assert_int_equal(form, cases[i].form);
    }
}

/* ---- memory ---- */

static lxm_status write_all(const char *name, lxm_vocab_form form, const unit_allocator *a)
{
    lxm_vocab *vocab;
    lxm_error error;
    char *source = unit_path(TESTDATA "/vocab", name), *path = unit_path(folder, "out");
    lxm_vocab_write_options options = {.form = form, .drop_special = true};
    if (form == LXM_VOCAB_TOKENIZER_JSON)
        options.preset = "cl100k";
    lxm_status status = lxm_vocab_open(&vocab, source, &a->functions, &error);
    if (!status)
        status = lxm_vocab_write(vocab, path, &options, &error);
    lxm_vocab_free(vocab);
    free(source);
    free(path);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        lxm_vocab_form form;
    } cases[] = {
        {"gpt2", LXM_VOCAB_MERGES},
        {"ranks.tiktoken", LXM_VOCAB_TIKTOKEN},
        {"unigram.json", LXM_VOCAB_TOKENIZER_JSON},
        {"fallback.json", LXM_VOCAB_TOKENIZER_JSON},
        {"wordpiece.json", LXM_VOCAB_TOKENIZER_JSON},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_status status = LXM_ERROR_MEMORY;
        unit_folder_remove(folder);
        folder = unit_folder_make();
        for (size_t at = 1; status; at++) {
            unit_allocator allocator;
            unit_allocator_init(&allocator);
            allocator.fail_at = at;
            status = write_all(cases[i].name, cases[i].form, &allocator);
            assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
            assert_int_equal(allocator.live, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms_come_back_byte_by_byte),
        cmocka_unit_test(a_tokenizer_json_keeps_what_it_says),
        cmocka_unit_test(words_are_a_word_level_model),
        cmocka_unit_test(added_tokens_behind_a_gap_keep_their_ids),
        cmocka_unit_test(presets_come_back),
        cmocka_unit_test(a_compiled_vocabulary_without_a_pattern_says_so),
        cmocka_unit_test(what_would_be_lost_is_refused),
        cmocka_unit_test(continuations_are_the_models),
        cmocka_unit_test(merges_out_of_order_are_no_ranks),
        cmocka_unit_test(wrong_requests_are_told),
        cmocka_unit_test(names_stand_for_forms),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
