/* Compiled vocabularies: what a file says is checked before it is used, whatever it says; the same
 * vocabulary is the same file; a word-level one may go on growing. */
#include <math.h>

#include "unit.h"

#include "base/hash.h"
#include "formats/vocab_compiled.h"
#include "idmap/vocab.h"

enum { header_size = 40, entry_size = 24, checksum_at = 16, checked_from = 24 };

static char *folder, *file_name;

static int set_up(void **state)
{
    (void)state;
    folder = unit_folder_make();
    file_name = unit_path(folder, "x.compiled");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_folder_remove(folder);
    free(file_name);
    return 0;
}

static const lxm_vocab_write_options compiled = {.form = LXM_VOCAB_COMPILED};

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

/* The compiled file of a vocabulary, to be freed. */
static uint8_t *compile(const lxm_vocab *vocab, size_t *length)
{
    lxm_error error;
    unit_succeeds(lxm_vocab_write(vocab, file_name, &compiled, &error), &error);
    return unit_file_read(file_name, length);
}

static uint8_t *compile_sample(const char *name, size_t *length)
{
    lxm_vocab *vocab = open_sample(name);
    uint8_t *bytes = compile(vocab, length);
    lxm_vocab_free(vocab);
    return bytes;
}

static void put(uint8_t *at, uint64_t value, size_t width)
{
    memcpy(at, &value, width);
}

/* Makes the checksum that of what is there. */
static void seal(uint8_t *bytes, size_t length)
{
    put(bytes + checksum_at, lxm_hash(bytes + checked_from, length - checked_from, 0), 8);
}

static lxm_status open_bytes(const uint8_t *bytes, size_t length, lxm_vocab **vocab,
                             lxm_error *error)
{
    unit_file_write(file_name, bytes, length);
    return lxm_vocab_open(vocab, file_name, NULL, error);
}

static void is_refused(const uint8_t *bytes, size_t length, lxm_status expected, uint64_t offset,
                       const char *says)
{
    lxm_vocab *vocab;
    lxm_error error;
    lxm_status status = open_bytes(bytes, length, &vocab, &error);
    if (status != expected || error.offset != offset || !strstr(error.message, says) ||
        !strstr(error.message, "idmap convert"))
        fail_msg("%s: status %d, byte %llu: %s", says, (int)status,
                 status ? (unsigned long long)error.offset : 0, status ? error.message : "");
    assert_null(vocab);
    assert_ptr_equal(error.path, file_name);
}

/* ---- damage ---- */

static void a_header_that_lies_is_named(void **state)
{
    (void)state;
    size_t length;
    uint8_t *good = compile_sample("wordpiece.json", &length), *bytes = malloc(2 * length);
    assert_non_null(bytes);
#define FRESH() memcpy(bytes, good, length)
    FRESH();
    put(bytes + 8, 2, 4);
    is_refused(bytes, length, LXM_ERROR_UNSUPPORTED, 8, "version 2");
    FRESH();
    put(bytes + 12, 0x04030201, 4);
    is_refused(bytes, length, LXM_ERROR_UNSUPPORTED, 12, "byte order");
    FRESH();
    put(bytes + 12, 7, 4);
    is_refused(bytes, length, LXM_ERROR_FORMAT, 12, "damaged");
    FRESH();
    memset(bytes + length, 0, length);
    is_refused(bytes, length + 64, LXM_ERROR_FORMAT, length, "something else");
    for (size_t cut = 8; cut < length; cut += 61)
        is_refused(good, cut, LXM_ERROR_FORMAT, cut, "is cut");
    FRESH();
    put(bytes + 32, 33, 4);
    seal(bytes, length);
    is_refused(bytes, length, LXM_ERROR_FORMAT, 32, "33 sections");
    free(bytes);
    free(good);
}

