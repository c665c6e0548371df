/* Tables, windows and projection. */
#include <math.h>

#include "unit.h"
#include "embed/gather.h"
#include "embed/random.h"
#include "lexmill/embed.h"

/* ---- tables ---- */

static lxm_table *generate(uint64_t rows, size_t dim, lxm_init init, uint64_t seed)
{
    lxm_table *table;
    lxm_table_options options = {.rows = rows, .dim = dim, .init = init, .seed = seed};
    assert_int_equal(lxm_table_generate(&table, &options, NULL, NULL), LXM_OK);
    return table;
}

static void get_row(const lxm_table *table, uint32_t id, float *values)
{
    assert_int_equal(lxm_table_gather(table, &id, 1, values, NULL), LXM_OK);
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A seed means the same numbers for ever. */
static void test_golden_values(void **state)
{
    (void)state;
    float values[256];
    lxm_table *table = generate(0, 0, LXM_INIT_NORMAL, 0);
    assert_int_equal(lxm_table_dim(table), 256);
    assert_true(lxm_table_rows(table) == LXM_ANY_ROW);
    get_row(table, 0, values);
    assert_int_equal(bits_of(values[0]), 0x3f7dbb31);
    assert_int_equal(bits_of(values[255]), 0xbff579b4);
    get_row(table, UINT32_MAX, values);
    assert_int_equal(bits_of(values[64]), 0x3ebef7c7);
    lxm_table_free(table);
    table = generate(0, 256, LXM_INIT_UNIFORM, 12345678901234567890u);
    get_row(table, 7, values);
    assert_int_equal(bits_of(values[3]), 0x3f27af28);
    lxm_table_free(table);
}

/* Philox4x32-10 gives the known answers of its authors' Random123 library for a zero key and
 * counter; the uniform block shows the first 23 bits of each word. */
static void test_philox_known_answer(void **state)
{
    (void)state;
    static const uint32_t words[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    const lxm_random_variant *variants[4];
    size_t count = lxm_random_variants(variants);
    for (size_t v = 0; v < count; v++) {
        float values[lxm_random_block];
        variants[v]->uniform(0, 0, 0, values);
        for (int word = 0; word < 4; word++) {
            float want = (float)(words[word] >> 8) * 0x1p-23f - 1.0f;
            assert_int_equal(bits_of(values[16 * word]), bits_of(want));
        }
    }
}

/* Every set of instructions gives the same bits. */
static void test_variants_agree(void **state)
{
    (void)state;
    const lxm_random_variant *variants[4];
    size_t count = lxm_random_variants(variants);
    for (uint64_t row = 0; row < 2000; row++)
        for (size_t v = 1; v < count; v++) {
            float want[lxm_random_block], got[lxm_random_block];
            variants[0]->normal(row * 77, row << 30, (uint32_t)row, want);
            variants[v]->normal(row * 77, row << 30, (uint32_t)row, got);
            assert_memory_equal(got, want, sizeof want);
            variants[0]->uniform(row, row, (uint32_t)row, want);
            variants[v]->uniform(row, row, (uint32_t)row, got);
            assert_memory_equal(got, want, sizeof want);
        }
}

/* A row doesn't depend on the table's dim: what is shared is equal. */
static void test_rows_are_prefixes(void **state)
{
    (void)state;
    float wide[300], narrow[300];
    lxm_table *large = generate(0, 300, LXM_INIT_NORMAL, 5);
    get_row(large, 17, wide);
    for (size_t dim = 1; dim < 300; dim += 7) {
        lxm_table *small = generate(0, dim, LXM_INIT_NORMAL, 5);
        get_row(small, 17, narrow);
        assert_memory_equal(narrow, wide, dim * sizeof *wide);
        lxm_table_free(small);
    }
    lxm_table_free(large);
}

/* Moments, tails and the distribution itself (Kolmogorov and Smirnov) of 2^22 values. */
static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void test_normal_is_normal(void **state)
{
    (void)state;
    enum { rows = 4096, dim = 1024, count = rows * dim };
    float *values = malloc(count * sizeof *values);
    lxm_table *table = generate(0, dim, LXM_INIT_NORMAL, 99);
    double sums[5] = {0};
    size_t beyond_three = 0, beyond_four = 0;
    for (uint32_t row = 0; row < rows; row++)
        get_row(table, row, values + (size_t)row * dim);
    for (size_t i = 0; i < count; i++) {
        double x = values[i], power = 1;
        for (int k = 1; k <= 4; k++)
            sums[k] += power *= x;
        beyond_three += fabs(x) > 3;
        beyond_four += fabs(x) > 4;
    }
    assert_true(fabs(sums[1] / count) < 0.002);
    assert_true(fabs(sums[2] / count - 1) < 0.003);
    assert_true(fabs(sums[3] / count) < 0.005);
    assert_true(fabs(sums[4] / count - 3) < 0.02);
    assert_true(fabs((double)beyond_three / count - 0.0026998) < 0.0001);
    assert_true(fabs((double)beyond_four / count - 6.334e-5) < 1.6e-5);
    qsort(values, count, sizeof *values, by_value);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double distance = fabs(0.5 * erfc(-values[i] / sqrt(2)) - (double)i / count);
        most = distance > most ? distance : most;
    }
    assert_true(most * sqrt(count) < 1.63); /* the bound for 1 % */
    lxm_table_free(table);
    free(values);
}

/* Neighbours in a row, and rows that follow one another, aren't related. */
static void test_normal_is_independent(void **state)
{
    (void)state;
    enum { rows = 2048, dim = 256 };
    float(*values)[dim] = malloc(rows * sizeof *values);
    lxm_table *table = generate(0, dim, LXM_INIT_NORMAL, 3);
    for (uint32_t row = 0; row < rows; row++)
        get_row(table, row, values[row]);
    static const int lags[] = {1, 15, 16, 17, 32, 48, 63, 64};
    for (size_t l = 0; l < sizeof lags / sizeof *lags; l++) {
        double columns = 0, between = 0;
        for (int row = 0; row + 1 < rows; row++)
            for (int i = 0; i + lags[l] < dim; i++) {
                columns += (double)values[row][i] * values[row][i + lags[l]];
                between += (double)values[row][i] * values[row + 1][i + lags[l] - 1];
            }
        double deviation = sqrt((double)(rows - 1) * (dim - lags[l]));
        assert_true(fabs(columns) < 4 * deviation);
        assert_true(fabs(between) < 4 * deviation);
    }
    lxm_table_free(table);
    free(values);
}

static void test_other_initialisations(void **state)
{
    (void)state;
    float values[1000];
    double sum = 0;
    lxm_table *table = generate(0, 1000, LXM_INIT_UNIFORM, 1);
    for (uint32_t row = 0; row < 1000; row++) {
        get_row(table, row, values);
        for (int i = 0; i < 1000; i++) {
            assert_true(values[i] >= -1 && values[i] < 1);
            sum += values[i];
        }
    }
    assert_true(fabs(sum / 1e6) < 0.002);
    lxm_table_free(table);

    table = generate(0, 5, LXM_INIT_ZEROS, 1);
    get_row(table, 3, values);
    for (int i = 0; i < 5; i++)
        assert_true(values[i] == 0);
    lxm_table_free(table);

    table = generate(0, 100, LXM_INIT_ONE_HOT, 1);
    get_row(table, 170, values);
    for (int i = 0; i < 100; i++)
        assert_true(values[i] == (i == 70));
    lxm_table_free(table);
}

static void test_sinusoidal(void **state)
{
    (void)state;
    float values[64];
    for (size_t dim = 1; dim <= 64; dim += 9) {
        lxm_table *table;
        assert_int_equal(lxm_table_sinusoidal(&table, 5000, dim, NULL, NULL), LXM_OK);
        for (uint32_t p = 0; p < 5000; p += 7) {
            get_row(table, p, values);
            for (size_t i = 0; i < dim; i++) {
                double angle = p / pow(10000, (double)(i - i % 2) / (double)dim);
                assert_true(fabs(values[i] - (i % 2 ? cos(angle) : sin(angle))) < 1e-7);
            }
        }
        lxm_table_free(table);
    }
    lxm_table *table;
    assert_int_equal(lxm_table_sinusoidal(&table, 0, 4, NULL, NULL), LXM_ERROR_ARGUMENT);
}

static void test_an_id_without_a_row(void **state)
{
    (void)state;
    static const uint32_t ids[] = {0, 5, 2, 6, 7};
    float values[15];
    lxm_error error;
    lxm_table *table = generate(6, 3, LXM_INIT_NORMAL, 1);
    assert_int_equal(lxm_table_gather(table, ids, 5, values, &error), LXM_ERROR_ID);
    assert_int_equal(error.offset, 3);
    assert_non_null(strstr(error.message, "id 6"));
    assert_int_equal(lxm_table_gather(table, ids, 3, values, &error), LXM_OK);
    lxm_table_free(table);
}

static void test_any_dim(void **state)
{
    (void)state;
    static const size_t dims[] = {1, 2, 63, 64, 65, 767, 768, 12288, 100001};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        float *values = malloc(dims[i] * sizeof *values);
        lxm_table *table = generate(0, dims[i], LXM_INIT_NORMAL, 0);
        get_row(table, 1, values);
        assert_true(isfinite(values[dims[i] - 1]) && values[dims[i] - 1] != 0);
        lxm_table_free(table);
        free(values);
    }
}

