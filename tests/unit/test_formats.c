/* Table files as they come, hostile ones included, and decimals. */
#define _GNU_SOURCE
#include <math.h>
#include <unistd.h>

#include "unit.h"
#include "formats/npy.h"
#include "formats/vectors.h"

static char path[] = "test_formats.XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The status of opening what was written; a refused file must leave no table, and one line that
 * holds `words`. */
static lxm_status try_open(const char *tensor, const char *words)
{
    lxm_table *table;
    lxm_error error = {0};
    lxm_status status = lxm_table_open(&table, path, tensor, NULL, &error);
    if (status) {
        assert_null(table);
        assert_ptr_equal(error.path, path);
        assert_null(strchr(error.message, '\n'));
        if (!strstr(error.message, words))
            fail_msg("'%s' not in '%s'", words, error.message);
    }
    lxm_table_free(table);
    return status;
}

/* ---- .npy ---- */

/* An .npy file of some version around a dict and `floats` floats 0, 1, 2, ...; returns its size. */
static size_t make_npy(char *bytes, int version, const char *dict, size_t floats)
{
    size_t prefix = version == 1 ? 10 : 12, length = strlen(dict);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (char)version;
    bytes[7] = 0;
    for (size_t i = 8; i < prefix; i++)
        bytes[i] = (char)(length >> 8 * (i - 8));
    memcpy(bytes + prefix, dict, length);
    for (size_t i = 0; i < floats; i++) {
        float value = (float)i;
        memcpy(bytes + prefix + length + 4 * i, &value, sizeof value);
    }
    return prefix + length + 4 * floats;
}

static lxm_status try_npy(int version, const char *dict, size_t floats, const char *words)
{
    char bytes[1024];
    write_file(bytes, make_npy(bytes, version, dict, floats));
    return try_open(NULL, words);
}

static void test_npy_that_is_read(void **state)
{
    (void)state;
    static const char *const dicts[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
        "{\"shape\":(2,3,),\"fortran_order\":False,\"descr\":\"<f4\"}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L)}\n",
    };
    for (size_t i = 0; i < 3; i++)
        for (int version = 1; version <= 3; version++) {
            char bytes[256];
            lxm_table *table;
            write_file(bytes, make_npy(bytes, version, dicts[i], 6));
            assert_int_equal(lxm_table_open(&table, path, NULL, NULL, NULL), LXM_OK);
            assert_int_equal(lxm_table_rows(table), 2);
            assert_int_equal(lxm_table_dim(table), 3);
            assert_string_equal(lxm_table_format(table), "npy");
            uint32_t ids[] = {1, 0};
            float values[6];
            assert_int_equal(lxm_table_gather(table, ids, 2, values, NULL), LXM_OK);
            assert_true(values[0] == 3 && values[2] == 5 && values[3] == 0 && values[5] == 2);
            ids[0] = 2;
            assert_int_equal(lxm_table_gather(table, ids, 1, values, NULL), LXM_ERROR_ID);
            lxm_table_free(table);
        }
    assert_int_equal(try_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", 0, ""),
                     LXM_OK);
}

static void test_npy_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        size_t floats;
        lxm_status status;
        const char *words;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 5, LXM_ERROR_FORMAT,
         "20 bytes of data are not the 2 x 3"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 7, LXM_ERROR_FORMAT,
         "28 bytes"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 6, LXM_ERROR_UNSUPPORTED,
         "Fortran order"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", 12, LXM_ERROR_UNSUPPORTED,
         "'<f8', not '<f4'"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", 6, LXM_ERROR_UNSUPPORTED,
         "'>f4'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", 6, LXM_ERROR_FORMAT,
         "1 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 1, LXM_ERROR_FORMAT,
         "0 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", 6, LXM_ERROR_FORMAT,
         "3 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", 6, LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }", 0, LXM_ERROR_FORMAT,
         "no columns"},
        /* products that overflow 64 bits, also to what the file really holds */
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0,
         LXM_ERROR_FORMAT, "0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0,
         LXM_ERROR_FORMAT, "0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1), }", 6,
         LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", 6, LXM_ERROR_FORMAT,
         "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, }", 6, LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 6, LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", 6, LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': False}", 6, LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 6,
         LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", 6,
         LXM_ERROR_FORMAT, "dict"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", 6, LXM_ERROR_FORMAT,
         "dict"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} __import__('os')", 6,
         LXM_ERROR_FORMAT, "dict"},
        {"{'descr': '<f4", 6, LXM_ERROR_FORMAT, "dict"},
        {"", 6, LXM_ERROR_FORMAT, "dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(try_npy(1, cases[i].dict, cases[i].floats, cases[i].words),
                         cases[i].status);
    assert_int_equal(try_npy(4, "{}", 6, "version 4.0"), LXM_ERROR_FORMAT);
    assert_int_equal(try_open("name", "version"), LXM_ERROR_FORMAT);
}

