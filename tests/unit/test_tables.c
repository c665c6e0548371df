/* Tables of other programs, numbers of fewer bits, and what converts them. */
#include <math.h>

#include "embed/dtype.h"
#include "formats/number.h"
#include "unit.h"

typedef struct fixture {
    char *folder, *file, *other, *vocab;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = unit_folder_make();
    f->file = unit_path(f->folder, "table");
    f->other = unit_path(f->folder, "other");
    f->vocab = unit_path(f->folder, "vocab");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unit_folder_remove(f->folder);
    free(f->file);
    free(f->other);
    free(f->vocab);
    free(f);
    return 0;
}

/* ---- numbers ---- */

static void test_every_half(void **state)
{
    (void)state;
    const lxm_dtype_variant *variants[2];
    size_t count = lxm_dtype_variants(variants);
    for (uint32_t base = 0; base < 65536; base += 16)
        for (size_t v = 0; v < count; v++) {
            uint16_t halves[16], back[16];
            float values[16], plain[16];
            for (uint32_t i = 0; i < 16; i++)
                halves[i] = (uint16_t)(base + i);
            variants[0]->widen_f16((uint8_t *)halves, 16, plain);
            variants[v]->widen_f16((uint8_t *)halves, 16, values);
            assert_memory_equal(values, plain, sizeof plain);
            variants[v]->narrow_f16(values, 16, (uint8_t *)back);
            for (int i = 0; i < 16; i++)
                assert_true(back[i] == halves[i] ||
                            (isnan(values[i]) && back[i] == (halves[i] | 0x200)));
            variants[v]->widen_bf16((uint8_t *)halves, 16, values);
            variants[v]->narrow_bf16(values, 16, (uint8_t *)back);
            for (int i = 0; i < 16; i++)
                assert_true(back[i] == halves[i] ||
                            (isnan(values[i]) && back[i] == (halves[i] | 0x40)));
        }
    float one;
    static const uint16_t known[] = {0x3C00, 0x0001, 0xFBFF, 0x7C00};
    static const float values[] = {1, 0x1p-24f, -65504, INFINITY};
    for (int i = 0; i < 4; i++) {
        variants[0]->widen_f16((const uint8_t *)&known[i], 1, &one);
        assert_true(one == values[i]);
    }
}

/* Ties go to even, and all variants agree on any bits. */
static void test_rounding(void **state)
{
    (void)state;
    const lxm_dtype_variant *variants[2];
    size_t count = lxm_dtype_variants(variants);
    static const float ties[] = {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 65519.996f,
                                 65520,        0x1p-25f,         0x1.8p-24f};
    static const uint16_t want[] = {0x3C00, 0x3C02, 0x7BFF, 0x7C00, 0, 2};
    for (int i = 0; i < 6; i++) {
        uint16_t half;
        variants[0]->narrow_f16(&ties[i], 1, (uint8_t *)&half);
        assert_int_equal(half, want[i]);
    }
    uint64_t seed = 7;
    for (int round = 0; round < 100000; round++) {
        uint32_t bits[9];
        float values[9];
        uint16_t halves[2][9];
        for (int i = 0; i < 9; i++)
            bits[i] = (uint32_t)unit_random(&seed);
        if (round % 2)
            for (int i = 0; i < 9; i++)
                bits[i] = (bits[i] & 0x87FFF000) | 0x38000000 | (bits[i] & 0x1000);
        memcpy(values, bits, sizeof values);
        for (size_t v = 0; v < count; v++)
            variants[v]->narrow_f16(values, 9, (uint8_t *)halves[v]);
        assert_memory_equal(halves[0], halves[count - 1], sizeof halves[0]);
        for (size_t v = 0; v < count; v++)
            variants[v]->narrow_bf16(values, 9, (uint8_t *)halves[v]);
        assert_memory_equal(halves[0], halves[count - 1], sizeof halves[0]);
    }
}

static void test_int8(void **state)
{
    (void)state;
    static const float row[] = {-2.54f, 0, 1.27f, 0.01f};
    int8_t numbers[4];
    assert_true(lxm_dtype_quantise(row, 4, (uint8_t *)numbers) == 2.54f / 127);
    assert_int_equal(numbers[0], -127);
    assert_int_equal(numbers[2], 63 + 1);
    static const float bad[] = {NAN, 1}, zeros[] = {0, 0};
    assert_true(lxm_dtype_quantise(bad, 2, (uint8_t *)numbers) == 0);
    assert_int_equal(numbers[1], 0);
    assert_true(lxm_dtype_quantise(zeros, 2, (uint8_t *)numbers) == 0);
}

