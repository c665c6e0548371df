/* Vocabulary files of other programs: what is wrong with one is said, and nothing is trusted. */
#include "unit.h"

typedef struct damage {
    const char *name, *content;
    lxm_status status;
    uint64_t line; /* 0: none is known */
    const char *says;
} damage;

#define HEAD "{\"version\":\"1.0\",\"model\":"
#define BPE HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},"

static const damage files[] = {
    {"x.json", "{\"model\":", LXM_ERROR_FORMAT, 1, "not JSON"},
    {"x.json", "{\n\"a\":1,\n\"a\":2}", LXM_ERROR_FORMAT, 3, "not JSON"},
    {"x.json", "{}", LXM_ERROR_FORMAT, 0, "no model"},
    {"x.json", "{\"a\":0,\"b\":1}", LXM_ERROR_FORMAT, 0, "name the folder"},
    {"x.json", HEAD "{\"type\":\"Magic\"}}", LXM_ERROR_UNSUPPORTED, 0, "Magic"},
    {"x.json", HEAD "{\"type\":\"BPE\"}}", LXM_ERROR_FORMAT, 0, "vocab"},
    {"x.json", HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0}}}", LXM_ERROR_FORMAT, 0,
     "'a' and 'b'"},
    {"x.json", HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":\"0\"}}}", LXM_ERROR_FORMAT, 0, "'a'"},
    {"x.json", HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}}", LXM_ERROR_FORMAT, 0, "negative"},
    {"x.json", HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":4294967294}}}", LXM_ERROR_FORMAT, 0,
     "far beyond"},
    {"x.json", BPE "\"merges\":[\"a c\"]}}", LXM_ERROR_FORMAT, 0, "'c' is no token"},
    {"x.json", BPE "\"merges\":[\"b a\"]}}", LXM_ERROR_FORMAT, 0, "'ba' is no token"},
    {"x.json", BPE "\"merges\":[\"ab\"]}}", LXM_ERROR_FORMAT, 0, "two tokens"},
    {"x.json", BPE "\"merges\":[[\"a\"]]}}", LXM_ERROR_FORMAT, 0, "two tokens"},
    {"x.json", BPE "\"unk_token\":null}}", LXM_ERROR_FORMAT, 0, "no list of merges"},
    {"x.json", BPE "\"merges\":{\"a\":\"b\"}}}", LXM_ERROR_FORMAT, 0, "no list of merges"},
    {"x.json", BPE "\"merges\":[7]}}", LXM_ERROR_FORMAT, 0, "two tokens"},
    {"x.json", BPE "\"dropout\":0.1,\"merges\":[]}}", LXM_ERROR_UNSUPPORTED, 0, "dropout"},
    {"x.json", BPE "\"byte_fallback\":true,\"end_of_word_suffix\":\"x\"}}", LXM_ERROR_UNSUPPORTED,
     0, "byte_fallback"},
    {"x.json", BPE "\"end_of_word_suffix\":5}}", LXM_ERROR_FORMAT, 0, "not a string"},
    {"x.json", BPE "\"end_of_word_suffix\":\"0123456789012345678901234567890123456789\"}}",
     LXM_ERROR_UNSUPPORTED, 0, "end_of_word_suffix"},
    {"x.json",
     HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":0}},\"added_tokens\":[{\"id\":0,"
          "\"content\":\"b\"}]}",
     LXM_ERROR_FORMAT, 0, "both the id 0"},
    {"x.json", HEAD "{\"type\":\"BPE\",\"vocab\":{\"a\":0}},\"added_tokens\":[{\"id\":1}]}",
     LXM_ERROR_FORMAT, 0, "added token"},
    {"x.json", HEAD "{\"type\":\"WordPiece\",\"max_input_chars_per_word\":-4,\"vocab\":{\"a\":0}}}",
     LXM_ERROR_FORMAT, 0, "max_input"},
    {"x.json", HEAD "{\"type\":\"Unigram\",\"vocab\":{\"a\":0}}}", LXM_ERROR_FORMAT, 0, "array"},
    {"x.json", HEAD "{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", LXM_ERROR_FORMAT, 0, "score"},
    {"x.json", HEAD "{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":7}}", LXM_ERROR_FORMAT,
     0, "unk_id"},
    {"x.tiktoken", "YQ== 0\nYg== x\n", LXM_ERROR_FORMAT, 2, "a rank"},
    {"x.tiktoken", "YQ== 0\nYg=\n", LXM_ERROR_FORMAT, 2, "a rank"},
    {"x.tiktoken", "YQ== 0\n!g== 1\n", LXM_ERROR_FORMAT, 2, "base64"},
    {"x.tiktoken", "YQ== 0\nYg== 0\n", LXM_ERROR_FORMAT, 2, "line 1"},
    {"x.tiktoken", "YQ== 0\nYQ== 1\n", LXM_ERROR_FORMAT, 2, "already"},
    {"x.tiktoken", "YQ== 0\nYg== 99999999\n", LXM_ERROR_FORMAT, 2, "far beyond"},
    {"x.tiktoken", "YQ== 0\nYg== 1\n", LXM_ERROR_FORMAT, 0, "0x00"},
    {"vocab.txt", "[UNK]\na\na\n", LXM_ERROR_FORMAT, 3, "line before"},
    {"what", "neither\nof\nthese\n", LXM_ERROR_FORMAT, 0, "no vocabulary"},
};

