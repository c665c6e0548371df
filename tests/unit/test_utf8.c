/* UTF-8 by the definition: a sequence is well-formed where encoding what it decodes to gives it
 * back, and that is a scalar value. */
#include "unit.h"

#include "base/utf8.h"

/* Decodes by the bits alone, without a look at what is allowed: -1 where even the bits are wrong.
 */
static int64_t decode_bits(const uint8_t *p, size_t size)
{
    static const uint8_t mask[] = {0, 0x80, 0xE0, 0xF0, 0xF8};
    static const uint8_t want[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    if ((p[0] & mask[size]) != want[size])
        return -1;
    int64_t c = p[0] & (uint8_t)~mask[size];
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c;
}

static size_t size_of(int64_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* Length of the well-formed sequence at the start, from the definition. */
static size_t defined(const uint8_t *p, size_t length)
{
    for (size_t size = 1; size <= 4 && size <= length; size++) {
        int64_t c = decode_bits(p, size);
        if (c >= 0 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF) && size_of(c) == size)
            return size;
    }
    return 0;
}

static void every_code_point_is_encoded_and_decoded(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c == 0xD800)
            c = 0xE000;
        uint8_t bytes[4];
        size_t size = lxm_utf8_encode(c, bytes), length = 0;
        if (size != size_of(c) || decode_bits(bytes, size) != c ||
            lxm_utf8_sequence(bytes, size) != size || lxm_utf8_decode(bytes, &length) != c ||
            length != size)
            fail_msg("U+%04X", c);
        for (size_t cut = 1; cut < size; cut++)
            if (lxm_utf8_sequence(bytes, cut) || lxm_utf8_ill_formed(bytes, cut))
                fail_msg("U+%04X cut after %zu bytes", c, cut);
    }
}

static void check(const uint8_t *bytes, size_t length)
{
    if (lxm_utf8_sequence(bytes, length) != defined(bytes, length))
        fail_msg("%02X %02X %02X %02X", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static void every_three_bytes_are_judged_by_the_definition(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1u << 24; i++)
        check((const uint8_t[]){(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0}, 3);
}

static void four_bytes_are_judged_by_the_definition(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                    0xC2, 0xDF, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF};
    for (unsigned a = 0xE0; a <= 0xFF; a++)
        for (unsigned b = 0; b <= 0xFF; b++)
            for (size_t c = 0; c < unit_count(edges); c++)
                for (size_t d = 0; d < unit_count(edges); d++)
                    check((const uint8_t[]){(uint8_t)a, (uint8_t)b, edges[c], edges[d]}, 4);
}

static void ill_formed_subparts_are_unicodes(void **state)
{
    (void)state;
    /* Unicode 15, tables 3-8 to 3-11: how many U+FFFD stand for what; 0 is a good character */
    static const struct {
        const char *bytes;
        uint8_t sizes[10]; /* of each subpart; 9: one good byte */
    } rows[] = {
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", {1, 1, 1, 1, 1, 1, 1, 1, 9}},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", {1, 1, 1, 1, 1, 1, 1, 1, 9}},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", {1, 1, 1, 1, 1, 9, 1, 1, 9}},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", {2, 1, 3, 2, 9}},
    };
    for (size_t r = 0; r < unit_count(rows); r++) {
        const uint8_t *p = (const uint8_t *)rows[r].bytes;
        size_t length = strlen(rows[r].bytes);
        for (size_t i = 0; length > 0; i++) {
            bool good = rows[r].sizes[i] == 9;
            size_t size = good ? 1 : rows[r].sizes[i];
            assert_int_equal(lxm_utf8_sequence(p, length), good ? 1 : 0);
            if (!good)
                assert_int_equal(lxm_utf8_ill_formed(p, length), size);
            p += size;
            length -= size;
        }
    }
}

static void the_first_bad_byte_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const fillers[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6"};
    static const char *const bad[] = {"\x80",         "\xC3", "\xE2\x82",
                                      "\xF0\x9F\x90", "\xFF", "\xED\xA0\x80"};
    for (size_t f = 0; f < unit_count(fillers); f++)
        for (size_t b = 0; b < unit_count(bad); b++)
            for (size_t before = 0; before < 100; before++) {
                uint8_t text[600];
                size_t size = strlen(fillers[f]), length = 0;
                for (size_t i = 0; i < before; i++, length += size)
                    memcpy(text + length, fillers[f], size);
                assert_int_equal(lxm_utf8_valid(text, length), length);
                size_t at = length;
                memcpy(text + length, bad[b], strlen(bad[b]));
                length += strlen(bad[b]);
                assert_int_equal(lxm_utf8_valid(text, length), at);
                for (size_t i = 0; i < 40; i++)
                    text[length++] = 'x';
                assert_int_equal(lxm_utf8_valid(text, length), at);
            }
    assert_int_equal(lxm_utf8_valid((const uint8_t *)"", 0), 0);
    assert_int_equal(lxm_utf8_sequence((const uint8_t *)"", 0), 0);
}

/* Every start of a sequence, whole or not, at every place around the ends of vectors and blocks. */
static void long_texts_are_as_valid_as_short_ones(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                    0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                    0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF};
    static const size_t places[] = {28, 29, 30, 31, 61, 125, 126, 127, 128, 254};
    enum { n = unit_count(edges) };
    uint8_t text[384];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < n * n * n * n; i++) {
        uint8_t four[4] = {edges[i % n], edges[i / n % n], edges[i / n / n % n],
                           edges[i / n / n / n]};
        for (size_t p = i % 3; p < unit_count(places); p += 3) {
            memcpy(text + places[p], four, 4);
            size_t want = lxm_utf8_valid_scalar(text, sizeof text);
            assert_int_equal(lxm_utf8_valid(text, sizeof text), want);
            assert_int_equal(lxm_utf8_valid(text, places[p] + 2),
                             lxm_utf8_valid_scalar(text, places[p] + 2));
            memset(text + places[p], 'a', 4);
        }
    }
}

static void random_texts_are_valid_as_far_as_the_definition_says(void **state)
{
    (void)state;
    uint64_t seed = 5;
    uint8_t text[1024];
    for (int round = 0; round < 20000; round++) {
        size_t length = 0, size = unit_random(&seed) % (sizeof text - 8);
        uint32_t most = 0x80u << unit_random(&seed) % 15;
        while (length < size) {
            uint32_t c = (uint32_t)(unit_random(&seed) % most);
            if (c < 0x110000 && (c < 0xD800 || c > 0xDFFF))
                length += lxm_utf8_encode(c, text + length);
        }
        assert_int_equal(lxm_utf8_valid(text, length), length);
        for (int wrong = 0; wrong < 3 && length; wrong++) {
            text[unit_random(&seed) % length] ^= (uint8_t)(1 << unit_random(&seed) % 8);
            size_t i = 0, step;
            while (i < length && (step = defined(text + i, length - i)) > 0)
                i += step;
            assert_int_equal(lxm_utf8_valid(text, length), i);
            assert_int_equal(lxm_utf8_valid_scalar(text, length), i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_encoded_and_decoded),
        cmocka_unit_test(every_three_bytes_are_judged_by_the_definition),
        cmocka_unit_test(four_bytes_are_judged_by_the_definition),
        cmocka_unit_test(ill_formed_subparts_are_unicodes),
        cmocka_unit_test(the_first_bad_byte_is_found_wherever_it_stands),
        cmocka_unit_test(long_texts_are_as_valid_as_short_ones),
        cmocka_unit_test(random_texts_are_valid_as_far_as_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