/* What the C library says, in its own locale. */
static void test_decimals_read(void **state)
{
    (void)state;
    lxm_numbers numbers = {0};
    uint64_t seed = 3;
    float value;
    for (int round = 0; round < 300000; round++) {
        char text[64];
        uint64_t random = unit_random(&seed);
        uint32_t bits = (uint32_t)random;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        int length = snprintf(text, sizeof text, random >> 60 & 1 ? "%.*e" : "%.*g",
                              (int)(random >> 32 & 31) % 20, (double)value);
        float got = -1, want = strtof(text, NULL);
        if (!lxm_number_read(&numbers, text, (size_t)length, &got))
            fail_msg("'%s' is not read", text);
        if (memcmp(&got, &want, sizeof got))
            fail_msg("'%s': %a, not %a", text, (double)got, (double)want);
    }
    /* halves of the last digit, and a hair from them */
    static const char *const hard[] = {"1.00000005960464477539062500",
                                       "1.0000000596046448",
                                       "1.000000178813934326171875",
                                       "16777217",
                                       "16777219",
                                       "3.4028236e38",
                                       "1e-46",
                                       "7.006492321624085e-46",
                                       ".5",
                                       "5."};
    for (size_t i = 0; i < unit_count(hard); i++) {
        assert_true(lxm_number_read(&numbers, hard[i], strlen(hard[i]), &value));
        assert_true(value == strtof(hard[i], NULL));
    }
    static const char *const bad[] = {"",    "-",  ".",    "1e",  "1e+",   "0x1",
                                      "1,5", "1 ", "nano", "--1", "1.2.3", "e5"};
    for (size_t i = 0; i < unit_count(bad); i++)
        assert_false(lxm_number_read(&numbers, bad[i], strlen(bad[i]), &value));
    assert_true(lxm_number_read(&numbers, "-Inf", 4, &value) && value == -INFINITY);
    assert_true(lxm_number_read(&numbers, "nan", 3, &value) && isnan(value));
    lxm_numbers_free(&numbers);
}

/* ---- files ---- */

static lxm_status try_open(fixture *f, const void *bytes, size_t length, lxm_table **table)
{
    unit_file_write(f->file, bytes, length);
    f->error = (lxm_error){0};
    return lxm_table_open(table, f->file, NULL, NULL, &f->error);
}

static void expect(const lxm_table *table, uint32_t row, const char *word, float first,
                   float second)
{
    float values[2];
    size_t length;
    assert_int_equal(lxm_table_gather(table, &row, 1, values, NULL), LXM_OK);
    assert_true(values[0] == first && values[1] == second);
    const uint8_t *got = lxm_table_word(table, row, &length);
    assert_non_null(got);
    assert_int_equal(length, strlen(word));
    assert_memory_equal(got, word, length);
}

static const char binary[] =
    "3 2\n</s> \0\0\x80\x3f\0\0\0\x40\n\xC3 \0\0\0\0\0\0\x80\x3f\nten \0\0\x80\xbf\x20\x0a\x20\x0a";

static void test_word2vec(void **state)
{
    fixture *f = *state;
    lxm_table *table;
    unit_succeeds(try_open(f, binary, sizeof binary - 1, &table), &f->error);
    assert_string_equal(lxm_table_format(table), "word2vec");
    expect(table, 0, "</s>", 1, 2);
    expect(table, 1, "\xC3", 0, 1);
    float last;
    memcpy(&last, " \n \n", 4);
    expect(table, 2, "ten", -1, last);
    lxm_table_free(table);
    for (size_t length = 0; length < sizeof binary - 1; length++) {
        assert_int_not_equal(try_open(f, binary, length, &table), LXM_OK);
        assert_null(table);
        assert_ptr_equal(f->error.path, f->file);
    }
}

