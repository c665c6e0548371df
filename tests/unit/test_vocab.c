/* Vocabularies: ids, counts, roles, encoding, files; hostile files; memory that runs out. */
#include "unit.h"

#include "idmap/vocab.h"
#include "words.h"

static char *folder, *file_name;

static int set_up(void **state)
{
    (void)state;
    folder = unit_folder_make();
    file_name = unit_path(folder, "vocab");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_folder_remove(folder);
    free(file_name);
    return 0;
}

static lxm_vocab *empty_vocab(void)
{
    lxm_vocab *vocab;
    assert_int_equal(lxm_vocab_new(&vocab, NULL, NULL), LXM_OK);
    return vocab;
}

static uint32_t add(lxm_vocab *vocab, const char *token, uint64_t count)
{
    uint32_t id = LXM_NO_ID;
    assert_int_equal(lxm_vocab_add(vocab, token, strlen(token), count, &id, NULL), LXM_OK);
    return id;
}

static void tokens_are_numbered_as_they_come(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    assert_int_equal(lxm_vocab_find(vocab, "a", 1), LXM_NO_ID);
    assert_int_equal(add(vocab, "a", 2), 0);
    assert_int_equal(add(vocab, "b", 0), 1);
    assert_int_equal(add(vocab, "a", 3), 0);
    assert_int_equal(lxm_vocab_size(vocab), 2);
    assert_int_equal(lxm_vocab_count(vocab, 0), 5);
    assert_int_equal(lxm_vocab_count(vocab, 1), 0);
    assert_int_equal(lxm_vocab_count(vocab, 2), 0);
    assert_int_equal(lxm_vocab_find(vocab, "b", 1), 1);
    assert_int_equal(lxm_vocab_find(vocab, "c", 1), LXM_NO_ID);
    assert_int_equal(lxm_vocab_find(vocab, "", 0), LXM_NO_ID);
    size_t length;
    assert_memory_equal(lxm_vocab_token(vocab, 1, &length), "b", 1);
    assert_int_equal(length, 1);
    assert_null(lxm_vocab_token(vocab, 2, &length));
    assert_null(lxm_vocab_token(vocab, LXM_NO_ID, &length));
    lxm_vocab_free(vocab);
    lxm_vocab_free(NULL);
}

static void what_can_not_be_a_token_is_refused(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    lxm_error error;
    uint32_t id;
    assert_int_equal(lxm_vocab_add(vocab, "", 0, 1, &id, &error), LXM_ERROR_ARGUMENT);
    add(vocab, "a", UINT64_MAX);
    assert_int_equal(lxm_vocab_add(vocab, "a", 1, 1, NULL, &error), LXM_ERROR_LIMIT);
    assert_true(lxm_vocab_count(vocab, 0) == UINT64_MAX);
    assert_int_equal(lxm_vocab_size(vocab), 1);
    lxm_vocab_free(vocab);
}

static void roles_belong_to_tokens(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    lxm_error error;
    assert_int_equal(lxm_vocab_unk(vocab), LXM_NO_ID);
    assert_int_equal(lxm_vocab_set_special(vocab, 0, &error), LXM_ERROR_ID);
    assert_int_equal(lxm_vocab_set_unk(vocab, 0, &error), LXM_ERROR_ID);
    for (int i = 0; i < 1000; i++) {
        char token[16];
        snprintf(token, sizeof token, "%d", i);
        add(vocab, token, 1);
    }
    for (uint32_t id = 0; id < 1000; id += 7)
        assert_int_equal(lxm_vocab_set_special(vocab, id, &error), LXM_OK);
    for (uint32_t id = 0; id < 1100; id++)
        assert_int_equal(lxm_vocab_is_special(vocab, id), id < 1000 && id % 7 == 0);
    assert_false(lxm_vocab_is_special(vocab, LXM_NO_ID));
    assert_int_equal(lxm_vocab_set_unk(vocab, 999, &error), LXM_OK);
    assert_int_equal(lxm_vocab_unk(vocab), 999);
    lxm_vocab_free(vocab);
}

