/* tokenizer.json: its rules are followed exactly, or refused by name. */
#include "unit.h"

#include "tokenizer_samples.h"

typedef struct fixture {
    char *folder, *path;
    char text[1024];
    size_t length;
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

static lxm_status open_rules(fixture *f, const char *normalizer, const char *pre_tokenizer,
                             const lxm_tokenizer_options *options, lxm_tokenizer **tokenizer,
                             const lxm_allocator *allocator)
{
    static char json[4096];
    int length =
        snprintf(json, sizeof json, "{\"version\":\"1.0\",\"normalizer\":%s,\"pre_tokenizer\":%s}",
                 normalizer, pre_tokenizer);
    assert_true(length > 0 && (size_t)length < sizeof json);
    unit_file_write(f->path, json, (size_t)length);
    f->error = (lxm_error){0};
    return lxm_tokenizer_open(tokenizer, f->path, options, allocator, &f->error);
}

static lxm_status join(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    fixture *f = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        size_t size = tokens->spans[i].end - tokens->spans[i].begin;
        assert_true(f->length + size + 2 < sizeof f->text);
        if (f->length)
            f->text[f->length++] = '|';
        memcpy(f->text + f->length, tokens->text + tokens->spans[i].begin, size);
        f->length += size;
    }
    f->text[f->length] = '\0';
    return LXM_OK;
}

static lxm_status end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

/* Joins the tokens of a text that is pushed `step` bytes at a time. */
static void segment(fixture *f, const lxm_tokenizer *tokenizer, const char *text, size_t step)
{
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {join, end, f};
    size_t length = strlen(text);
    f->length = 0;
    f->text[0] = '\0';
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, &f->error), &f->error);
    for (size_t i = 0; i < length; i += step)
        unit_succeeds(lxm_segmenter_push(segmenter, text + i, i + step < length ? step : length - i,
                                         &f->error),
                      &f->error);
    unit_succeeds(lxm_segmenter_end_document(segmenter, &f->error), &f->error);
    lxm_segmenter_free(segmenter);
}

static void the_tokens_are_those_of_the_reference(void **state)
{
    static const char *const texts[] = {TEXT_1, TEXT_2, TEXT_3};
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(examples); i++) {
        const example *e = &examples[i];
        lxm_tokenizer *tokenizer;
        unit_succeeds(open_rules(f, e->normalizer, e->pre_tokenizer, NULL, &tokenizer, NULL),
                      &f->error);
        for (size_t t = 0; t < unit_count(texts); t++)
            for (size_t step = 1; step < 200; step += 1 + step / 2) {
                segment(f, tokenizer, texts[t], step);
                if (strcmp(f->text, e->tokens[t]) != 0)
                    fail_msg("%s %s, by %zu:\n%s\nis not\n%s", e->normalizer, e->pre_tokenizer,
                             step, f->text, e->tokens[t]);
            }
        lxm_tokenizer_free(tokenizer);
    }
}

/* The known patterns have scanners, which a pattern of the same meaning doesn't. */
static void known_patterns_become_presets(void **state)
{
    static const char *const known[] = {"gpt2", "llama3", "qwen2", "o200k"};
    static const char *const pre_tokenizers[] = {
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n"
        "\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*"
        "[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n"
        "\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*"
        "[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}"
        "\\\\p{Lt}"
        "\\\\p{Lm}\\\\p{Lo}\\\\p{M}]*[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]+(?i:'s|'t|'re|'ve|'m|'"
        "ll|'d)?|"
        "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]+[\\\\p{Ll}"
        "\\\\p{Lm}"
        "\\\\p{Lo}\\\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+"
        "[\\\\r\\\\n/]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Removed\","
        "\"invert\":true}",
    };
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(known); i++) {
        char want[32];
        lxm_tokenizer *tokenizer;
        unit_succeeds(open_rules(f, "null", pre_tokenizers[i], NULL, &tokenizer, NULL), &f->error);
        snprintf(want, sizeof want, "preset=%s", known[i]);
        assert_string_equal(lxm_tokenizer_settings(tokenizer), want);
        lxm_tokenizer_free(tokenizer);
    }
}

#define SPLIT(regex)                                                                               \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"Isolated\"}"
#define STEPS(list) "{\"type\":\"Sequence\",\"normalizers\":[" list "]}"
#define GPT2 "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"

