#include "unit.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/utf8.h"

static void escapes_to(const char *bytes, size_t length, const char *escaped)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer buffer;
    size_t bad = 99;
    lxm_buffer_init(&buffer, &standard);
    assert_true(lxm_escape(&buffer, (const uint8_t *)bytes, length));
    assert_int_equal(buffer.length, strlen(escaped));
    assert_memory_equal(buffer.data, escaped, buffer.length);
    assert_int_equal(lxm_unescape(buffer.data, buffer.length, &bad), length);
    assert_memory_equal(buffer.data, bytes, length);
    lxm_buffer_free(&buffer);
}

static void what_the_design_names_is_escaped_and_nothing_else(void **state)
{
    (void)state;
    escapes_to("\\", 1, "\\\\");
    escapes_to("\n", 1, "\\n");
    escapes_to("\r", 1, "\\r");
    escapes_to("\t", 1, "\\t");
    escapes_to("\0", 1, "\\0");
    escapes_to("a\0b", 3, "a\\0b");
    escapes_to("\xFF", 1, "\\xFF");
    escapes_to("\xC3", 1, "\\xC3");
    escapes_to("\xED\xA0\x80", 3, "\\xED\\xA0\\x80");
    escapes_to("caf\xC3\xA9 \xF0\x9F\x90\xA6", 10, "caf\xC3\xA9 \xF0\x9F\x90\xA6");
    escapes_to("\x01\x07\x1B\x7F\"'", 6, "\x01\x07\x1B\x7F\"'");
    escapes_to("C:\\new\\table", 12, "C:\\\\new\\\\table");
}

static void every_byte_and_every_pair_come_back(void **state)
{
    (void)state;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer buffer;
    lxm_buffer_init(&buffer, &standard);
    for (unsigned i = 0; i < 1u << 16; i++) {
        uint8_t bytes[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        size_t bad;
        buffer.length = 0;
        assert_true(lxm_escape(&buffer, bytes, 2));
        assert_null(memchr(buffer.data, '\n', buffer.length));
        assert_null(memchr(buffer.data, '\t', buffer.length));
        assert_int_equal(lxm_unescape(buffer.data, buffer.length, &bad), 2);
        assert_memory_equal(buffer.data, bytes, 2);
    }
    lxm_buffer_free(&buffer);
}

/* Each character or bad byte of a long text by itself. */
static void escape_each(lxm_buffer *buffer, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0, size; i < length; i += size) {
        size = lxm_utf8_sequence(bytes + i, length - i);
        size += size == 0;
        assert_true(lxm_escape(buffer, bytes + i, size));
    }
}

static void long_tokens_are_escaped_as_short_ones_are(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6"};
    static const char *const odd[] = {"\n", "\\", "\xFF", "\xC3", "\xE2\x82", "\x80\x80"};
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer whole, each;
    uint64_t seed = 3;
    lxm_buffer_init(&whole, &standard);
    lxm_buffer_init(&each, &standard);
    for (int round = 0; round < 4000; round++) {
        uint8_t text[1024];
        size_t length = 0, wanted = unit_random(&seed) % 1000, rare = 1 + unit_random(&seed) % 999;
        while (length < wanted) {
            const char *piece = unit_random(&seed) % rare ? pieces[unit_random(&seed) % 4]
                                                          : odd[unit_random(&seed) % 6];
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
        whole.length = each.length = 0;
        assert_true(lxm_escape(&whole, text, length));
        escape_each(&each, text, length);
        assert_int_equal(whole.length, each.length);
        assert_memory_equal(whole.data, each.data, each.length);
    }
    lxm_buffer_free(&whole);
    lxm_buffer_free(&each);
}

static void a_wrong_escape_is_found_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {{"\\", 0},      {"ab\\", 2},  {"\\q", 0},      {"\\\\\\q", 2}, {"x\\x", 1},
                {"x\\x4", 1},   {"\\xg0", 0}, {"\\x4G", 0},    {"\\n\\N", 2},  {"\\u0041", 0},
                {"good\\1", 4}, {"\\\n", 0},  {"\\x41\\ ", 4}, {"\\a", 0}};
    for (size_t i = 0; i < unit_count(rows); i++) {
        uint8_t text[16];
        size_t bad = 99, length = strlen(rows[i].text);
        memcpy(text, rows[i].text, length);
        assert_true(lxm_unescape(text, length, &bad) == SIZE_MAX);
        assert_int_equal(bad, rows[i].at);
    }
}

static void hexadecimal_is_read_in_either_case(void **state)
{
    (void)state;
    uint8_t text[] = "\\xfF\\xAb";
    size_t bad;
    assert_int_equal(lxm_unescape(text, 8, &bad), 2);
    assert_memory_equal(text, "\xFF\xAB", 2);
}

static void the_plain_prefix_ends_at_the_first_escape(void **state)
{
    (void)state;
    assert_int_equal(lxm_escape_plain((const uint8_t *)"abc", 3), 3);
    assert_int_equal(lxm_escape_plain((const uint8_t *)"ab\\c", 4), 2);
    assert_int_equal(lxm_escape_plain((const uint8_t *)"\xC3\xA9\xFF", 3), 2);
    assert_int_equal(lxm_escape_plain((const uint8_t *)"", 0), 0);
}

static void messages_show_bytes_safely(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(lxm_printable(text, sizeof text, "caf\xC3\xA9", 5), "caf\xC3\xA9");
    assert_string_equal(lxm_printable(text, sizeof text, "\x1B[31m\n\xFF", 7),
                        "\\x1B[31m\\x0A\\xFF");
    const char *cut =
        lxm_printable(text, sizeof text, "a very long token that can't be shown whole", 43);
    assert_true(strlen(cut) < sizeof text);
    assert_string_equal(cut + strlen(cut) - 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_design_names_is_escaped_and_nothing_else),
        cmocka_unit_test(every_byte_and_every_pair_come_back),
        cmocka_unit_test(long_tokens_are_escaped_as_short_ones_are),
        cmocka_unit_test(a_wrong_escape_is_found_where_it_stands),
        cmocka_unit_test(hexadecimal_is_read_in_either_case),
        cmocka_unit_test(the_plain_prefix_ends_at_the_first_escape),
        cmocka_unit_test(messages_show_bytes_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