/* A section that overlaps another, lies outside, is too long, or has no order. */
static void a_section_that_lies_is_named(void **state)
{
    (void)state;
    static const struct {
        size_t entry, field, width;
        uint64_t value;
        const char *says;
    } cases[] = {
        {1, 8, 8, 64, "begins where"},
        {1, 8, 8, UINT64_MAX - 32, "begins where"},
        {0, 8, 8, 0, "begins where"},
        {0, 16, 8, UINT64_MAX, "ends behind"},
        {0, 16, 8, (uint64_t)1 << 61, "ends behind"},
        {0, 4, 4, 0, "ends behind"},
        {0, 4, 4, UINT32_MAX, "ends behind"},
        {1, 0, 4, 1, "out of order"},
        {0, 0, 4, 0, "out of order"},
    };
    size_t length;
    uint8_t *good = compile_sample("wordpiece.json", &length), *bytes = malloc(length);
    assert_non_null(bytes);
    for (size_t i = 0; i < unit_count(cases); i++) {
        size_t entry = header_size + cases[i].entry * entry_size;
        size_t at =
            cases[i].width == 4 && cases[i].field == 4 ? entry + 16 : entry + cases[i].field;
        FRESH();
        put(bytes + entry + cases[i].field, cases[i].value, cases[i].width);
        seal(bytes, length);
        is_refused(bytes, length, LXM_ERROR_FORMAT, at, cases[i].says);
    }
    free(bytes);
    free(good);
}

static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    size_t length;
    uint8_t *bytes = compile_sample("wordpiece.json", &length);
    for (size_t at = checksum_at; at < length; at += 7) {
        lxm_vocab *vocab;
        lxm_error error;
        bytes[at] ^= 0x10;
        assert_int_equal(open_bytes(bytes, length, &vocab, &error), LXM_ERROR_FORMAT);
        assert_true(strstr(error.message, "checksum") || strstr(error.message, "bytes of"));
        bytes[at] ^= 0x10;
    }
    free(bytes);
}

/* The id above all others marks where the symbols of a token end: nothing merges with it. */
static void a_pair_beyond_all_ids_is_refused(void **state)
{
    (void)state;
    const uint64_t above = lxm_pair_max_id + 1;
    size_t length;
    lxm_error error;
    lxm_parts parts = {.count = 0};
    uint8_t *good = compile_sample("ranks.tiktoken", &length), *bytes = malloc(length);
    assert_non_null(bytes);
    unit_succeeds(lxm_compiled_open(&parts, good, length, &error), &error);
    const lxm_part *pairs = lxm_parts_find(&parts, lxm_part_pairs);
    const uint64_t *slots = pairs->data;
    size_t at = 0;
    while (slots[at] == UINT64_MAX)
        at++;
    for (unsigned side = 0; side < 2; side++) {
        uint64_t offset = pairs->offset + at * 8;
        FRESH();
        put(bytes + offset, slots[at] | above << (22 + 21 * side), 8);
        seal(bytes, length);
        is_refused(bytes, length, LXM_ERROR_FORMAT, offset, "a pair");
    }
    free(bytes);
    free(good);
}

static void a_score_that_is_no_number_is_refused(void **state)
{
    (void)state;
    const double values[] = {(double)NAN, (double)-INFINITY};
    size_t length;
    lxm_error error;
    lxm_parts parts = {.count = 0};
    uint8_t *good = compile_sample("unigram.json", &length), *bytes = malloc(length);
    assert_non_null(bytes);
    unit_succeeds(lxm_compiled_open(&parts, good, length, &error), &error);
    uint64_t offset = lxm_parts_find(&parts, lxm_part_scores)->offset + 8;
    for (size_t i = 0; i < unit_count(values); i++) {
        FRESH();
        memcpy(bytes + offset, &values[i], sizeof *values);
        seal(bytes, length);
        is_refused(bytes, length, LXM_ERROR_FORMAT, offset, "a score");
    }
    free(bytes);
    free(good);
}

/* What is kept of a tokenizer.json is looked at when it is asked for. */
static void a_description_of_nonsense_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", "{"};
    for (size_t i = 0; i < unit_count(texts); i++) {
        lxm_vocab_write_options options = {.form = LXM_VOCAB_TOKENIZER_JSON};
        lxm_vocab *vocab = open_sample("wordpiece.json");
        lxm_error error;
        unit_succeeds(lxm_vocab_describe(vocab, texts[i], strlen(texts[i]), &error), &error);
        assert_int_equal(lxm_vocab_write(vocab, file_name, &options, &error), LXM_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "make it anew"));
        lxm_vocab_free(vocab);
    }
}