/* Tokens of every length around the two ways in which they are hashed, and all-zero ones. */
static void every_length_is_found_again(void **state)
{
    (void)state;
    enum { most = 70 };
    lxm_vocab *vocab = empty_vocab();
    words all = {0};
    uint8_t zeros[most] = {0}, letters[most];
    memset(letters, 'x', sizeof letters);
    for (size_t length = 1; length <= most; length++) {
        words_add(&all, zeros, length);
        words_add(&all, letters, length);
        letters[length - 1] = 'y';
        words_add(&all, letters, length);
        letters[length - 1] = 'x';
    }
    lxm_tokens tokens = words_tokens(&all);
    uint32_t ids[3 * most];
    for (size_t i = 0; i < all.count; i++) {
        uint32_t id;
        const char *token = all.text + all.spans[i].begin;
        size_t length = all.spans[i].end - all.spans[i].begin;
        assert_int_equal(lxm_vocab_add(vocab, token, length, 1, &id, NULL), LXM_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(lxm_vocab_encode(vocab, &tokens, ids, NULL), LXM_OK);
    for (size_t i = 0; i < all.count; i++) {
        assert_int_equal(ids[i], i);
        assert_int_equal(lxm_vocab_find(vocab, all.text + all.spans[i].begin,
                                        all.spans[i].end - all.spans[i].begin),
                         i);
    }
    words_free(&all);
    lxm_vocab_free(vocab);
}

static void an_unknown_token_is_unk_or_an_error(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    lxm_error error;
    uint32_t ids[8];
    words text = words_of("the cat sat on the\tmat");
    lxm_tokens tokens = words_tokens(&text);
    assert_int_equal(lxm_vocab_encode(vocab, &tokens, ids, &error), LXM_ERROR_TOKEN);
    add(vocab, "the", 1);
    add(vocab, "cat", 1);
    add(vocab, "sat", 1);
    add(vocab, "on", 1);
    assert_int_equal(lxm_vocab_encode(vocab, &tokens, ids, &error), LXM_ERROR_TOKEN);
    assert_int_equal(error.offset, 4);
    assert_non_null(strstr(error.message, "'the\\x09mat'"));
    assert_non_null(strstr(error.message, "--unk"));
    lxm_vocab_set_unk(vocab, add(vocab, "?", 0), NULL);
    assert_int_equal(lxm_vocab_encode(vocab, &tokens, ids, &error), LXM_OK);
    const uint32_t expected[] = {0, 1, 2, 3, 4};
    assert_memory_equal(ids, expected, sizeof expected);
    tokens.count = 0;
    assert_int_equal(lxm_vocab_encode(vocab, &tokens, ids, &error), LXM_OK);
    words_free(&text);
    lxm_vocab_free(vocab);
}

static void a_vocabulary_grows_until_it_is_full(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    lxm_error error;
    uint32_t ids[8];
    words text = words_of("a b a c b d a");
    lxm_tokens tokens = words_tokens(&text);
    assert_int_equal(lxm_vocab_encode_growing(vocab, 3, &tokens, ids, &error), LXM_ERROR_TOKEN);
    assert_int_equal(error.offset, 5);
    assert_non_null(strstr(error.message, "--max-size"));
    lxm_vocab_free(vocab);

    vocab = empty_vocab();
    lxm_vocab_set_unk(vocab, add(vocab, "?", 0), NULL);
    assert_int_equal(lxm_vocab_encode_growing(vocab, 4, &tokens, ids, &error), LXM_OK);
    const uint32_t full[] = {1, 2, 1, 3, 2, 0, 1};
    assert_memory_equal(ids, full, sizeof full);
    assert_int_equal(lxm_vocab_count(vocab, 0), 1);
    assert_int_equal(lxm_vocab_count(vocab, 1), 3);
    lxm_vocab_free(vocab);

    vocab = empty_vocab();
    assert_int_equal(lxm_vocab_encode_growing(vocab, 0, &tokens, ids, &error), LXM_OK);
    const uint32_t open[] = {0, 1, 0, 2, 1, 3, 0};
    assert_memory_equal(ids, open, sizeof open);
    words_free(&text);
    lxm_vocab_free(vocab);
}

/* Two vocabularies have different random seeds: what comes out doesn't depend on them. */
/* Where no id has a token there is nothing to look into yet; a model's tokens are its own. */
static void only_words_grow(void **state)
{
    (void)state;
    static const char model[] = "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}";
    lxm_vocab *vocab = empty_vocab();
    lxm_error error;
    uint32_t ids[8];
    words text = words_of("a b a");
    lxm_tokens tokens = words_tokens(&text);
    unit_succeeds(lxm_vocab_append(vocab, "", 0, &error), &error);
    unit_succeeds(lxm_vocab_encode_growing(vocab, 0, &tokens, ids, &error), &error);
    const uint32_t behind[] = {1, 2, 1};
    assert_memory_equal(ids, behind, sizeof behind);
    lxm_vocab_free(vocab);

    unit_file_write(file_name, model, sizeof model - 1);
    unit_succeeds(lxm_vocab_open(&vocab, file_name, NULL, &error), &error);
    assert_int_equal(lxm_vocab_encode_growing(vocab, 0, &tokens, ids, &error),
                     LXM_ERROR_UNSUPPORTED);
    assert_int_equal(lxm_vocab_size(vocab), 1);
    words_free(&text);
    lxm_vocab_free(vocab);
}

static void ids_and_files_do_not_depend_on_the_seed(void **state)
{
    (void)state;
    enum { count = 20000 };
    words all = {0};
    for (int i = 0; i < count; i++) {
        char token[32];
        int length =
            snprintf(token, sizeof token, "%d%s", i * 7919 % count, i % 3 ? "" : "-a-longer-token");
        words_add(&all, token, (size_t)length);
    }
    lxm_tokens tokens = words_tokens(&all);
    static uint32_t ids[2][count];
    char *text[2];
    size_t lengths[2];
    uint64_t fingerprints[2], seeds[2];
    for (int i = 0; i < 2; i++) {
        lxm_vocab *vocab = empty_vocab();
        seeds[i] = vocab->table.seeds[0];
        assert_int_equal(lxm_vocab_encode_growing(vocab, 0, &tokens, ids[i], NULL), LXM_OK);
        assert_int_equal(lxm_vocab_save(vocab, file_name, NULL), LXM_OK);
        text[i] = (char *)unit_file_read(file_name, &lengths[i]);
        fingerprints[i] = lxm_vocab_fingerprint(vocab);
        lxm_vocab_free(vocab);
    }
    assert_true(seeds[0] != seeds[1]);
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
    assert_true(fingerprints[0] == fingerprints[1]);
    words_free(&all);
}

/* XXH3-64 of 01 00 00 00 61 02 00 00 00 62 63, as other implementations of XXH3 give it. */
static void the_fingerprint_is_xxh3_of_lengths_and_bytes(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    assert_true(lxm_vocab_fingerprint(vocab) == 0x2D06800538D394C2u);
    add(vocab, "a", 1);
    add(vocab, "bc", 2);
    assert_true(lxm_vocab_fingerprint(vocab) == 0x5892A711D107E652u);
    add(vocab, "bc", 2);
    assert_true(lxm_vocab_fingerprint(vocab) == 0x5892A711D107E652u);
    lxm_vocab_free(vocab);
}

static void a_file_reads_as_it_was_written(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab(), *again;
    lxm_error error = {0};
    static const char *const tokens[] = {"the",          "a\tb",     "\\n", "\n",
                                         "\xE2\x82\xAC", "\xFF\xE2", " "};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        add(vocab, tokens[i], i * i);
    lxm_vocab_add(vocab, "\0x", 2, UINT64_MAX, NULL, NULL);
    lxm_vocab_set_special(vocab, 3, NULL);
    lxm_vocab_set_special(vocab, 1, NULL);
    lxm_vocab_set_unk(vocab, 5, NULL);
    assert_int_equal(lxm_vocab_save(vocab, file_name, &error), LXM_OK);
    size_t length;
    char *text = (char *)unit_file_read(file_name, &length);
    assert_string_equal(text,
                        "lexmill-vocabulary 1\tsize=8\tspecial=a\\tb\tspecial=\\n\tunk=\\xFF\\xE2\n"
                        "the\t0\na\\tb\t1\n\\\\n\t4\n\\n\t9\n\xE2\x82\xAC\t16\n\\xFF\\xE2\t25\n"
                        " \t36\n\\0x\t18446744073709551615\n");
    free(text);
    assert_int_equal(lxm_vocab_open(&again, file_name, NULL, &error), LXM_OK);
    assert_int_equal(lxm_vocab_size(again), 8);
    assert_true(lxm_vocab_fingerprint(again) == lxm_vocab_fingerprint(vocab));
    assert_int_equal(lxm_vocab_unk(again), 5);
    for (uint32_t id = 0; id < 8; id++) {
        assert_int_equal(lxm_vocab_is_special(again, id), id == 1 || id == 3);
        assert_true(lxm_vocab_count(again, id) == lxm_vocab_count(vocab, id));
    }
    assert_int_equal(lxm_vocab_find(again, "\0x", 2), 7);
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
}

static void an_empty_vocabulary_has_a_file(void **state)
{
    (void)state;
    lxm_vocab *vocab = empty_vocab();
    assert_int_equal(lxm_vocab_save(vocab, file_name, NULL), LXM_OK);
    lxm_vocab_free(vocab);
    assert_int_equal(lxm_vocab_open(&vocab, file_name, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_vocab_size(vocab), 0);
    lxm_vocab_free(vocab);
}

static void a_bad_file_is_refused_with_its_place(void **state)
{
    (void)state;
#define FIRST "lexmill-vocabulary 1\tsize=2"
    static const struct {
        const char *text;
        uint64_t line, offset;
        const char *message;
    } cases[] = {
        {"", 0, LXM_NO_OFFSET, "empty"},
        {"hello\n", 0, 0, "no vocabulary"},
        {"lexmill-vocab", 0, 0, "no vocabulary"},
        {"lexmill-vocabulary 1\tsize=2", 1, 27, "cut"},
        {"lexmill-vocabulary 2\tsize=0\n", 1, 19, "version"},
        {"lexmill-vocabulary 11\tsize=0\n", 1, 19, "version"},
        {"lexmill-vocabulary \tsize=0\n", 1, 19, "version"},
        {"lexmill-vocabulary 1\n", 1, 20, "size="},
        {"lexmill-vocabulary 1\tsize=\n", 1, 26, "size"},
        {"lexmill-vocabulary 1\tsize=-1\n", 1, 26, "size"},
        {"lexmill-vocabulary 1\tsize=4294967296\n", 1, 26, "size"},
        {"lexmill-vocabulary 1\tsize=99999999999999999999\n", 1, 26, "size"},
        {"lexmill-vocabulary 1\tsize=0\tsize=0\n", 1, 33, "second time"},
        {"lexmill-vocabulary 1\tsize=0\tcolour=red\n", 1, 28, "none of"},
        {"lexmill-vocabulary 1\tsize=0\t\n", 1, 28, "none of"},
        {FIRST "\n", 2, 28, "promised"},
        {FIRST "\na\t1\n", 3, 32, "promised"},
        {"lexmill-vocabulary 1\tsize=4294967295\na\t1\n", 3, 41, "promised"},
        {FIRST "\na\t1\nb", 3, 33, "cut"},
        {FIRST "\na\t1\nb\t5", 3, 35, "cut"},
        {FIRST "\na\t1\nb\t5\nc\t6\n", 4, 36, "more lines"},
        {FIRST "\na\t1\nb\t5\n\n", 4, 36, "more lines"},
        {FIRST "\na\t1\nb 5\n", 3, 35, "TAB"},
        {FIRST "\na\t1\nb\t\n", 3, 34, "count"},
        {FIRST "\na\t1\nb\t5\r\n", 3, 34, "count"},
        {FIRST "\na\t1\nb\t-5\n", 3, 34, "count"},
        {FIRST "\na\t1\nb\t5\t6\n", 3, 34, "count"},
        {FIRST "\na\t1\nb\t18446744073709551616\n", 3, 34, "count"},
        {FIRST "\na\t1\n\t5\n", 3, 32, "missing"},
        {FIRST "\na\t1\na\t5\n", 3, 32, "line 2"},
        {FIRST "\na\t1\n\\x61\t5\n", 3, 32, "line 2"},
        {FIRST "\na\t1\nb\\q\t5\n", 3, 33, "escape"},
        {FIRST "\na\t1\nb\\\t5\n", 3, 33, "escape"},
        {FIRST "\na\t1\nb\\x4\t5\n", 3, 33, "escape"},
        {FIRST "\na\t1\nb\xFF\t5\n", 3, 33, "\\xFF"},
        {FIRST "\na\t1\nb\\\\\xC3\t5\n", 3, 35, "\\xC3"},
        {FIRST "\na\t1\nb\rc\t5\n", 3, 33, "0x0D"},
        {FIRST "\tspecial=c\na\t1\nb\t5\n", 1, 36, "no line"},
        {FIRST "\tunk=c\na\t1\nb\t5\n", 1, 32, "no line"},
        {FIRST "\tunk=\na\t1\nb\t5\n", 1, 32, "missing"},
        {FIRST "\tunk=a\tunk=b\na\t1\nb\t5\n", 1, 38, "second time"},
        {FIRST "\tspecial=a\tspecial=a\na\t1\nb\t5\n", 1, 46, "second time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lxm_vocab *vocab;
        lxm_error error = {0};
        unit_file_write(file_name, cases[i].text, strlen(cases[i].text));
        assert_int_equal(lxm_vocab_open(&vocab, file_name, NULL, &error), LXM_ERROR_FORMAT);
        assert_null(vocab);
        if (error.line != cases[i].line || error.offset != cases[i].offset ||
            !strstr(error.message, cases[i].message))
            fail_msg("case %zu: line %d byte %d: %s", i, (int)error.line, (int)error.offset,
                     error.message);
        assert_ptr_equal(error.path, file_name);
        assert_int_equal(lxm_vocab_open(&vocab, file_name, NULL, NULL), LXM_ERROR_FORMAT);
    }
}

/* Whatever is cut off the end of a good file, it is an error. */
static void a_cut_file_is_never_read(void **state)
{
    (void)state;
    static const char text[] = FIRST "\tunk=b\nabc\t10\nb\t5\n";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        lxm_vocab *vocab;
        lxm_error error;
        unit_file_write(file_name, text, length);
        assert_int_equal(lxm_vocab_open(&vocab, file_name, NULL, &error), LXM_ERROR_FORMAT);
    }
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    lxm_vocab *vocab;
    lxm_error error;
    static const char nowhere[] = "no-such-folder/vocab";
    assert_int_equal(lxm_vocab_open(&vocab, nowhere, NULL, &error), LXM_ERROR_IO);
    assert_ptr_equal(error.path, nowhere);
    assert_int_equal(lxm_vocab_open(&vocab, ".", NULL, &error), LXM_ERROR_FORMAT);
    vocab = empty_vocab();
    assert_int_equal(lxm_vocab_save(vocab, nowhere, &error), LXM_ERROR_IO);
    assert_ptr_equal(error.path, nowhere);
    lxm_vocab_free(vocab);
}

/* Every call that allocates, in a row; the first failure ends it. */
static lxm_status use_all(const lxm_allocator *allocator)
{
    lxm_vocab *vocab, *again = NULL;
    lxm_error error;
    char token[32];
    uint32_t ids[8];
    words text = words_of("these are new words: 5 6");
    lxm_tokens tokens = words_tokens(&text);
    lxm_status status = lxm_vocab_new(&vocab, allocator, &error);
    for (int i = 0; !status && i < 50; i++) {
        size_t size = lxm_vocab_size(vocab);
        int length = snprintf(token, sizeof token, "\t%d", i);
        status = lxm_vocab_add(vocab, token, (size_t)length, 1, NULL, &error);
        if (status) { /* nothing has changed */
            assert_int_equal(lxm_vocab_size(vocab), size);
            assert_int_equal(lxm_vocab_find(vocab, token, (size_t)length), LXM_NO_ID);
        }
    }
    if (!status)
        status = lxm_vocab_set_special(vocab, 40, &error);
    if (!status)
        status = lxm_vocab_encode_growing(vocab, 0, &tokens, ids, &error);
    if (!status)
        status = lxm_vocab_encode(vocab, &tokens, ids, &error);
    if (!status)
        status = lxm_vocab_save(vocab, file_name, &error);
    if (!status)
        status = lxm_vocab_open(&again, file_name, allocator, &error);
    if (!status)
        assert_int_equal(lxm_vocab_size(again), lxm_vocab_size(vocab));
    else
        assert_int_equal(error.code, status);
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
    words_free(&text);
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    unit_allocator memory;
    unit_allocator_init(&memory);
    assert_int_equal(use_all(&memory.functions), LXM_OK);
    assert_int_equal(memory.live, 0);
    lxm_status status = LXM_ERROR_MEMORY;
    size_t at = 1;
    for (; status; at++) {
        memory.calls = 0;
        memory.fail_at = at;
        status = use_all(&memory.functions);
        if (status)
            assert_int_equal(status, LXM_ERROR_MEMORY);
        assert_int_equal(memory.live, 0);
    }
    assert_true(at > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_numbered_as_they_come),
        cmocka_unit_test(what_can_not_be_a_token_is_refused),
        cmocka_unit_test(roles_belong_to_tokens),
        cmocka_unit_test(every_length_is_found_again),
        cmocka_unit_test(an_unknown_token_is_unk_or_an_error),
        cmocka_unit_test(a_vocabulary_grows_until_it_is_full),
        cmocka_unit_test(only_words_grow),
        cmocka_unit_test(ids_and_files_do_not_depend_on_the_seed),
        cmocka_unit_test(the_fingerprint_is_xxh3_of_lengths_and_bytes),
        cmocka_unit_test(a_file_reads_as_it_was_written),
        cmocka_unit_test(an_empty_vocabulary_has_a_file),
        cmocka_unit_test(a_bad_file_is_refused_with_its_place),
        cmocka_unit_test(a_cut_file_is_never_read),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