static void test_text_that_is_read(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text, *format, *second;
    } cases[] = {
        {"2 2\na 1 2\nb -3e-1 4\n", "word2vec-text", "b"},
        {"2 2\na 1 2 \nb -.3 4 ", "word2vec-text", "b"},
        {"2 2\r\na 1 2\r\nb -0.30 4\r\n", "word2vec-text", "b"},
        {"a 1 2\nb -0.3 4\n", "glove", "b"},
        {"a 1 2\n. . . -0.3 4\n", "glove", ". . ."},
        {"7 1 2\n8 -0.3 4\n", "glove", "8"},
        {"a\t1\t2\nb c\t-0.3\t4", "glove", "b c"},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_table *table;
        unit_succeeds(try_open(f, cases[i].text, strlen(cases[i].text), &table), &f->error);
        assert_string_equal(lxm_table_format(table), cases[i].format);
        assert_int_equal(lxm_table_rows(table), 2);
        assert_int_equal(lxm_table_dim(table), 2);
        if (cases[i].text[0] != '7')
            expect(table, 0, "a", 1, 2);
        expect(table, 1, cases[i].second, -0.3f, 4);
        lxm_table_free(table);
    }
}

static void test_text_that_is_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text, *words;
        uint64_t line;
    } cases[] = {
        {"3 2\na 1 2\nb 3 4\n", "too few", 0},
        {"2 2\nabcdefgh 1 2\n", "ends before", 3},
        {"2 2\na 1 2\nb 3 4\nc 5 6\n", "more rows", 4},
        {"2 2\na 1 2\nb 3\n", "a word and 2 numbers", 3},
        {"2 2\na 1 2\n3 4\n", "no word", 3},
        {"2 2\na 1 2\nb 3 x\n", "field 2 of the numbers is 'x'", 3},
        {"aaa 1 2\n\nbbb 3 4\n", "field 2", 2},
        {"a 1 2\nb 3\n", "field 1", 2},
        {"2 0\n", "0 columns", 0},
        {"1 18446744073709551615\na 1\n", "columns", 0},
        {"18446744073709551615 2\na 1 2\n", "too few", 0},
        {"9223372036854775808 2\na 1 2\n", "too few", 0},
        {"99999999999999999999 2\nfoo\n", "field 1", 2},
        {"hello world\n", "neither", 0},
        {"1 2\n", "too few", 0},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        lxm_table *table;
        lxm_status status = try_open(f, cases[i].text, strlen(cases[i].text), &table);
        if (status != LXM_ERROR_FORMAT || !strstr(f->error.message, cases[i].words) ||
            f->error.line != cases[i].line)
            fail_msg("%zu: line %u: %s", i, (unsigned)f->error.line, f->error.message);
        assert_null(table);
    }
}

static size_t make_safetensors(char *bytes, const char *json, const void *data, size_t size)
{
    uint64_t length = strlen(json);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, length);
    memcpy(bytes + 8 + length, data, size);
    return 8 + (size_t)length + size;
}

static void test_narrow_tables(void **state)
{
    fixture *f = *state;
    char bytes[512];
    lxm_table *table;
    static const uint32_t ids[] = {1, 0};
    float values[4];
    static const struct {
        const char *json;
        uint8_t data[24];
        size_t size;
        float want[4];
    } cases[] = {
        {"{\"e\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]}}",
         {0, 0x3C, 0, 0x40, 0, 0xBC, 1, 0},
         8,
         {-1, 0x1p-24f, 1, 2}},
        {"{\"e\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]}}",
         {0x80, 0x3F, 0, 0x40, 0x80, 0xBF, 0, 0},
         8,
         {-1, 0, 1, 2}},
        {"{\"e\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}",
         {1, 2, 0x81, 0},
         4,
         {-127, 0, 1, 2}},
        {"{\"embeddings\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
         "\"scales\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
         {1, 2, 0x81, 0, 0, 0, 0, 0x3F, 0, 0, 0, 0x40},
         12,
         {-254, 0, 0.5f, 1}},
        {"{\"embeddings\":{\"dtype\":\"I8\",\"shape\":[1,2],\"data_offsets\":[0,2]},"
         "\"mapping\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[2,10]},"
         "\"weights\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[10,14]}}",
         {1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0x3C},
         14,
         {1, 2, 2, 4}},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        size_t size = make_safetensors(bytes, cases[i].json, cases[i].data, cases[i].size);
        unit_succeeds(try_open(f, bytes, size, &table), &f->error);
        assert_int_equal(lxm_table_rows(table), 2);
        assert_int_equal(lxm_table_gather(table, ids, 2, values, NULL), LXM_OK);
        assert_memory_equal(values, cases[i].want, sizeof values);
        lxm_table_free(table);
    }
}

