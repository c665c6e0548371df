/* Normalisation against the facts of Unicode (UAX #15, CaseFolding.txt, SpecialCasing.txt). */
#include "unit.h"

#include "base/utf8.h"
#include "tokenize/normalize.h"

enum { no_limit = 16 << 20 };

/* Code points in hexadecimal, as Unicode's own test files have them. The compatibility forms are
 * left out where they are those before. */
typedef struct forms {
    const char *text, *nfc, *nfd, *nfkc, *nfkd;
} forms;

static const forms hard_cases[] = {
    {"00E9", "00E9", "0065 0301"},
    {"0065 0301", "00E9", "0065 0301"},
    {"212B", "00C5", "0041 030A"},
    {"0041 030A", "00C5", "0041 030A"},
    {"2126", "03A9", "03A9"},
    {"AC00", "AC00", "1100 1161"},
    {"1100 1161", "AC00", "1100 1161"},
    {"AC01", "AC01", "1100 1161 11A8"},
    {"1100 1161 11A8", "AC01", "1100 1161 11A8"},
    {"AC00 11A8", "AC01", "1100 1161 11A8"},
    {"AC00 11A7", "AC00 11A7", "1100 1161 11A7"},
    {"AC01 11A8", "AC01 11A8", "1100 1161 11A8 11A8"},
    {"1E9B 0323", "1E9B 0323", "017F 0323 0307", "1E69", "0073 0323 0307"},
    {"FB01", "FB01", "FB01", "0066 0069", "0066 0069"},
    {"0032 2075", "0032 2075", "0032 2075", "0032 0035", "0032 0035"},
    {"0344", "0308 0301", "0308 0301"},
    {"0F73", "0F71 0F72", "0F71 0F72"},
    {"0F71 0F72 0F71", "0F71 0F71 0F72", "0F71 0F71 0F72"},
    {"1D15E", "1D157 1D165", "1D157 1D165"},
    {"1D157 1D165", "1D157 1D165", "1D157 1D165"},
    {"0958", "0915 093C", "0915 093C"},
    {"0915 093C", "0915 093C", "0915 093C"},
    {"0071 0307 0323", "0071 0323 0307", "0071 0323 0307"},
    {"0071 0323 0307", "0071 0323 0307", "0071 0323 0307"},
    {"1E0B 0323", "1E0D 0307", "0064 0323 0307"},
    {"0064 0307 0323", "1E0D 0307", "0064 0323 0307"},
    {"0340", "0300", "0300"},
    {"2ADC", "2ADD 0338", "2ADD 0338"},
    {"FB2C", "05E9 05BC 05C1", "05E9 05BC 05C1"},
    {"05E9 05C1 05BC", "05E9 05BC 05C1", "05E9 05BC 05C1"},
    {"1F82", "1F82", "03B1 0313 0300 0345"},
    {"3392", "3392", "3392", "004D 0048 007A", "004D 0048 007A"},
    {"0CCB", "0CCB", "0CC6 0CC2 0CD5"},
    {"0CC6 0CC2 0CD5", "0CCB", "0CC6 0CC2 0CD5"},
    {"0DDD", "0DDD", "0DD9 0DCF 0DCA"},
    {"09CB", "09CB", "09C7 09BE"},
    {"09C7 09BE", "09CB", "09C7 09BE"},
    {"1026", "1026", "1025 102E"},
    {"1025 102E", "1026", "1025 102E"},
    {"1112E", "1112E", "11131 11127"},
    {"11131 11127", "1112E", "11131 11127"},
    {"110AB", "110AB", "110A5 110BA"},
    {"11938", "11938", "11935 11930"},
    {"0061 0315 0300 05AE 0300 0062", "00E0 05AE 0300 0315 0062", "0061 05AE 0300 0300 0315 0062"},
    {"0061 0301 0301", "00E1 0301", "0061 0301 0301"},
    {"0301", "0301", "0301"},
    {"0301 0300 0061", "0301 0300 0061", "0301 0300 0061"},
    {"00BD", "00BD", "00BD", "0031 2044 0032", "0031 2044 0032"},
    {"FF76 FF9E", "FF76 FF9E", "FF76 FF9E", "30AC", "30AB 3099"},
    {"304B 3099", "304C", "304B 3099"},
    {"3099", "3099", "3099"},
    {"FA30", "4FAE", "4FAE"},
    {"2F00", "2F00", "2F00", "4E00", "4E00"},
    {"1E69", "1E69", "0073 0323 0307"},
    {"0073 0323 0307", "1E69", "0073 0323 0307"},
    {"01D5", "01D5", "0055 0308 0304"},
    {"00DC 0304", "01D5", "0055 0308 0304"},
    {"0055 0304 0308", "1E7A", "0055 0304 0308"},
    {"1ED6", "1ED6", "004F 0302 0303"},
    {"2260", "2260", "003D 0338"},
    {"003D 0338", "2260", "003D 0338"},
    {"1112 1161 11AB 1100 1173 11AF", "D55C AE00", "1112 1161 11AB 1100 1173 11AF"},
    {"0B94", "0B94", "0B92 0BD7"},
    {"0B92 0BD7", "0B94", "0B92 0BD7"},
    {"0B47 0300 0B3E", "0B47 0300 0B3E", "0B47 0300 0B3E"},
    {"1100 0300 1161 0300", "1100 0300 1161 0300", "1100 0300 1161 0300"},
    {"115B9", "115B9", "115B9"},
    {"11347 1133E", "1134B", "11347 1133E"},
    {"0061 0F74 0F72 0F71", "0061 0F71 0F72 0F74", "0061 0F71 0F72 0F74"},
    {"03D3", "03D3", "03D2 0301", "038E", "03A5 0301"},
    {"2024 2025 2026", "2024 2025 2026", "2024 2025 2026", "002E 002E 002E 002E 002E 002E",
     "002E 002E 002E 002E 002E 002E"},
    {"00A0 0078", "00A0 0078", "00A0 0078", "0020 0078", "0020 0078"},
    {"33FF", "33FF", "33FF", "0067 0061 006C", "0067 0061 006C"},
    {"0078 0345 0301", "0078 0301 0345", "0078 0301 0345"},
    {"1FB7", "1FB7", "03B1 0342 0345"},
    {"0390", "0390", "03B9 0308 0301"},
    {"1FD3", "0390", "03B9 0308 0301"},
    {"2F800", "4E3D", "4E3D"},
    {"FFE3", "FFE3", "FFE3", "0020 0304", "0020 0304"},
    {"00A8", "00A8", "00A8", "0020 0308", "0020 0308"},
    {"0385", "0385", "00A8 0301", "0020 0308 0301", "0020 0308 0301"},
};

