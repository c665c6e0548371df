/* The nearest rows: exactly those that comparing every pair in double precision gives, with the
 * same scores, for any table, any number of threads and on any processor. Without OpenBLAS the
 * program is skipped. */
#include <float.h>
#include <math.h>

#include "embed/near_kernels.h"
#include "embed/table.h"
#include "unit.h"

enum { skipped = 77 };

static uint64_t random_state = 1;

/* About normal. */
static float random_value(void)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)(unit_random(&random_state) >> 40) / 0x1p24 - 0.5;
    return (float)sum;
}

static lxm_table *make_table(size_t rows, size_t dim, float **values)
{
    lxm_error error = {0};
    lxm_table *table = lxm_table_allocate(NULL, rows, dim);
    assert_non_null(table);
    unit_succeeds(lxm_table_store(table, values, &error), &error);
    for (size_t i = 0; i < rows * dim; i++)
        (*values)[i] = random_value();
    return table;
}

static float *make_vectors(size_t count, size_t dim)
{
    float *vectors = malloc(count * dim * sizeof *vectors);
    assert_non_null(vectors);
    for (size_t i = 0; i < count * dim; i++)
        vectors[i] = random_value();
    return vectors;
}

/* ---- every pair compared ---- */

typedef struct pair {
    float score;
    uint32_t id;
} pair;