static const damage folders[] = {
    {"", "", LXM_ERROR_FORMAT, 0, "no vocabulary is in the folder"},
    {"[1]", "", LXM_ERROR_FORMAT, 0, "vocab.json: "},
    {"{\"a\":0}", "a b\n", LXM_ERROR_FORMAT, 1, "merges.txt: "},
    {"{\"a\":0,\"b\":1}", "#version: 0.2\na b\n", LXM_ERROR_FORMAT, 2, "'ab'"},
    {"{\"a\":0,\"b\":1,\"ab\":2}", "a b\n\na b\n", LXM_ERROR_FORMAT, 2, "two tokens"},
    {"{\"a\":0,\"b\":1,\"ab\":2}", "a b c\n", LXM_ERROR_FORMAT, 1, "two tokens"},
    {"{\"a\":0,\"b\":1,\"ab\":2}", "a b\n \xFF\n", LXM_ERROR_FORMAT, 2, "UTF-8"},
    {"{\"a\":0,\"b\":1,\"ab\":2}", "a \xE9\xB3\xA5\n", LXM_ERROR_FORMAT, 1, "stands for no byte"},
};

static void check(const char *path, const damage *d)
{
    lxm_vocab *vocab;
    lxm_error error;
    lxm_status status = lxm_vocab_open(&vocab, path, NULL, &error);
    if (status != d->status || error.line != d->line || !strstr(error.message, d->says))
        fail_msg("%s: status %d, line %llu: %s", d->content, (int)status,
                 (unsigned long long)(status ? error.line : 0), status ? error.message : "");
    assert_null(vocab);
    assert_ptr_equal(error.path, path);
    assert_null(strchr(error.message, '\n'));
}

static void damaged_files_are_errors(void **state)
{
    (void)state;
    char *folder = unit_folder_make();
    for (size_t i = 0; i < unit_count(files); i++) {
        char *path = unit_path(folder, files[i].name);
        unit_file_write(path, files[i].content, strlen(files[i].content));
        check(path, &files[i]);
        free(path);
    }
    unit_folder_remove(folder);
}

static void damaged_folders_are_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < unit_count(folders); i++) {
        char *folder = unit_folder_make();
        char *vocab = unit_path(folder, "vocab.json"), *merges = unit_path(folder, "merges.txt");
        if (*folders[i].name) {
            unit_file_write(vocab, folders[i].name, strlen(folders[i].name));
            unit_file_write(merges, folders[i].content, strlen(folders[i].content));
        }
        check(folder, &folders[i]);
        free(vocab);
        free(merges);
        unit_folder_remove(folder);
    }
}

/* Deeper than any parser may go. */
static void deep_json_is_an_error(void **state)
{
    enum { depth = 100000 };
    (void)state;
    static const char start[] = "{\"model\":";
    char *folder = unit_folder_make(), *path = unit_path(folder, "deep.json");
    char *text = malloc(sizeof start + depth);
    lxm_vocab *vocab;
    lxm_error error;
    assert_non_null(text);
    memcpy(text, start, sizeof start);
    memset(text + sizeof start - 1, '[', depth);
    unit_file_write(path, text, sizeof start - 1 + depth);
    assert_int_equal(lxm_vocab_open(&vocab, path, NULL, &error), LXM_ERROR_FORMAT);
    free(text);
    free(path);
    unit_folder_remove(folder);
}

/* Every prefix of a good file is read or refused. */
static void cut_files_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"bytes.json", "ranks.tiktoken", "wordpiece.json"};
    char *folder = unit_folder_make(), *path = unit_path(folder, "cut");
    for (size_t i = 0; i < unit_count(names); i++) {
        char *whole = unit_path(TESTDATA "/vocab", names[i]);
        size_t length;
        uint8_t *bytes = unit_file_read(whole, &length);
        for (size_t end = 1; end < length; end += 97) {
            lxm_vocab *vocab;
            unit_file_write(path, bytes, end);
            lxm_status status = lxm_vocab_open(&vocab, path, NULL, NULL);
            assert_true(status == LXM_OK || status == LXM_ERROR_FORMAT);
            lxm_vocab_free(vocab);
        }
        free(bytes);
        free(whole);
    }
    free(path);
    unit_folder_remove(folder);
}

/* Opens, maps, and frees, with every allocation failing in turn. */
static lxm_status open_and_map(const char *path, const unit_allocator *allocator)
{
    lxm_vocab *vocab;
    lxm_mapper *mapper = NULL;
    lxm_ids ids;
    const char *text =
        "birds and far away cities: \xE9\xB3\xA5 and aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    lxm_span spans[] = {{0, 5}, {5, 9}, {9, 30}, {30, (uint32_t)strlen(text)}};
    uint64_t offsets[] = {0, 5, 5, 9, 9, 30, 30, strlen(text)};
    lxm_tokens tokens = {(const uint8_t *)text, spans, 4, offsets};
    lxm_error error;
    lxm_status status = lxm_vocab_open(&vocab, path, &allocator->functions, &error);
    lxm_mapper_options options = {4096};
    if (!status)
        status = lxm_mapper_new(&mapper, vocab, &options, &allocator->functions, &error);
    if (!status)
        status = lxm_mapper_map(mapper, &tokens, &ids, &error);
    lxm_mapper_free(mapper);
    lxm_vocab_free(vocab);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"bytes.json",    "ranks.tiktoken", "wordpiece.json",
                                        "fallback.json", "affixes.json",   "gpt2",
                                        "unigram.json"};
    for (size_t i = 0; i < unit_count(names); i++) {
        char *path = unit_path(TESTDATA "/vocab", names[i]);
        lxm_status status = LXM_ERROR_MEMORY;
        for (size_t at = 1; status; at++) {
            unit_allocator allocator;
            unit_allocator_init(&allocator);
            allocator.fail_at = at;
            status = open_and_map(path, &allocator);
            assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
            assert_int_equal(allocator.live, 0);
        }
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_errors),
        cmocka_unit_test(damaged_folders_are_errors),
        cmocka_unit_test(deep_json_is_an_error),
        cmocka_unit_test(cut_files_do_no_harm),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