/* The code points that a row names, as UTF-8. */
static size_t parse(const char *row, uint8_t *text)
{
    size_t length = 0;
    for (char *end; *row; row = end)
        length += lxm_utf8_encode((uint32_t)strtoul(row, &end, 16), text + length);
    return length;
}

static size_t character(const uint8_t *text)
{
    size_t size;
    lxm_utf8_decode(text, &size);
    return size;
}

/* Normalises text that comes in parts of `part` characters (0: at once) into `result`. */
static void normalize(const lxm_tokenizer_options *options, const uint8_t *text, size_t length,
                      size_t part, lxm_buffer *result)
{
    unit_allocator a;
    lxm_normalizer z;
    lxm_error error;
    unit_allocator_init(&a);
    lxm_normalizer_init(&z, options, no_limit, &a.functions);
    result->length = 0;
    for (size_t at = 0; at < length;) {
        size_t end = part ? at : length;
        for (size_t i = 0; part && i < part && end < length; i++)
            end += character(text + end);
        unit_succeeds(lxm_normalizer_push(&z, text + at, end - at, at, end, &error), &error);
        assert_true(lxm_buffer_append(result, z.text.data, z.text.length));
        at = end;
    }
    unit_succeeds(lxm_normalizer_end(&z, &error), &error);
    assert_true(lxm_buffer_append(result, z.text.data, z.text.length));
    lxm_normalizer_free(&z);
    assert_int_equal(a.live, 0);
}