static void what_cant_be_done_is_refused_by_name(void **state)
{
    static const struct {
        const char *normalizer, *pre_tokenizer, *says;
    } refused[] = {
        {STEPS("{\"type\":\"NFD\"},{\"type\":\"Strip\"},{\"type\":\"StripAccents\"}"), GPT2,
         "StripAccents"},
        {"null", "{\"type\":\"UnicodeScripts\"}", "UnicodeScripts"},
        {"{\"type\":\"StripAccents\"}", GPT2, "StripAccents"},
        {"null", SPLIT("\\\\w+"), "escape"},
        {"null", SPLIT("\\\\bx"), "escape"},
        {"null", SPLIT("\\\\h"), "escape"},
        {"null", SPLIT("(a)\\\\1"), "escape"},
        {"null", SPLIT("."), "'.'"},
        {"null", SPLIT("^a"), "'^'"},
        {"null", SPLIT("a$"), "'$'"},
        {"null", SPLIT("a{1,3}+"), "repeat of a repeat"},
        {"null", SPLIT("a{,3}"), "brace"},
        {"null", SPLIT("(?m:a)"), "group"},
        {"null", SPLIT("(?<n>a)"), "group"},
        {"null", SPLIT("(?i:ss)"), "without regard to case"},
        {"null", SPLIT("(?i:s(?:s))"), "without regard to case"},
        {"null", SPLIT("(?i:(?:f)i)"), "without regard to case"},
        {"null", SPLIT("(?i:\\u00df)"), "without regard to case"},
        {"null", SPLIT("[a[b]]"), "set inside"},
        {"null", SPLIT("[a-z&&b]"), "set inside"},
        {"null", SPLIT("\\\\p{Alnum}"), "property"},
        {"null", SPLIT("a*"), "matches nothing"},
        {"null",
         "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"MergedWithNext\"}",
         "MergedWithNext"},
        {"null", "{\"type\":\"Sequence\",\"pretokenizers\":[" SPLIT("a") "," SPLIT("b") "]}",
         "Sequence"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(refused); i++) {
        lxm_tokenizer *tokenizer;
        lxm_status status =
            open_rules(f, refused[i].normalizer, refused[i].pre_tokenizer, NULL, &tokenizer, NULL);
        if (status != LXM_ERROR_UNSUPPORTED || !strstr(f->error.message, refused[i].says))
            fail_msg("%s %s: %d %s", refused[i].normalizer, refused[i].pre_tokenizer, status,
                     f->error.message);
        assert_null(tokenizer);
        assert_string_equal(f->error.path, f->path);
    }
}

static void what_is_no_tokenizer_json_is_said_to_be_none(void **state)
{
    fixture *f = *state;
    lxm_tokenizer *tokenizer;
    assert_int_equal(open_rules(f, "null", "{", NULL, &tokenizer, NULL), LXM_ERROR_FORMAT);
    assert_int_equal(open_rules(f, "null", "{\"type\":\"Split\",\"behavior\":\"Isolated\"}", NULL,
                                &tokenizer, NULL),
                     LXM_ERROR_FORMAT);
    unit_file_write(f->path, "{}", 2);
    assert_int_equal(lxm_tokenizer_open(&tokenizer, f->path, NULL, NULL, &f->error),
                     LXM_ERROR_FORMAT);
    assert_int_equal(open_rules(f, "null", SPLIT("(a"), NULL, &tokenizer, NULL),
                     LXM_ERROR_UNSUPPORTED);
}

static void options_say_the_rest_and_may_not_contradict(void **state)
{
    static const char *const specials[] = {"<s>"};
    static const char roberta[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}";
    const lxm_tokenizer_options rest = {.specials = specials, .special_count = 1};
    const lxm_tokenizer_options preset = {.preset = "gpt2"};
    fixture *f = *state;
    lxm_tokenizer *tokenizer;
    assert_int_equal(open_rules(f, "null", roberta, &preset, &tokenizer, NULL), LXM_ERROR_ARGUMENT);
    unit_succeeds(open_rules(f, "null", roberta, &rest, &tokenizer, NULL), &f->error);
    for (size_t step = 1; step < 12; step++) {
        segment(f, tokenizer, "a<s>b <s> c<s>\n<s>", step);
        assert_string_equal(f->text, " a|<s>| b| |<s>| c|<s>| \n|<s>");
    }
    lxm_tokenizer_free(tokenizer);
}

static void every_allocation_may_fail(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < unit_count(examples); i += 3) {
        lxm_status status = LXM_ERROR_MEMORY;
        for (size_t at = 1; status; at++) {
            unit_allocator a;
            lxm_tokenizer *tokenizer;
            unit_allocator_init(&a);
            a.fail_at = at;
            status = open_rules(f, examples[i].normalizer, examples[i].pre_tokenizer, NULL,
                                &tokenizer, &a.functions);
            assert_true(!status || status == LXM_ERROR_MEMORY);
            lxm_tokenizer_free(tokenizer);
            assert_int_equal(atomic_load(&a.live), 0);
        }
    }
}

#define with_file(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(the_tokens_are_those_of_the_reference),
        with_file(known_patterns_become_presets),
        with_file(what_cant_be_done_is_refused_by_name),
        with_file(what_is_no_tokenizer_json_is_said_to_be_none),
        with_file(options_say_the_rest_and_may_not_contradict),
        with_file(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