static void test_companions_that_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"\"mapping\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[4,12]}",
         "mapping gives id 0"},
        {"\"mapping\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[4,12]}",
         "mapping gives id 0"},
        {"\"weights\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}",
         "weights has not"},
        {"\"weights\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[4,12]}", "not one of"},
        {"\"weights\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]}", "no list"},
        {"\"scales\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}", "scales has not"},
    };
    static const uint8_t data[12] = {1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    for (size_t i = 0; i < unit_count(cases); i++) {
        char json[300], bytes[400];
        lxm_table *table;
        snprintf(json, sizeof json,
                 "{\"embeddings\":{\"dtype\":\"I8\",\"shape\":[1,4],\"data_offsets\":[0,4]},%s}",
                 cases[i][0]);
        size_t size = make_safetensors(bytes, json, data, sizeof data);
        assert_int_not_equal(try_open(f, bytes, size, &table), LXM_OK);
        if (!strstr(f->error.message, cases[i][1]))
            fail_msg("%zu: %s", i, f->error.message);
    }
}

/* ---- conversion ---- */

/* Every form holds the same numbers and words; words come once. */
static void test_conversions(void **state)
{
    fixture *f = *state;
    static const char text[] = "the 0.1 2\nna\xC3\xAFve -3 4e-7\nthe 5 6\n\xFF 7 8\n";
    lxm_table *table, *made;
    unit_succeeds(try_open(f, text, strlen(text), &table), &f->error);
    for (int format = LXM_TABLE_NPY; format <= LXM_TABLE_GLOVE; format++) {
        lxm_convert_options options = {.format = (lxm_table_file)format, .save_vocab = f->vocab};
        lxm_convert_result result;
        lxm_vocab *vocab;
        unit_succeeds(lxm_run_convert(table, &options, f->other, NULL, &result, &f->error),
                      &f->error);
        assert_int_equal(result.rows, 3);
        assert_int_equal(result.duplicates, 1);
        unit_succeeds(lxm_table_open(&made, f->other, NULL, NULL, &f->error), &f->error);
        unit_succeeds(lxm_vocab_open(&vocab, f->vocab, NULL, &f->error), &f->error);
        assert_int_equal(lxm_table_rows(made), 3);
        assert_int_equal(lxm_vocab_find(vocab, "\xFF", 1), 2);
        if (format == LXM_TABLE_SAFETENSORS)
            assert_int_equal(lxm_table_fingerprint(made), lxm_vocab_fingerprint(vocab));
        static const uint32_t rows[] = {0, 1, 3}, all[] = {0, 1, 2};
        float want[6], got[6];
        assert_int_equal(lxm_table_gather(table, rows, 3, want, NULL), LXM_OK);
        assert_int_equal(lxm_table_gather(made, all, 3, got, NULL), LXM_OK);
        assert_memory_equal(got, want, sizeof got);
        if (format >= LXM_TABLE_WORD2VEC)
            expect(made, 2, "\xFF", 7, 8);
        lxm_table_free(made);
        /* and with words from the vocabulary instead */
        if (format == LXM_TABLE_NPY) {
            options = (lxm_convert_options){.format = LXM_TABLE_WORD2VEC, .words = f->vocab};
            unit_succeeds(lxm_table_open(&made, f->other, NULL, NULL, &f->error), &f->error);
            unit_succeeds(lxm_run_convert(made, &options, f->file, NULL, NULL, &f->error),
                          &f->error);
            lxm_table_free(made);
            unit_succeeds(lxm_table_open(&made, f->file, NULL, NULL, &f->error), &f->error);
            expect(made, 2, "\xFF", 7, 8);
            lxm_table_free(made);
        }
        lxm_vocab_free(vocab);
    }
    lxm_table_free(table);
}