/* Every prefix of a good file is refused, and so is every one with a byte more. */
static void test_npy_cut_anywhere(void **state)
{
    (void)state;
    char bytes[256];
    size_t size =
        make_npy(bytes, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", 6);
    for (size_t length = 0; length < size; length++) {
        write_file(bytes, length);
        assert_int_not_equal(try_open(NULL, ""), LXM_OK);
    }
    write_file(bytes, size + 1);
    assert_int_equal(try_open(NULL, "bytes"), LXM_ERROR_FORMAT);
    write_file(bytes, size);
    assert_int_equal(try_open("weight", "no tensor names"), LXM_ERROR_ARGUMENT);
}

static void test_npy_header_too_long(void **state)
{
    (void)state;
    static char bytes[20000] = "\x93NUMPY\x02";
    bytes[8] = 0x11;
    bytes[9] = 0x27; /* 10,001 */
    write_file(bytes, sizeof bytes);
    assert_int_equal(try_open(NULL, "10001 bytes"), LXM_ERROR_LIMIT);
    bytes[11] = (char)0xff;
    write_file(bytes, sizeof bytes);
    assert_int_equal(try_open(NULL, "bytes"), LXM_ERROR_LIMIT);
}

/* ---- .safetensors ---- */

static size_t make_safetensors(char *bytes, const char *json, size_t data)
{
    size_t length = strlen(json);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> 8 * i);
    memcpy(bytes + 8, json, length);
    for (size_t i = 0; i < data; i++)
        bytes[8 + length + i] = (char)i;
    return 8 + length + data;
}

static lxm_status try_safetensors(const char *json, size_t data, const char *tensor,
                                  const char *words)
{
    char bytes[2048];
    write_file(bytes, make_safetensors(bytes, json, data));
    return try_open(tensor, words);
}

#define TABLE(name, start, end)                                                                    \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[" #start "," #end "]}"