static void becomes(const lxm_tokenizer_options *options, const char *row, const char *expected)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer got;
    uint8_t text[128], want[128];
    size_t length = parse(row, text), wanted = parse(expected, want);
    lxm_buffer_init(&got, &standard);
    for (size_t part = 0; part < 3; part++) {
        normalize(options, text, length, part, &got);
        if (got.length != wanted || (wanted && memcmp(got.data, want, wanted) != 0))
            fail_msg("%s in parts of %zu: not %s", row, part, expected);
    }
    lxm_buffer_free(&got);
}

static void all_forms_are_unicodes(void **state)
{
    (void)state;
    static const lxm_tokenizer_options nfc = {.normal_form = LXM_NORMAL_NFC},
                                       nfd = {.normal_form = LXM_NORMAL_NFD},
                                       nfkc = {.normal_form = LXM_NORMAL_NFKC},
                                       nfkd = {.normal_form = LXM_NORMAL_NFKD};
    for (size_t i = 0; i < unit_count(hard_cases); i++) {
        const forms *f = &hard_cases[i];
        const char *compatible = f->nfkc ? f->nfkc : f->nfc;
        const char *decomposed = f->nfkd ? f->nfkd : f->nfd;
        becomes(&nfc, f->text, f->nfc);
        becomes(&nfd, f->text, f->nfd);
        becomes(&nfkc, f->text, compatible);
        becomes(&nfkd, f->text, decomposed);
        /* and each form of a form is what UAX #15 says of it */
        becomes(&nfc, f->nfd, f->nfc);
        becomes(&nfd, f->nfc, f->nfd);
        becomes(&nfc, f->nfc, f->nfc);
        becomes(&nfkc, decomposed, compatible);
        becomes(&nfkd, compatible, decomposed);
        becomes(&nfkc, f->nfd, compatible);
    }
}

static void every_hangul_syllable_comes_apart_and_together(void **state)
{
    (void)state;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer syllables, jamo, again;
    uint8_t bytes[4];
    lxm_buffer_init(&syllables, &standard);
    lxm_buffer_init(&jamo, &standard);
    lxm_buffer_init(&again, &standard);
    for (uint32_t c = 0xAC00; c <= 0xD7A3; c++)
        assert_true(lxm_buffer_append(&syllables, bytes, lxm_utf8_encode(c, bytes)));
    normalize(&(lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFD}, syllables.data,
              syllables.length, 0, &jamo);
    /* 11172 syllables, 399 of them without a final */
    assert_int_equal(jamo.length, 3 * (3 * 11172 - 399));
    normalize(&(lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFC}, jamo.data, jamo.length, 1,
              &again);
    assert_int_equal(again.length, syllables.length);
    assert_memory_equal(again.data, syllables.data, again.length);
    lxm_buffer_free(&syllables);
    lxm_buffer_free(&jamo);
    lxm_buffer_free(&again);
}

typedef struct mapping {
    const char *text, *result;
} mapping;

static void map_all(const lxm_tokenizer_options *options, const mapping *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        becomes(options, rows[i].text, rows[i].result);
}