static int by_score(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* All rows that can be found, the nearest first; how many. */
static size_t rank_all(const lxm_table *table, const float *query, lxm_metric metric, pair *pairs)
{
    const lxm_near_kernels *kernels[3];
    (void)lxm_near_variants(kernels);
    size_t dim = lxm_table_dim(table), count = 0;
    float *row = malloc(dim * sizeof *row);
    assert_non_null(row);
    double square = kernels[0]->dot(query, query, dim);
    for (uint32_t id = 0; id < lxm_table_rows(table); id++) {
        lxm_table_row(table, id, row);
        double row_square = kernels[0]->dot(row, row, dim);
        double score = kernels[0]->dot(query, row, dim);
        if (!isfinite(row_square) || (metric == LXM_METRIC_COSINE && row_square == 0))
            continue;
        if (metric == LXM_METRIC_COSINE)
            score = fmax(-1, fmin(1, score / sqrt(square * row_square)));
        pairs[count++] = (pair){(float)score, id};
    }
    free(row);
    qsort(pairs, count, sizeof *pairs, by_score);
    return isfinite(square) && square > 0 ? count : 0;
}

static void check_found(const lxm_table *table, const float *queries, size_t count,
                        const lxm_nearest_options *options, const lxm_neighbours *found)
{
    pair *pairs = malloc(((size_t)lxm_table_rows(table) + 1) * sizeof *pairs);
    assert_non_null(pairs);
    for (size_t i = 0; i < count; i++) {
        size_t there = rank_all(table, queries + i * lxm_table_dim(table), options->metric, pairs);
        for (size_t j = 0; j < options->k; j++) {
            uint32_t id = found->ids[i * options->k + j];
            float score = found->scores[i * options->k + j];
            assert_int_equal(id, j < there ? pairs[j].id : LXM_NO_ROW);
            assert_true(j < there ? score == pairs[j].score : isnan(score));
        }
    }
    free(pairs);
}

static void search_and_check(const lxm_table *table, const float *queries, size_t count, size_t k)
{
    static const unsigned threads[] = {1, 2, 5};
    lxm_neighbours found = {.ids = malloc(count * k * sizeof(uint32_t)),
                            .scores = malloc(count * k * sizeof(float))};
    lxm_error error = {0};
    assert_true(found.ids && found.scores);
    for (int metric = 0; metric < 2; metric++)
        for (size_t i = 0; i < unit_count(threads); i++) {
            lxm_nearest_options options = {k, (lxm_metric)metric, threads[i]};
            memset(found.ids, 1, count * k * sizeof *found.ids);
            unit_succeeds(lxm_nearest(table, queries, count, &options, &found, NULL, &error),
                          &error);
            check_found(table, queries, count, &options, &found);
        }
    free(found.ids);
    free(found.scores);
}

static void exact_for_any_shape(void **state)
{
    (void)state;
    static const struct {
        size_t rows, dim, count, k;
    } shapes[] = {
        {1, 1, 1, 1},      {5, 3, 2, 9},     {2048, 16, 3, 10}, {2049, 17, 257, 1},
        {5000, 33, 20, 7}, {700, 300, 3, 5}, {40, 5000, 2, 3},  {300, 8, 5, 300},
    };
    for (size_t i = 0; i < unit_count(shapes); i++) {
        float *values;
        lxm_table *table = make_table(shapes[i].rows, shapes[i].dim, &values);
        float *queries = make_vectors(shapes[i].count, shapes[i].dim);
        search_and_check(table, queries, shapes[i].count, shapes[i].k);
        free(queries);
        lxm_table_free(table);
    }
}

/* More queries than one pass over the table takes. */
static void exact_for_many_queries(void **state)
{
    (void)state;
    float *values, *queries = make_vectors(5000, 3);
    lxm_table *table = make_table(20, 3, &values);
    search_and_check(table, queries, 5000, 2);
    lxm_table_free(table);
    free(queries);
}

/* f16, bf16 and int8 on disk, and floats that aren't aligned. */
static void exact_for_any_type(void **state)
{
    (void)state;
    float *values, *queries = make_vectors(3, 20);
    char *folder = unit_folder_make(), *path = unit_path(folder, "table");
    lxm_table *table = make_table(300, 20, &values), *stored;
    lxm_error error = {0};
    for (int dtype = LXM_DTYPE_F32; dtype <= LXM_DTYPE_I8; dtype++) {
        lxm_convert_options options = {.format = LXM_TABLE_SAFETENSORS, .dtype = (lxm_dtype)dtype};
        unit_succeeds(lxm_run_convert(table, &options, path, NULL, NULL, &error), &error);
        unit_succeeds(lxm_table_open(&stored, path, NULL, NULL, &error), &error);
        search_and_check(stored, queries, 3, 6);
        lxm_table_free(stored);
    }
    lxm_table_free(table);
    unit_folder_remove(folder);
    free(queries);
    free(path);
}

/* ---- what single precision alone would get wrong ---- */

static void exact_where_scores_differ_in_their_last_bits(void **state)
{
    (void)state;
    enum { rows = 6000, dim = 64 };
    float *values, *queries = make_vectors(4, dim);
    lxm_table *table = make_table(rows, dim, &values);
    for (size_t i = 0; i < rows * dim; i++)
        values[i] = queries[i % dim] * (1 + (float)(unit_random(&random_state) % 9) * FLT_EPSILON);
    search_and_check(table, queries, 4, 20);
    lxm_table_free(table);
    free(queries);
}

static void ties_go_by_id(void **state)
{
    (void)state;
    enum { rows = 3000, dim = 10 };
    float *values, *query = make_vectors(1, dim);
    lxm_table *table = make_table(rows, dim, &values);
    for (size_t i = 0; i < rows; i++)
        memcpy(values + i * dim, query, dim * sizeof *query);
    uint32_t ids[5];
    float scores[5];
    lxm_neighbours found = {.ids = ids, .scores = scores};
    lxm_nearest_options options = {5, LXM_METRIC_COSINE, 3};
    lxm_error error = {0};
    unit_succeeds(lxm_nearest(table, query, 1, &options, &found, NULL, &error), &error);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(ids[i] == i && scores[i] == 1);
    search_and_check(table, query, 1, 50);
    lxm_table_free(table);
    free(query);
}

/* Rows whose products leave the range of floats, and some that have no direction. */
static void exact_at_the_ends_of_the_range(void **state)
{
    (void)state;
    static const float scales[] = {1,      1e38f,  1e30f, 1e-20f,   1e-30f,
                                   1e-40f, 1e-45f, 0,     INFINITY, NAN};
    enum { rows = 2500, dim = 12, count = 10 };
    float *values, *queries = make_vectors(count, dim);
    lxm_table *table = make_table(rows, dim, &values);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < dim; j++)
            values[i * dim + j] *= scales[unit_random(&random_state) % 30 ? i % 8 : i % 10];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < dim; j++)
            queries[i * dim + j] *= scales[i % 8];
    search_and_check(table, queries, count, 15);
    search_and_check(table, queries, count, rows);
    lxm_table_free(table);
    free(queries);
}

static void what_has_no_direction_is_counted(void **state)
{
    (void)state;
    float *values, queries[6] = {0, 0, NAN, 1, 1, 1};
    lxm_table *table = make_table(4, 2, &values);
    static const float rows[] = {0, 0, NAN, 1, 1, INFINITY, 1, 2};
    memcpy(values, rows, sizeof rows);
    uint32_t ids[9];
    float scores[9];
    lxm_neighbours found = {.ids = ids, .scores = scores};
    lxm_nearest_options options = {3, LXM_METRIC_COSINE, 1};
    lxm_error error = {0};
    unit_succeeds(lxm_nearest(table, queries, 3, &options, &found, NULL, &error), &error);
    assert_int_equal(found.bad_rows, 3);
    assert_int_equal(found.bad_queries, 2);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ids[i], i == 6 ? 3 : LXM_NO_ROW);
    options.metric = LXM_METRIC_DOT;
    unit_succeeds(lxm_nearest(table, queries, 3, &options, &found, NULL, &error), &error);
    assert_int_equal(found.bad_rows, 2);
    assert_true(ids[6] == 3 && scores[6] == 3 && ids[7] == 0 && scores[7] == 0);
    lxm_table_free(table);
}