/* Any use of a vocabulary whose content may be nonsense. */
static void use(const lxm_vocab *vocab)
{
    static const char text[] = "birds and far away cities: \xE9\xB3\xA5 \xFF##ing [UNK] aaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    lxm_span spans[] = {{0, 5}, {5, 9}, {9, 30}, {30, 36}, {36, sizeof text - 1}};
    uint64_t offsets[] = {0, 5, 5, 9, 9, 30, 30, 36, 36, sizeof text - 1};
    lxm_tokens tokens = {(const uint8_t *)text, spans, 5, NULL};
    lxm_mapper *mapper;
    lxm_mapper_options options = {4096};
    lxm_error error;
    lxm_ids ids;
    size_t length;
    unit_succeeds(lxm_mapper_new(&mapper, vocab, &options, NULL, &error), &error);
    for (int i = 0; i < 2; i++) {
        if (!lxm_mapper_map(mapper, &tokens, &ids, &error))
            for (size_t k = 0; k < ids.count; k++)
                assert_true(ids.ids[k] < lxm_vocab_size(vocab));
        tokens.offsets = offsets;
    }
    for (uint32_t id = 0; id < lxm_vocab_size(vocab); id++) {
        const uint8_t *token = lxm_vocab_token(vocab, id, &length);
        (void)lxm_vocab_is_special(vocab, id);
        if (token)
            (void)lxm_vocab_find(vocab, token, length);
    }
    lxm_mapper_free(mapper);
}

/* With the checksum made good, whatever else is changed: refused, or used without harm. */
static void nonsense_does_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"wordpiece.json", "fallback.json", "unigram.json",
                                        "ranks.tiktoken", "affixes.json"};
    uint64_t random = 11;
    for (size_t n = 0; n < unit_count(names); n++) {
        size_t length, refused = 0;
        uint8_t *good = compile_sample(names[n], &length), *bytes = malloc(length);
        assert_non_null(bytes);
        for (int round = 0; round < 400; round++) {
            lxm_vocab *vocab;
            lxm_error error;
            FRESH();
            for (int k = 0; k < 1 + round % 3; k++) {
                /* a third of the changes near the start, where the small sections are */
                size_t most = unit_random(&random) % 3 ? length : 1024;
                size_t at = 32 + unit_random(&random) % (most - 40) / 4 * 4;
                static const uint64_t values[] = {0, 1, 0xFF, UINT32_MAX, UINT64_MAX, 1u << 31};
                put(bytes + at, round % 2 ? unit_random(&random) : values[round / 2 % 6],
                    round % 5 ? 4 : 8);
            }
            seal(bytes, length);
            if (open_bytes(bytes, length, &vocab, &error)) {
                refused++;
                assert_null(vocab);
                assert_true(error.code == LXM_ERROR_FORMAT);
            } else {
                use(vocab);
                lxm_vocab_free(vocab);
            }
        }
        assert_true(refused > 40);
        free(bytes);
        free(good);
    }
}

/* ---- what it keeps ---- */

static void the_same_vocabulary_is_the_same_file(void **state)
{
    (void)state;
    static const char *const names[] = {"bytes.json",   "ranks.tiktoken", "whole.json",
                                        "affixes.json", "fallback.json",  "unknown.json",
                                        "unigram.json", "wordpiece.json", "gpt2"};
    for (size_t i = 0; i < unit_count(names); i++) {
        size_t lengths[3];
        uint8_t *bytes[3];
        bytes[0] = compile_sample(names[i], &lengths[0]);
        bytes[1] = compile_sample(names[i], &lengths[1]);
        lxm_vocab *vocab = open_vocab(file_name), *source = open_sample(names[i]);
        assert_string_equal(lxm_vocab_origin(vocab), "compiled");
        assert_string_equal(lxm_vocab_model(vocab), lxm_vocab_model(source));
        assert_true(lxm_vocab_fingerprint(vocab) == lxm_vocab_fingerprint(source));
        assert_int_equal(lxm_vocab_unk(vocab), lxm_vocab_unk(source));
        assert_int_equal(lxm_vocab_join(vocab), lxm_vocab_join(source));
        assert_int_equal(lxm_vocab_states_pattern(vocab), lxm_vocab_states_pattern(source));
        for (uint32_t id = 0; id < lxm_vocab_size(source); id++)
            assert_int_equal(lxm_vocab_is_special(vocab, id), lxm_vocab_is_special(source, id));
        char *again = unit_path(folder, "again.compiled");
        lxm_error error;
        unit_succeeds(lxm_vocab_write(vocab, again, &compiled, &error), &error);
        bytes[2] = unit_file_read(again, &lengths[2]);
        for (int k = 1; k < 3; k++) {
            assert_int_equal(lengths[k], lengths[0]);
            assert_memory_equal(bytes[k], bytes[0], lengths[0]);
        }
        lxm_vocab_free(vocab);
        lxm_vocab_free(source);
        for (int k = 0; k < 3; k++)
            free(bytes[k]);
        free(again);
    }
}