static void case_folding_is_full(void **state)
{
    (void)state;
    static const mapping rows[] = {
        {"0041 005A 0061 0040 005B", "0061 007A 0061 0040 005B"},
        {"00DF", "0073 0073"},
        {"1E9E", "0073 0073"},
        {"FB01", "0066 0069"},
        {"FB03", "0066 0066 0069"},
        {"0130", "0069 0307"},
        {"0049", "0069"},
        {"03A3", "03C3"},
        {"03C2", "03C3"},
        {"1FB3", "03B1 03B9"},
        {"1F80", "1F00 03B9"},
        {"212A", "006B"},
        {"212B", "00E5"},
        {"01C4", "01C6"},
        {"01C5", "01C6"},
        {"0587", "0565 0582"},
        {"0149", "02BC 006E"},
        {"0390", "03B9 0308 0301"},
        {"1C80", "0432"},
        {"13A0", "13A0"},
        {"AB70", "13A0"},
        {"10400", "10428"},
        {"2160", "2170"},
        {"24B6", "24D0"},
        {"017F", "0073"},
        {"0345", "03B9"},
        {"00B5", "03BC"},
    };
    map_all(&(lxm_tokenizer_options){.casefold = true}, rows, unit_count(rows));
}

static void lower_case_goes_one_code_point_at_a_time(void **state)
{
    (void)state;
    static const mapping rows[] = {
        {"0041 005A 0061 0040 005B", "0061 007A 0061 0040 005B"},
        {"00C4 00E4 00DF", "00E4 00E4 00DF"},
        {"1E9E", "00DF"},
        {"0130", "0069 0307"},
        {"0130 0130", "0069 0307 0069 0307"},
        {"0049", "0069"},
        {"0131", "0131"},
        {"03A3 03A3", "03C3 03C3"},
        {"01C4", "01C6"},
        {"01C5", "01C6"},
        {"13A0", "AB70"},
        {"1C90", "10D0"},
        {"2167", "2177"},
        {"24B6", "24D0"},
        {"FB01", "FB01"},
        {"212A", "006B"},
        {"10400", "10428"},
        {"1E900", "1E922"},
        {"04C0", "04CF"},
        {"0041 0301", "0061 0301"},
    };
    map_all(&(lxm_tokenizer_options){.lowercase = true}, rows, unit_count(rows));
}

static void nonspacing_marks_are_stripped_and_no_others(void **state)
{
    (void)state;
    static const mapping rows[] = {
        {"00E9", "0065"},
        {"0065 0301 0327", "0065"},
        {"1EC7", "0065"},
        {"05E9 05C1 05BC 05B8", "05E9"},      /* Hebrew points */
        {"0645 064F 062D 064E", "0645 062D"}, /* Arabic vowel signs */
        {"0915 093E 0941", "0915 093E"},      /* a spacing vowel sign stays */
        {"0E01 0E34", "0E01"},                /* Thai */
        {"00E6 00F8 0142", "00E6 00F8 0142"}, /* letters, not letters with marks */
        {"0041 20DD", "0041 20DD"},           /* an enclosing mark */
        {"0301", ""},
        {"0301 0301 0061", "0061"},
        {"0439", "0438"},
    };
    map_all(&(lxm_tokenizer_options){.strip_marks = true}, rows, unit_count(rows));
    becomes(&(lxm_tokenizer_options){.strip_marks = true, .normal_form = LXM_NORMAL_NFC},
            "D55C 00E9", "D55C 0065");
}

static void options_work_together(void **state)
{
    (void)state;
    becomes(&(lxm_tokenizer_options){.lowercase = true, .strip_marks = true},
            "00C9 0043 004F 004C 0045", "0065 0063 006F 006C 0065");
    becomes(&(lxm_tokenizer_options){.lowercase = true, .strip_marks = true}, "0130", "0069");
    becomes(&(lxm_tokenizer_options){.casefold = true, .normal_form = LXM_NORMAL_NFC},
            "0041 030A 00DF", "00E5 0073 0073");
    becomes(&(lxm_tokenizer_options){.casefold = true, .normal_form = LXM_NORMAL_NFKC}, "FF21 2460",
            "0061 0031");
    becomes(&(lxm_tokenizer_options){.lowercase = true, .normal_form = LXM_NORMAL_NFC}, "0045 0301",
            "00E9");
    becomes(&(lxm_tokenizer_options){.lowercase = true, .normal_form = LXM_NORMAL_NFD}, "0130 0323",
            "0069 0323 0307");
}

