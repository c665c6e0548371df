/* Words are put together as lxm_join says; LXM_JOIN_BOOK as the book does. */
#include "unit.h"

#include "idmap/join.h"

/* Joins words that stand between '|'. */
static void check(lxm_join join, const char *text, const char *expected)
{
    lxm_allocator allocator = lxm_allocator_or_default(NULL);
    lxm_joiner joiner = {.join = join};
    lxm_buffer buffer;
    lxm_buffer_init(&buffer, &allocator);
    for (;;) {
        size_t length = strcspn(text, "|");
        assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)text, length));
        if (!text[length])
            break;
        text += length + 1;
    }
    assert_int_equal(buffer.length, strlen(expected));
    assert_memory_equal(buffer.data, expected, buffer.length);
    lxm_buffer_free(&buffer);
}

static void bytes_follow_bytes(void **state)
{
    (void)state;
    check(LXM_JOIN_NONE, "Hello|,| world", "Hello, world");
}

static void one_space_between_two(void **state)
{
    (void)state;
    check(LXM_JOIN_SPACE, "Hello|,|world", "Hello , world");
    check(LXM_JOIN_SPACE, "Hello", "Hello");
}

/* The expected texts are Python's: re.sub(r'\s+([,.:;?!"()\'])', r'\1', ' '.join(tokens)) */
static void the_book_closes_up_before_punctuation(void **state)
{
    (void)state;
    check(LXM_JOIN_BOOK, "\"|It|'|s|the|last|he|painted|,|you|know|,|\"|Mrs|.|Gisburn",
          "\" It' s the last he painted, you know,\" Mrs. Gisburn");
    check(LXM_JOIN_BOOK, "a|,|b|.|c|:|d|;|e|?|f|!|g|\"|h|(|i|)|j|'|k",
          "a, b. c: d; e? f! g\" h( i) j' k");
    check(LXM_JOIN_BOOK, "though|--|I|_|snake|_|case", "though -- I _ snake _ case");
    check(LXM_JOIN_BOOK, "'tis|...|(so)|.net", "'tis...(so).net");
    check(LXM_JOIN_BOOK, "a|-,|[|]|*", "a -, [ ] *");
}

static void a_document_starts_without_a_space(void **state)
{
    (void)state;
    lxm_allocator allocator = lxm_allocator_or_default(NULL);
    lxm_joiner joiner = {.join = LXM_JOIN_SPACE};
    lxm_buffer buffer;
    lxm_buffer_init(&buffer, &allocator);
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"a", 1));
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"b", 1));
    lxm_joiner_end_document(&joiner);
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"c", 1));
    assert_memory_equal(buffer.data, "a bc", 4);
    assert_int_equal(buffer.length, 4);
    lxm_buffer_free(&buffer);
}

static void a_nul_is_no_punctuation(void **state)
{
    (void)state;
    lxm_allocator allocator = lxm_allocator_or_default(NULL);
    lxm_joiner joiner = {.join = LXM_JOIN_BOOK};
    lxm_buffer buffer;
    lxm_buffer_init(&buffer, &allocator);
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"a", 1));
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"\0", 1));
    assert_int_equal(buffer.length, 3);
    assert_memory_equal(buffer.data, "a \0", 3);
    lxm_buffer_free(&buffer);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    unit_allocator memory;
    unit_allocator_init(&memory);
    memory.fail_at = 1;
    lxm_joiner joiner = {.join = LXM_JOIN_SPACE};
    lxm_buffer buffer;
    lxm_buffer_init(&buffer, &memory.functions);
    assert_false(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"a", 1));
    assert_int_equal(buffer.length, 0);
    assert_false(joiner.inside);
    assert_true(lxm_joiner_append(&joiner, &buffer, (const uint8_t *)"a", 1));
    lxm_buffer_free(&buffer);
    assert_int_equal(memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_follow_bytes),
        cmocka_unit_test(one_space_between_two),
        cmocka_unit_test(the_book_closes_up_before_punctuation),
        cmocka_unit_test(a_document_starts_without_a_space),
        cmocka_unit_test(a_nul_is_no_punctuation),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