static void test_safetensors_that_is_read(void **state)
{
    (void)state;
    assert_int_equal(try_safetensors("{" TABLE("a", 0, 24) "}", 24, NULL, ""), LXM_OK);
    assert_int_equal(try_safetensors("{" TABLE("a", 0, 24) "}   ", 24, "a", ""), LXM_OK);
    assert_int_equal(
        try_safetensors("{" TABLE("b", 24, 48) "," TABLE("embeddings", 0, 24) "}", 48, NULL, ""),
        LXM_OK);
    assert_int_equal(try_safetensors("{" TABLE("a", 24, 48) "," TABLE("b", 0, 24) "}", 48, "b", ""),
                     LXM_OK);
    assert_int_equal(
        try_safetensors("{" TABLE("wte.weight", 0, 24) ",\"bias\":{\"dtype\":\"U8\","
                                                       "\"shape\":[3],\"data_offsets\":[24,27]}}",
                        27, NULL, ""),
        LXM_OK);
    char bytes[512];
    lxm_table *table;
    write_file(bytes, make_safetensors(
                          bytes,
                          "{\"__metadata__\":{\"lexmill.fingerprint\":\"00000000deadbeef\"}," TABLE(
                              "x", 0, 24) "}",
                          24));
    assert_int_equal(lxm_table_open(&table, path, NULL, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_table_fingerprint(table), 0xdeadbeef);
    assert_int_equal(lxm_table_rows(table), 2);
    assert_string_equal(lxm_table_format(table), "safetensors");
    lxm_table_free(table);
}

static void test_safetensors_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t data;
        const char *tensor;
        lxm_status status;
        const char *words;
    } cases[] = {
        {"{" TABLE("a", 0, 24) "}", 23, NULL, LXM_ERROR_FORMAT, "cut"},
        {"{" TABLE("a", 0, 24) "}", 25, NULL, LXM_ERROR_FORMAT, "1 bytes belong to no tensor"},
        {"{" TABLE("a", 0, 20) "}", 20, NULL, LXM_ERROR_FORMAT, "shape and dtype"},
        {"{" TABLE("a", 4, 28) "}", 28, NULL, LXM_ERROR_FORMAT, "hole"},
        {"{" TABLE("a", 0, 24) "," TABLE("b", 20, 44) "}", 44, NULL, LXM_ERROR_FORMAT, "overlap"},
        {"{" TABLE("a", 0, 24) "," TABLE("b", 0, 24) "}", 24, NULL, LXM_ERROR_FORMAT, "overlap"},
        {"{" TABLE("a", 0, 24) "," TABLE("b", 28, 52) "}", 52, NULL, LXM_ERROR_FORMAT, "hole"},
        {"{" TABLE("a", 24, 0) "}", 24, NULL, LXM_ERROR_FORMAT, "data_offsets"},
        {"{" TABLE("a", 0, 24) "," TABLE("b", 24, 48) "}", 48, NULL, LXM_ERROR_FORMAT, "--tensor"},
        {"{" TABLE("a", 0, 24) "}", 24, "b", LXM_ERROR_FORMAT, "no tensor 'b'"},
        {"{" TABLE("a", 0, 24) "," TABLE("a", 24, 48) "}", 48, NULL, LXM_ERROR_FORMAT, "header"},
        {"{\"a\":{\"dtype\":\"I16\",\"shape\":[2,6],\"data_offsets\":[0,24]}}", 24, NULL,
         LXM_ERROR_UNSUPPORTED, "I16, not F32"},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[2,6],\"data_offsets\":[0,24]}}", 24, NULL,
         LXM_ERROR_UNSUPPORTED, "F4, not F32"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", 24, "a",
         LXM_ERROR_FORMAT, "1 dimensions"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0,0],\"data_offsets\":[0,0]}}", 0, NULL,
         LXM_ERROR_FORMAT, "no columns"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         NULL, LXM_ERROR_FORMAT, "shape and dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0,
         NULL, LXM_ERROR_FORMAT, "shape and dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2,3],\"data_offsets\":[0,24]}}", 24, NULL,
         LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0,3],\"data_offsets\":[0,24]}}", 24, NULL,
         LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0]}}", 24, NULL,
         LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3]}}", 24, NULL, LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":{\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24, NULL, LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":{\"dtype\":4,\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24, NULL,
         LXM_ERROR_FORMAT, "lacks"},
        {"{\"a\":[]}", 0, NULL, LXM_ERROR_FORMAT, "lacks"},
        {"{}", 0, NULL, LXM_ERROR_FORMAT, "--tensor"},
        {"{", 0, NULL, LXM_ERROR_FORMAT, "header"},
        {"{\"__metadata__\":{\"lexmill.fingerprint\":\"beef\"}," TABLE("a", 0, 24) "}", 24, NULL,
         LXM_ERROR_FORMAT, "16 hexadecimal digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            try_safetensors(cases[i].json, cases[i].data, cases[i].tensor, cases[i].words),
            cases[i].status);
}