/* ---- windows ---- */

typedef struct seen {
    size_t context, count, batches, last_batch;
    uint32_t inputs[200], targets[200], last_input[8], last_target[8];
    uint8_t mask[200];
    bool has_targets, has_mask;
    lxm_status fail;
} seen;

static lxm_status see(void *context, const lxm_window_batch *batch, lxm_error *error)
{
    (void)error;
    seen *s = context;
    s->has_targets = batch->targets != NULL;
    s->has_mask = batch->mask != NULL;
    for (size_t w = 0; w < batch->count; w++)
        for (size_t i = 0; i < s->context; i++) {
            size_t from = w * s->context + i, to = s->count * s->context + from;
            if (i < 8) {
                s->last_input[i] = batch->inputs[from];
                s->last_target[i] = batch->targets ? batch->targets[from] : 0;
            }
            if (to >= 200)
                continue;
            s->inputs[to] = batch->inputs[from];
            s->targets[to] = batch->targets ? batch->targets[from] : 0;
            s->mask[to] = batch->mask ? batch->mask[from] : 0;
        }
    s->count += batch->count;
    s->batches++;
    s->last_batch = batch->count;
    return s->fail;
}

/* Cuts documents 0, 1, 2, ... of the lengths given (0 ends them), `piece` ids a push. */
static uint64_t cut(const lxm_window_options *options, size_t batch, const size_t *lengths,
                    size_t piece, seen *s)
{
    lxm_windows *windows;
    *s = (seen){.context = options->context};
    lxm_window_sink sink = {see, s};
    assert_int_equal(lxm_windows_new(&windows, options, batch, &sink, NULL, NULL), LXM_OK);
    for (; *lengths; lengths++) {
        uint32_t ids[64];
        for (size_t at = 0; at < *lengths;) {
            size_t n = 0;
            while (n < piece && at < *lengths)
                ids[n++] = (uint32_t)at++;
            assert_int_equal(lxm_windows_push(windows, ids, n, NULL), LXM_OK);
        }
        assert_int_equal(lxm_windows_end_document(windows, NULL), LXM_OK);
    }
    assert_int_equal(lxm_windows_finish(windows, NULL), LXM_OK);
    uint64_t unused = lxm_windows_unused(windows);
    lxm_windows_free(windows);
    return unused;
}