/* All rows one after another, in parts of any size. */
static void the_result_does_not_depend_on_the_cuts(void **state)
{
    (void)state;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer text, whole, parts;
    lxm_buffer_init(&text, &standard);
    lxm_buffer_init(&whole, &standard);
    lxm_buffer_init(&parts, &standard);
    for (size_t i = 0; i < unit_count(hard_cases); i++) {
        uint8_t bytes[128];
        assert_true(lxm_buffer_append(&text, bytes, parse(hard_cases[i].text, bytes)));
        if (i % 3 == 0)
            assert_true(lxm_buffer_append(&text, "plain ASCII", 11));
    }
    for (unsigned o = 0; o < 5 * 8; o++) {
        lxm_tokenizer_options options = {.normal_form = (lxm_normal_form)(o / 8),
                                         .lowercase = o & 1,
                                         .casefold = o & 2,
                                         .strip_marks = o & 4};
        normalize(&options, text.data, text.length, 0, &whole);
        for (size_t part = 1; part < 12; part++) {
            normalize(&options, text.data, text.length, part, &parts);
            assert_int_equal(parts.length, whole.length);
            assert_memory_equal(parts.data, whole.data, whole.length);
        }
    }
    lxm_buffer_free(&text);
    lxm_buffer_free(&whole);
    lxm_buffer_free(&parts);
}

static void long_runs_of_marks_take_linear_time(void **state)
{
    (void)state;
    enum { count = 1000000 };
    static const char *const marks[] = {"\xCC\x81", "\xCC\xA3", "\xCC\x95", "\xCC\x81"};
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer text, result;
    lxm_buffer_init(&text, &standard);
    lxm_buffer_init(&result, &standard);
    for (int mixed = 0; mixed < 2; mixed++) {
        text.length = 0;
        assert_true(lxm_buffer_append(&text, "e", 1));
        for (size_t i = 0; i < count; i++)
            assert_true(lxm_buffer_append(&text, marks[mixed ? i % 4 : 0], 2));
        double begin = unit_seconds();
        normalize(&(lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFC}, text.data, text.length,
                  0, &result);
        normalize(&(lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFKD, .casefold = true},
                  text.data, text.length, 1000, &result);
        assert_int_equal(result.length, text.length);
        /* in quadratic time it would be hours */
        assert_true(unit_seconds() - begin < 60);
    }
    lxm_buffer_free(&text);
    lxm_buffer_free(&result);
}

static void marks_without_end_hit_the_limit(void **state)
{
    (void)state;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_normalizer z;
    lxm_error error;
    lxm_normalizer_init(&z, &(lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFC}, 3, &standard);
    assert_int_equal(
        lxm_normalizer_push(&z, (const uint8_t *)"ae\xCC\x81\xCC\x81", 6, 10, 16, &error), LXM_OK);
    assert_int_equal(lxm_normalizer_push(&z, (const uint8_t *)"\xCC\x81", 2, 16, 18, &error),
                     LXM_ERROR_LIMIT);
    assert_int_equal(error.offset, 11);
    lxm_normalizer_reset(&z);
    assert_int_equal(lxm_normalizer_push(&z, (const uint8_t *)"xy", 2, 0, 2, &error), LXM_OK);
    assert_int_equal(lxm_normalizer_end(&z, &error), LXM_OK);
    assert_memory_equal(z.text.data, "y", 1);
    lxm_normalizer_free(&z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_are_unicodes),
        cmocka_unit_test(every_hangul_syllable_comes_apart_and_together),
        cmocka_unit_test(case_folding_is_full),
        cmocka_unit_test(lower_case_goes_one_code_point_at_a_time),
        cmocka_unit_test(nonspacing_marks_are_stripped_and_no_others),
        cmocka_unit_test(options_work_together),
        cmocka_unit_test(the_result_does_not_depend_on_the_cuts),
        cmocka_unit_test(long_runs_of_marks_take_linear_time),
        cmocka_unit_test(marks_without_end_hit_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