static void words_go_on_growing(void **state)
{
    (void)state;
    lxm_vocab *vocab;
    lxm_error error;
    char token[16];
    uint32_t id;
    size_t length;
    unit_succeeds(lxm_vocab_new(&vocab, NULL, &error), &error);
    free(compile(vocab, &length)); /* an empty one has a file too */
    lxm_vocab_free(vocab);
    for (uint32_t round = 0; round < 40; round++) {
        vocab = open_vocab(file_name);
        assert_int_equal(lxm_vocab_size(vocab), round);
        for (uint32_t i = 0; i < round; i++) {
            int size = snprintf(token, sizeof token, "word-%u", i);
            assert_int_equal(lxm_vocab_find(vocab, token, (size_t)size), i);
            assert_int_equal(lxm_vocab_count(vocab, i), 40 - i + (i == 0 ? round - 1 : 0));
        }
        uint64_t before = lxm_vocab_fingerprint(vocab);
        int size = snprintf(token, sizeof token, "word-%u", round);
        unit_succeeds(lxm_vocab_add(vocab, token, (size_t)size, 40 - round, &id, &error), &error);
        assert_int_equal(id, round);
        if (round)
            unit_succeeds(lxm_vocab_add(vocab, "word-0", 6, 1, &id, &error), &error);
        assert_true(lxm_vocab_fingerprint(vocab) != before);
        free(compile(vocab, &length));
        lxm_vocab_free(vocab);
    }
}

/* ---- memory ---- */

static lxm_status use_compiled(const char *source, const unit_allocator *a)
{
    lxm_vocab *vocab = NULL, *again = NULL;
    lxm_error error;
    lxm_status status = lxm_vocab_open(&vocab, source, &a->functions, &error);
    if (!status)
        status = lxm_vocab_write(vocab, file_name, &compiled, &error);
    if (!status)
        status = lxm_vocab_open(&again, file_name, &a->functions, &error);
    if (!status && !strcmp(lxm_vocab_model(again), "word")) {
        status = lxm_vocab_add(again, "new", 3, 1, NULL, &error);
        if (!status)
            assert_int_equal(lxm_vocab_size(again), lxm_vocab_size(vocab) + 1);
    }
    if (!status)
        use(again);
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    static const char text[] = "lexmill-vocabulary 1\tsize=2\tspecial=b\nabc\t10\nb\t5\n";
    char *words = unit_path(folder, "words.vocab");
    unit_file_write(words, text, sizeof text - 1);
    char *paths[] = {words, unit_path(TESTDATA "/vocab", "wordpiece.json"),
                     unit_path(TESTDATA "/vocab", "unigram.json"),
                     unit_path(TESTDATA "/vocab", "gpt2")};
    for (size_t i = 0; i < unit_count(paths); i++) {
        lxm_status status = LXM_ERROR_MEMORY;
        for (size_t at = 1; status; at++) {
            unit_allocator allocator;
            unit_allocator_init(&allocator);
            allocator.fail_at = at;
            status = use_compiled(paths[i], &allocator);
            assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
            assert_int_equal(allocator.live, 0);
        }
        free(paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_lies_is_named),
        cmocka_unit_test(a_section_that_lies_is_named),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(a_pair_beyond_all_ids_is_refused),
        cmocka_unit_test(a_score_that_is_no_number_is_refused),
        cmocka_unit_test(a_description_of_nonsense_is_named),
        cmocka_unit_test(nonsense_does_no_harm),
        cmocka_unit_test(the_same_vocabulary_is_the_same_file),
        cmocka_unit_test(words_go_on_growing),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