/* The book's windows over the 5,145 ids of its story. */
static void test_windows_of_the_book(void **state)
{
    (void)state;
    static const struct {
        size_t context, stride, batch, windows, whole;
    } cases[] = {{4, 1, 8, 5141, 642}, {4, 4, 8, 1286, 160}, {256, 128, 4, 39, 9}};
    static const size_t lengths[] = {5145, 0};
    for (size_t i = 0; i < 3; i++)
        for (size_t piece = 1; piece <= 64; piece *= 4) {
            lxm_window_options options = {
                .context = cases[i].context, .stride = cases[i].stride, .targets = true};
            static seen s;
            cut(&options, cases[i].batch, lengths, piece, &s);
            assert_int_equal(s.count, cases[i].windows);
            size_t whole = s.last_batch == cases[i].batch ? s.batches : s.batches - 1;
            assert_int_equal(whole, cases[i].whole);
            assert_int_equal(s.inputs[0], 0);
            assert_int_equal(s.targets[3], 4);
        }
}

/* Every window by the rule itself: i = 0, stride, ... while i + context (+ 1) ids are there. */
static void test_windows_by_the_rule(void **state)
{
    (void)state;
    static seen s;
    for (size_t context = 1; context <= 5; context++)
        for (size_t stride = 1; stride <= 9; stride++)
            for (size_t length = 1; length <= 24; length++)
                for (int targets = 0; targets < 2; targets++) {
                    lxm_window_options options = {
                        .context = context, .stride = stride, .targets = targets};
                    size_t lengths[] = {length, 0}, count = 0, used = 0;
                    uint64_t unused = cut(&options, 3, lengths, 1 + length % 7, &s);
                    bool stands[32] = {false};
                    for (size_t i = 0; i + context + (size_t)targets <= length; i += stride) {
                        for (size_t j = 0; j < context && count * context + j < 200; j++) {
                            assert_int_equal(s.inputs[count * context + j], i + j);
                            if (targets)
                                assert_int_equal(s.targets[count * context + j], i + j + 1);
                        }
                        for (size_t j = 0; j < context + (size_t)targets; j++)
                            stands[i + j] = true;
                        count++;
                    }
                    for (size_t i = 0; i < length; i++)
                        used += stands[i];
                    assert_int_equal(s.count, count);
                    assert_int_equal(unused, length - used);
                }
}