static void test_conversions_that_are_refused(void **state)
{
    fixture *f = *state;
    static const char text[] = ". . 0.1 2\nb 3 4\n";
    lxm_table *table;
    lxm_convert_options options = {.format = LXM_TABLE_WORD2VEC};
    unit_succeeds(try_open(f, text, strlen(text), &table), &f->error);
    assert_int_equal(lxm_run_convert(table, &options, f->other, NULL, NULL, &f->error),
                     LXM_ERROR_UNSUPPORTED);
    options.format = LXM_TABLE_GLOVE;
    options.dtype = LXM_DTYPE_F16;
    assert_int_equal(lxm_run_convert(table, &options, f->other, NULL, NULL, &f->error),
                     LXM_ERROR_ARGUMENT);
    options.format = LXM_TABLE_NPY;
    options.dtype = LXM_DTYPE_BF16;
    assert_int_equal(lxm_run_convert(table, &options, f->other, NULL, NULL, &f->error),
                     LXM_ERROR_ARGUMENT);
    lxm_table_free(table);
    lxm_table_options generated = {.rows = 3, .dim = 2};
    options = (lxm_convert_options){.format = LXM_TABLE_VEC};
    unit_succeeds(lxm_table_generate(&table, &generated, NULL, &f->error), &f->error);
    assert_int_equal(lxm_run_convert(table, &options, f->other, NULL, NULL, &f->error),
                     LXM_ERROR_ARGUMENT);
    assert_non_null(strstr(f->error.message, "-V"));
    lxm_table_free(table);
}

static void test_every_allocation(void **state)
{
    fixture *f = *state;
    static const char text[] = "the 0.1 2\nsea 3 4\n";
    for (int format = LXM_TABLE_NPY; format <= LXM_TABLE_GLOVE; format++) {
        unit_allocator allocator;
        unit_allocator_init(&allocator);
        lxm_job job = {.threads = 1, .allocator = &allocator.functions};
        lxm_convert_options options = {.format = (lxm_table_file)format, .save_vocab = f->vocab};
        unit_file_write(f->file, text, strlen(text));
        for (size_t at = 1;; at++) {
            lxm_table *table;
            allocator.calls = 0;
            allocator.fail_at = at;
            lxm_status status = lxm_table_open(&table, f->file, NULL, &allocator.functions, NULL);
            if (!status)
                status = lxm_run_convert(table, &options, f->other, &job, NULL, NULL);
            lxm_table_free(table);
            assert_int_equal(allocator.live, 0);
            assert_true(status == LXM_ERROR_MEMORY || status == LXM_OK);
            if (allocator.calls < at)
                break;
        }
    }
}

/* ---- what files hold ---- */

static void expect_info(fixture *f, const char *path, const char *want)
{
    lxm_output *output;
    size_t length;
    unit_succeeds(lxm_output_open(&output, f->other, NULL, &f->error), &f->error);
    unit_succeeds(lxm_run_info(path, NULL, output, NULL, &f->error), &f->error);
    unit_succeeds(lxm_output_commit(output, &f->error), &f->error);
    char *text = (char *)unit_file_read(f->other, &length);
    assert_string_equal(text, want);
    free(text);
}

static void test_info(void **state)
{
    fixture *f = *state;
    char bytes[400];
    size_t size;
    unit_file_write(f->file, "a 1 nan\nb 2 3\n", 14);
    expect_info(f, f->file,
                "format: glove\nrows: 2\ndim: 2\ndtype: float32\nwords: one a row\n"
                "not finite: 1 rows\nfingerprint: none\n");
    size = make_safetensors(bytes,
                            "{\"x\":{\"dtype\":\"U8\",\"shape\":[1,2,2],\"data_offsets\":[0,4]},"
                            "\"y\\n\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[4,8]}}",
                            "abcdefgh", 8);
    unit_file_write(f->file, bytes, size);
    expect_info(f, f->file, "format: safetensors\ntensor: x U8 [1, 2, 2]\ntensor: y\\x0A I32 []\n");
    unit_file_write(
        f->file, "\x93NUMPY\1\0\x37\0{'descr': '<i8', 'fortran_order': False, 'shape': (0,)}", 65);
    expect_info(f, f->file, "format: npy\narray: <i8 [0]\n");
    lxm_output *output;
    unit_file_write(f->file, "nothing", 7);
    unit_succeeds(lxm_output_open(&output, f->other, NULL, &f->error), &f->error);
    assert_int_equal(lxm_run_info(f->file, NULL, output, NULL, &f->error), LXM_ERROR_FORMAT);
    assert_int_equal(lxm_run_info(f->folder, NULL, output, NULL, &f->error), LXM_ERROR_FORMAT);
    lxm_output_discard(output);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_int8),
        cmocka_unit_test(test_decimals_read),
        TEST(test_word2vec),
        TEST(test_text_that_is_read),
        TEST(test_text_that_is_refused),
        TEST(test_narrow_tables),
        TEST(test_companions_that_are_refused),
        TEST(test_conversions),
        TEST(test_conversions_that_are_refused),
        TEST(test_every_allocation),
        TEST(test_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