static void test_safetensors_cut_anywhere(void **state)
{
    (void)state;
    char bytes[256];
    size_t size = make_safetensors(bytes, "{" TABLE("a", 0, 24) "}", 24);
    for (size_t length = 0; length < size; length++) {
        write_file(bytes, length);
        assert_int_not_equal(try_open(NULL, ""), LXM_OK);
    }
    bytes[3] = 0x7f; /* a header of 2 GB */
    write_file(bytes, size);
    assert_int_equal(try_open(NULL, "at most 100000000"), LXM_ERROR_LIMIT);
    memset(bytes, 0xff, 8);
    write_file(bytes, size);
    assert_int_equal(try_open(NULL, "at most 100000000"), LXM_ERROR_LIMIT);
    memset(bytes, 0, 8);
    bytes[3] = 1; /* 16 MB, which aren't there */
    write_file(bytes, size);
    assert_int_equal(try_open(NULL, "cut"), LXM_ERROR_FORMAT);
}

/* A flipped bit never crashes, and what is read stays in the file. */
static void test_flipped_bits(void **state)
{
    (void)state;
    char bytes[256];
    size_t size = make_safetensors(bytes, "{" TABLE("a", 0, 24) "}", 24);
    for (size_t bit = 0; bit < 8 * (size - 24); bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_file(bytes, size);
        (void)try_open(NULL, "");
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void test_other_files(void **state)
{
    (void)state;
    write_file("", 0);
    assert_int_equal(try_open(NULL, "empty"), LXM_ERROR_FORMAT);
    write_file("hello, world\n", 13);
    assert_int_equal(try_open(NULL, "neither"), LXM_ERROR_FORMAT);
    lxm_table *table;
    lxm_error error;
    assert_int_equal(lxm_table_open(&table, "no/such/file", NULL, NULL, &error), LXM_ERROR_IO);
    assert_int_equal(lxm_table_open(&table, ".", NULL, NULL, &error), LXM_ERROR_FORMAT);
    assert_null(table);
}

/* ---- decimals ---- */

static const char *text_of(float value)
{
    static char text[lxm_float_size + 1];
    size_t length = lxm_float_text(value, text);
    assert_true(length <= lxm_float_size);
    text[length] = '\0';
    return text;
}

static void test_decimals(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.0f, "0"},
        {-0.0f, "-0"},
        {1.0f, "1"},
        {-1.5f, "-1.5"},
        {0.1f, "0.1"},
        {0.3f, "0.3"},
        {100.0f, "100"},
        {123456.0f, "123456"},
        {16777216.0f, "16777216"},
        {999999999.0f, "1e+09"},
        {0.0001f, "0.0001"},
        {0.00001f, "1e-05"},
        {3.4028235e38f, "3.4028235e+38"},
        {1.17549435e-38f, "1.1754944e-38"},
        {1e-45f, "1e-45"},
        {-2.0769187e-34f, "-2.0769187e-34"},
        {8388608.0f, "8388608"},
        {9007199254740992.0f, "9.007199e+15"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(text_of(cases[i].value), cases[i].text);
}

/* How many digits a decimal has, without zeros at either end. */
static int digits_of(const char *text)
{
    int count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && count == 0))
            continue;
        count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

/* Every decimal reads back as the same float, and none with a digit less does. */
static void test_decimals_are_shortest(void **state)
{
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 200000; i++) {
        bits = bits * 1664525u + 1013904223u;
        uint32_t pattern = i < 512 ? (uint32_t)i << 23 : bits; /* powers of two first */
        float value, back;
        char shorter[40];
        memcpy(&value, &pattern, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        const char *text = text_of(value);
        back = strtof(text, NULL);
        assert_memory_equal(&back, &value, sizeof value);
        int digits = digits_of(text);
        if (digits > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", digits - 2, (double)value);
            back = strtof(shorter, NULL);
            assert_true(back != value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_that_is_read),
        cmocka_unit_test(test_npy_that_is_refused),
        cmocka_unit_test(test_npy_cut_anywhere),
        cmocka_unit_test(test_npy_header_too_long),
        cmocka_unit_test(test_safetensors_that_is_read),
        cmocka_unit_test(test_safetensors_that_is_refused),
        cmocka_unit_test(test_safetensors_cut_anywhere),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_decimals_are_shortest),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
