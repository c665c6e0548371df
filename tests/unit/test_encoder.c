/* lxm_encoder: the ids that tokenize and idmap give one after the other, and no allocation once it
 * has met documents of the size. */
#include "unit.h"

static lxm_tokenizer *make_tokenizer(const char *preset, bool offsets)
{
    static const char *const specials[] = {"<|end|>"};
    lxm_tokenizer *tokenizer;
    lxm_error error;
    lxm_tokenizer_options options = {
        .preset = preset, .offsets = offsets, .specials = specials, .special_count = 1};
    unit_succeeds(lxm_tokenizer_new(&tokenizer, &options, NULL, &error), &error);
    return tokenizer;
}

static lxm_vocab *open_vocab(const char *name)
{
    lxm_vocab *vocab;
    lxm_error error;
    char *path = unit_path(TESTDATA "/vocab", name);
    unit_succeeds(lxm_vocab_open(&vocab, path, NULL, &error), &error);
    free(path);
    return vocab;
}

static const char text[] = "The bird sings.<|end|> Der Vogel singt; \xE9\xB3\xA5\xE3\x81\x8C...\n";

static void ids_and_offsets_cover_the_document(void **state)
{
    (void)state;
    lxm_tokenizer *tokenizer = make_tokenizer("gpt2", true);
    lxm_vocab *vocab = open_vocab("bytes.json");
    lxm_encoder *encoder;
    lxm_error error;
    lxm_ids ids;
    unit_succeeds(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &error), &error);
    for (int again = 0; again < 3; again++) {
        uint64_t at = 0;
        unit_succeeds(lxm_encoder_encode(encoder, text, strlen(text), &ids, &error), &error);
        for (size_t i = 0; i < ids.count; i++) {
            size_t length;
            const uint8_t *token = lxm_vocab_token(vocab, ids.ids[i], &length);
            assert_int_equal(ids.offsets[2 * i], at);
            assert_int_equal(ids.offsets[2 * i + 1], at + length);
            assert_memory_equal(token, text + at, length);
            at += length;
        }
        assert_int_equal(at, strlen(text));
    }
    lxm_encoder_free(encoder);
    lxm_vocab_free(vocab);
    lxm_tokenizer_free(tokenizer);
}

static void an_empty_document_has_no_ids(void **state)
{
    (void)state;
    lxm_tokenizer *tokenizer = make_tokenizer("gpt2", false);
    lxm_vocab *vocab = open_vocab("bytes.json");
    lxm_encoder *encoder;
    lxm_error error;
    lxm_ids ids;
    unit_succeeds(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &error), &error);
    unit_succeeds(lxm_encoder_encode(encoder, "", 0, &ids, &error), &error);
    assert_int_equal(ids.count, 0);
    unit_succeeds(lxm_encoder_encode(encoder, text, strlen(text), &ids, &error), &error);
    assert_true(ids.count > 0);
    assert_null(ids.offsets);
    lxm_encoder_free(encoder);
    lxm_vocab_free(vocab);
    lxm_tokenizer_free(tokenizer);
}

static void a_warm_encoder_allocates_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"bytes.json", "wordpiece.json", "fallback.json"};
    for (size_t n = 0; n < unit_count(names); n++) {
        lxm_tokenizer *tokenizer = make_tokenizer("whitespace", n % 2);
        lxm_vocab *vocab = open_vocab(names[n]);
        unit_allocator allocator;
        lxm_encoder *encoder;
        lxm_error error;
        lxm_ids ids;
        unit_allocator_init(&allocator);
        unit_succeeds(
            lxm_encoder_new(&encoder, tokenizer, vocab, NULL, &allocator.functions, &error),
            &error);
        unit_succeeds(lxm_encoder_encode(encoder, text, strlen(text), &ids, &error), &error);
        size_t calls = allocator.calls;
        for (int again = 0; again < 10; again++)
            unit_succeeds(lxm_encoder_encode(encoder, text, strlen(text), &ids, &error), &error);
        assert_int_equal(allocator.calls, calls);
        lxm_encoder_free(encoder);
        assert_int_equal(allocator.live, 0);
        lxm_vocab_free(vocab);
        lxm_tokenizer_free(tokenizer);
    }
}

/* What is wrong with one document does nothing to the next. */
static void errors_leave_it_fit(void **state)
{
    (void)state;
    lxm_tokenizer *tokenizer = make_tokenizer("whitespace", true);
    lxm_vocab *vocab;
    lxm_encoder *encoder;
    lxm_error error;
    lxm_ids ids;
    unit_succeeds(lxm_vocab_new(&vocab, NULL, &error), &error);
    unit_succeeds(lxm_vocab_add(vocab, "a", 1, 1, NULL, &error), &error);
    unit_succeeds(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &error), &error);
    assert_int_equal(lxm_encoder_encode(encoder, "a a b", 5, &ids, &error), LXM_ERROR_TOKEN);
    assert_int_equal(error.offset, 4);
    assert_int_equal(lxm_encoder_encode(encoder, "a \xFF", 3, &ids, &error), LXM_ERROR_UTF8);
    assert_int_equal(error.offset, 2);
    unit_succeeds(lxm_encoder_encode(encoder, "a a", 3, &ids, &error), &error);
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.offsets[2], 2);
    lxm_encoder_free(encoder);
    lxm_vocab_free(vocab);
    lxm_tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_offsets_cover_the_document),
        cmocka_unit_test(an_empty_document_has_no_ids),
        cmocka_unit_test(a_warm_encoder_allocates_nothing),
        cmocka_unit_test(errors_leave_it_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