static void test_windows_end_with_their_document(void **state)
{
    (void)state;
    static seen s;
    static const size_t lengths[] = {5, 3, 4, 0};
    lxm_window_options options = {.context = 4};
    assert_int_equal(cut(&options, 10, lengths, 64, &s), 4);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.inputs[4], 0);
    assert_false(s.has_targets);
    assert_false(s.has_mask);
}

static void test_padding(void **state)
{
    (void)state;
    static seen s;
    static const size_t lengths[] = {6, 2, 1, 0};
    lxm_window_options options = {.context = 4, .pad = true, .pad_id = 99};
    assert_int_equal(cut(&options, 10, lengths, 64, &s), 0);
    assert_int_equal(s.count, 4);
    static const uint32_t inputs[] = {0, 1, 2, 3, 4, 5, 99, 99, 0, 1, 99, 99, 0, 99, 99, 99};
    static const uint8_t mask[] = {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0};
    assert_memory_equal(s.inputs, inputs, sizeof inputs);
    assert_memory_equal(s.mask, mask, sizeof mask);
}

/* With targets a row of the mask says that there is a pair: the last id is a target alone. */
static void test_padding_with_targets(void **state)
{
    (void)state;
    static seen s;
    static const size_t lengths[] = {7, 5, 4, 1, 0};
    lxm_window_options options = {.context = 4, .targets = true, .pad = true, .pad_id = 99};
    assert_int_equal(cut(&options, 10, lengths, 64, &s), 1);
    assert_int_equal(s.count, 4);
    static const uint32_t inputs[] = {0, 1, 2, 3, 4, 5, 99, 99, 0, 1, 2, 3, 0, 1, 2, 99};
    static const uint32_t targets[] = {1, 2, 3, 4, 5, 6, 99, 99, 1, 2, 3, 4, 1, 2, 3, 99};
    static const uint8_t mask[] = {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0};
    assert_memory_equal(s.inputs, inputs, sizeof inputs);
    assert_memory_equal(s.targets, targets, sizeof targets);
    assert_memory_equal(s.mask, mask, sizeof mask);
}

static void test_windows_that_make_no_sense(void **state)
{
    (void)state;
    lxm_windows *windows;
    lxm_window_sink sink = {see, NULL};
    assert_int_equal(lxm_windows_new(&windows, &(lxm_window_options){0}, 1, &sink, NULL, NULL),
                     LXM_ERROR_ARGUMENT);
    lxm_window_options options = {.context = SIZE_MAX / 2};
    assert_int_equal(lxm_windows_new(&windows, &options, 8, &sink, NULL, NULL), LXM_ERROR_LIMIT);
    assert_null(windows);
}

static void test_a_sink_that_fails_ends_it(void **state)
{
    (void)state;
    static seen s;
    s = (seen){.context = 2, .fail = LXM_ERROR_IO};
    lxm_windows *windows;
    lxm_window_sink sink = {see, &s};
    lxm_window_options options = {.context = 2};
    assert_int_equal(lxm_windows_new(&windows, &options, 1, &sink, NULL, NULL), LXM_OK);
    static const uint32_t ids[] = {1, 2, 3, 4};
    assert_int_equal(lxm_windows_push(windows, ids, 4, NULL), LXM_ERROR_IO);
    assert_int_equal(s.batches, 1);
    lxm_windows_free(windows);
}

/* ---- projection ---- */