/* ---- loops ---- */

static void every_kernel_gives_the_same_bits(void **state)
{
    (void)state;
    const lxm_near_kernels *kernels[3];
    size_t count = lxm_near_variants(kernels);
    float *a = make_vectors(1, 400), *b = make_vectors(1, 400);
    a[70] = NAN;
    for (size_t n = 0; n < 400; n++)
        for (size_t v = 1; v < count; v++) {
            double plain = kernels[0]->dot(b, b + n / 3, n - n / 3);
            double other = kernels[v]->dot(b, b + n / 3, n - n / 3);
            assert_memory_equal(&plain, &other, sizeof plain);
            for (size_t from = 0; from < n; from += 7)
                assert_int_equal(kernels[v]->next(a, b, from, n, 0.1F, 0.9F),
                                 kernels[0]->next(a, b, from, n, 0.1F, 0.9F));
        }
    assert_int_equal(kernels[0]->next(a, b, 60, 71, INFINITY, 1), 70);
    assert_int_equal(kernels[0]->next(a, b, 71, 400, INFINITY, 1), 400);
    free(a);
    free(b);
}

/* ---- errors ---- */

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    lxm_table *table;
    lxm_table_options any = {.dim = 4};
    float query[4] = {1, 2, 3, 4}, score;
    uint32_t id;
    lxm_neighbours found = {.ids = &id, .scores = &score};
    lxm_nearest_options options = {.k = 1};
    lxm_error error = {0};
    unit_succeeds(lxm_table_generate(&table, &any, NULL, &error), &error);
    assert_int_equal(lxm_nearest(table, query, 1, &options, &found, NULL, &error),
                     LXM_ERROR_ARGUMENT);
    lxm_table_free(table);
    any.rows = 9;
    unit_succeeds(lxm_table_generate(&table, &any, NULL, &error), &error);
    unit_succeeds(lxm_nearest(table, query, 1, &options, &found, NULL, &error), &error);
    options.k = 0;
    assert_int_equal(lxm_nearest(table, query, 1, &options, &found, NULL, &error),
                     LXM_ERROR_ARGUMENT);
    options = (lxm_nearest_options){.k = 1, .metric = (lxm_metric)2};
    assert_int_equal(lxm_nearest(table, query, 1, &options, &found, NULL, &error),
                     LXM_ERROR_ARGUMENT);
    lxm_table_free(table);
}

static const char words[] = "king 1 2 3\nqueen 1 2 4\nman 2 1 0\nwoman 2 1 1\n";

/* One run, with words, texts and what it writes. */
static lxm_status run_once(const char *table_path, const char *output, const lxm_allocator *a,
                           int kind, lxm_error *error)
{
    static const char *const names[] = {"man", "king", "woman"};
    lxm_job job = {.threads = 2, .allocator = a};
    lxm_near_options options = {.k = 2,
                                .texts = table_path,
                                .names = names,
                                .name_count = 3,
                                .analogy = kind == 1,
                                .format = (lxm_near_format)kind};
    lxm_table *table;
    lxm_status status = lxm_table_open(&table, table_path, NULL, a, error);
    options.table = table;
    if (!status)
        status = lxm_run_near(&options, output, &job, NULL, error);
    lxm_table_free(table);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    char *folder = unit_folder_make(), *path = unit_path(folder, "words");
    char *output = unit_path(folder, "found");
    unit_file_write(path, words, sizeof words - 1);
    for (int kind = 0; kind <= LXM_NEAR_SAFETENSORS; kind++) {
        lxm_status status = LXM_ERROR_MEMORY;
        for (size_t i = 1; status; i++) {
            unit_allocator a;
            lxm_error error = {0};
            unit_allocator_init(&a);
            a.fail_at = i;
            status = run_once(path, output, &a.functions, kind, &error);
            assert_int_equal(status, a.calls < i ? LXM_OK : LXM_ERROR_MEMORY);
            assert_int_equal(a.live, 0);
            assert_int_equal(unit_folder_count(folder), status ? 1 : 2);
        }
        assert_int_equal(remove(output), 0);
    }
    unit_folder_remove(folder);
    free(path);
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_for_any_shape),
        cmocka_unit_test(exact_for_many_queries),
        cmocka_unit_test(exact_for_any_type),
        cmocka_unit_test(exact_where_scores_differ_in_their_last_bits),
        cmocka_unit_test(ties_go_by_id),
        cmocka_unit_test(exact_at_the_ends_of_the_range),
        cmocka_unit_test(what_has_no_direction_is_counted),
        cmocka_unit_test(every_kernel_gives_the_same_bits),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(memory_runs_out),
    };
    lxm_error error = {0};
    if (lxm_nearest_ready(&error)) {
        puts(error.message);
        return skipped;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