/* Small and large gathers, rows of any length, to any address: what the rows are. */
static void test_gather_variants_agree(void **state)
{
    (void)state;
    enum { rows = 40, bytes = 17 << 20 };
    static const size_t dims[] = {1, 7, 16, 37, 300, 1000};
    const lxm_gather_variant *variants[2];
    size_t found = lxm_gather_variants(variants);
    float *vectors = malloc(bytes + 64), row[1000];
    uint32_t *ids = malloc(bytes / sizeof(float) * sizeof *ids);
    assert_non_null(vectors);
    assert_non_null(ids);
    uint64_t seed = 5;
    for (size_t i = 0; i < bytes / sizeof(float); i++)
        ids[i] = (uint32_t)(unit_random(&seed) % rows);
    for (size_t d = 0; d < unit_count(dims); d++) {
        lxm_table *table;
        lxm_table_options options = {.rows = rows, .dim = dims[d], .init = LXM_INIT_TORCH};
        assert_int_equal(lxm_table_generate(&table, &options, NULL, NULL), LXM_OK);
        assert_true(lxm_table_is_plain(table));
        size_t most = bytes / sizeof(float) / dims[d], counts[] = {0, 1, 9, most};
        for (size_t v = 0; v < found; v++)
            for (size_t c = 0; c < unit_count(counts); c++) {
                float *to = vectors + (d + v * 3) % 16;
                lxm_gather_rows(variants[v], table, ids, counts[c], to);
                for (size_t i = 0; i < counts[c]; i++) {
                    if (i % 17 && i + 40 < counts[c])
                        continue;
                    lxm_table_row(table, ids[i], row);
                    assert_memory_equal(to + i * dims[d], row, dims[d] * sizeof *row);
                }
            }
        lxm_table_free(table);
    }
    free(ids);
    free(vectors);
}

static void test_projection_adds_positions(void **state)
{
    (void)state;
    enum { dim = 700, context = 3, windows = 2 };
    static const uint32_t ids[] = {4, 4, 9, 1, 0, 7};
    static const uint8_t mask[] = {1, 1, 1, 1, 0, 0};
    static float got[windows * context][dim], row[dim], position[dim];
    lxm_table *table = generate(10, dim, LXM_INIT_NORMAL, 1);
    lxm_table *positions = generate(context, dim, LXM_INIT_UNIFORM, 2);
    assert_int_equal(lxm_project(table, positions, ids, mask, windows, context, got[0], NULL),
                     LXM_OK);
    for (int w = 0; w < windows * context; w++) {
        get_row(table, ids[w], row);
        get_row(positions, (uint32_t)(w % context), position);
        for (int i = 0; i < dim; i++)
            assert_true(got[w][i] == (mask[w] ? row[i] + position[i] : 0));
    }
    lxm_table *narrow = generate(context, 8, LXM_INIT_UNIFORM, 2);
    lxm_table *few = generate(2, dim, LXM_INIT_UNIFORM, 2);
    assert_int_equal(lxm_project(table, narrow, ids, NULL, 2, 3, got[0], NULL), LXM_ERROR_ARGUMENT);
    assert_int_equal(lxm_project(table, few, ids, NULL, 2, 3, got[0], NULL), LXM_ERROR_ARGUMENT);
    assert_int_equal(lxm_project(table, NULL, ids, NULL, 2, 0, got[0], NULL), LXM_ERROR_ARGUMENT);
    assert_int_equal(lxm_project(table, NULL, ids, NULL, SIZE_MAX, 3, got[0], NULL),
                     LXM_ERROR_LIMIT);
    lxm_table_free(table);
    lxm_table_free(positions);
    lxm_table_free(narrow);
    lxm_table_free(few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_values),
        cmocka_unit_test(test_philox_known_answer),
        cmocka_unit_test(test_variants_agree),
        cmocka_unit_test(test_rows_are_prefixes),
        cmocka_unit_test(test_normal_is_normal),
        cmocka_unit_test(test_normal_is_independent),
        cmocka_unit_test(test_other_initialisations),
        cmocka_unit_test(test_sinusoidal),
        cmocka_unit_test(test_an_id_without_a_row),
        cmocka_unit_test(test_any_dim),
        cmocka_unit_test(test_windows_of_the_book),
        cmocka_unit_test(test_windows_by_the_rule),
        cmocka_unit_test(test_windows_end_with_their_document),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_padding_with_targets),
        cmocka_unit_test(test_windows_that_make_no_sense),
        cmocka_unit_test(test_a_sink_that_fails_ends_it),
        cmocka_unit_test(test_gather_variants_agree),
        cmocka_unit_test(test_projection_adds_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
