/* One vector a document: against the obvious, whatever lies between pieces, threads and files. */
#include <math.h>

#include "embed/pooling_kernels.h"
#include "unit.h"

enum { dim = 7, rows = 50 };

typedef struct fixture {
    char *folder, *ids, *output;
    unit_allocator allocator;
    lxm_table *table;
    float *numbers; /* of the table */
    lxm_embed_options options;
    lxm_embed_result result;
    lxm_error error;
    lxm_job job;
} fixture;

/* Pieces have 8192 ids: documents that end with one, just before and behind it, and reach over
 * several. */
static const int lengths[] = {3, 0, 8189, 8192, 1, 8191, 0, 0, 1, 30000, 5, 16384, 2, 0};

static uint32_t id_at(size_t place)
{
    return (uint32_t)(place * 2654435761u >> 7) % rows;
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = unit_folder_make();
    f->ids = unit_path(f->folder, "ids.txt");
    f->output = unit_path(f->folder, "output");
    unit_allocator_init(&f->allocator);
    lxm_table_options options = {.rows = rows, .dim = dim, .seed = 5};
    assert_int_equal(lxm_table_generate(&f->table, &options, NULL, NULL), LXM_OK);
    f->numbers = calloc(rows * dim, sizeof *f->numbers);
    assert_non_null(f->numbers);
    for (uint32_t id = 0; id < rows; id++)
        assert_int_equal(lxm_table_gather(f->table, &id, 1, f->numbers + id * dim, NULL), LXM_OK);
    FILE *file = fopen(f->ids, "w");
    assert_non_null(file);
    size_t place = 0;
    for (size_t d = 0; d < unit_count(lengths); d++) {
        for (int i = 0; i < lengths[d]; i++)
            fprintf(file, i ? " %u" : "%u", id_at(place++));
        fputc('\n', file);
    }
    assert_int_equal(fclose(file), 0);
    f->options = (lxm_embed_options){.table = f->table, .format = LXM_VECTORS_NPY};
    f->job = (lxm_job){.threads = 3, .allocator = &f->allocator.functions};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->allocator.live, 0);
    lxm_table_free(f->table);
    unit_folder_remove(f->folder);
    free(f->numbers);
    free(f->ids);
    free(f->output);
    free(f);
    return 0;
}

static lxm_status run(fixture *f)
{
    const char *paths[] = {f->ids};
    f->error = (lxm_error){0};
    return lxm_run_embed(&f->options, paths, 1, f->output, &f->job, &f->result, &f->error);
}

/* What column c of a document comes to. */
static double naive(const fixture *f, lxm_pool_kind kind, size_t place, int length, int c)
{
    double value = 0;
    for (int i = 0; i < length; i++) {
        double x = (double)f->numbers[id_at(place + (size_t)i) * dim + (size_t)c];
        if (kind == LXM_POOL_MEAN || kind == LXM_POOL_SUM)
            value += x;
        else if (i == 0 || kind == LXM_POOL_LAST || (kind == LXM_POOL_MAX && x > value))
            value = x;
    }
    return kind == LXM_POOL_MEAN && length ? value / length : value;
}

static void expect(const fixture *f, const float *got)
{
    size_t place = 0;
    for (size_t d = 0; d < unit_count(lengths); place += (size_t)lengths[d++]) {
        double want[dim], norm = 0;
        for (int c = 0; c < dim; c++) {
            want[c] = naive(f, f->options.pool.kind, place, lengths[d], c);
            norm += want[c] * want[c];
        }
        for (int c = 0; c < dim; c++) {
            double value = f->options.pool.normalize ? want[c] / (sqrt(norm) + 1e-32) : want[c];
            assert_true(fabs((double)got[d * dim + (size_t)c] - value) <= 1e-6 * (1 + fabs(value)));
        }
    }
}

static void test_every_kind(void **state)
{
    fixture *f = *state;
    for (int kind = LXM_POOL_MEAN; kind <= LXM_POOL_LAST; kind++)
        for (int normalize = 0; normalize < 2; normalize++) {
            size_t lengths_of[2];
            uint8_t *bytes[2];
            f->options.pool.kind = (lxm_pool_kind)kind;
            f->options.pool.normalize = normalize;
            for (unsigned i = 0; i < 2; i++) {
                f->job.threads = i ? 3 : 1;
                unit_succeeds(run(f), &f->error);
                bytes[i] = unit_file_read(f->output, &lengths_of[i]);
            }
            assert_int_equal(f->result.rows, unit_count(lengths));
            assert_int_equal(lengths_of[0], 128 + unit_count(lengths) * dim * sizeof(float));
            assert_memory_equal(bytes[0], bytes[1], lengths_of[0]);
            expect(f, (const float *)(const void *)(bytes[0] + 128));
            free(bytes[0]);
            free(bytes[1]);
        }
}

static void test_shards_and_batches(void **state)
{
    fixture *f = *state;
    f->options.pool.kind = LXM_POOL_SUM;
    f->options.batch = 4;
    f->options.drop_last = true;
    unit_succeeds(run(f), &f->error);
    assert_int_equal(f->result.rows, 12);
    assert_int_equal(f->result.dropped, 2);
    f->options.drop_last = false;
    f->options.format = LXM_VECTORS_SHARDS;
    f->options.shard_size = 1; /* a batch each */
    char *folder = unit_path(f->folder, "shards"), *file = f->output;
    f->output = folder;
    unit_succeeds(run(f), &f->error);
    lxm_verify_result result;
    unit_succeeds(lxm_run_verify(folder, NULL, &result, &f->error), &f->error);
    assert_int_equal(result.shards, 4);
    assert_int_equal(result.rows, 14);
    f->options.resume = true; /* all is there */
    unit_succeeds(run(f), &f->error);
    f->output = file;
    free(folder);
}

static void test_options_that_make_no_sense(void **state)
{
    fixture *f = *state;
    f->options.pool.normalize = true;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
    f->options.pool.kind = LXM_POOL_MEAN;
    f->options.window.context = 4;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
    f->options.window.context = 0;
    f->options.pool.kind = (lxm_pool_kind)9;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
    f->options.pool.kind = LXM_POOL_MEAN;
    unit_file_write(f->ids, "1\n50\n", 5);
    assert_int_equal(run(f), LXM_ERROR_ID);
    assert_int_equal(f->error.line, 2);
}

static void test_every_allocation(void **state)
{
    fixture *f = *state;
    unit_file_write(f->ids, "1 2\n\n3\n", 7);
    f->job.threads = 1;
    f->options.pool.kind = LXM_POOL_MEAN;
    f->options.dtype = LXM_DTYPE_F16;
    f->options.batch = 2;
    f->options.drop_last = true;
    for (size_t at = 1;; at++) {
        f->allocator.calls = 0;
        f->allocator.fail_at = at;
        lxm_status status = run(f);
        assert_int_equal(f->allocator.live, 0);
        assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
        if (f->allocator.calls < at)
            break;
    }
}

/* Of any width, aligned or not. */
static void all_variants_give_the_same_bits(void **state)
{
    enum { most = 70, count = 11 };
    (void)state;
    const lxm_pooling_kernels *variants[3];
    static float numbers[count * most + 1];
    const lxm_mapped_float *list[count];
    uint64_t random = 9;
    for (size_t i = 0; i < unit_count(numbers); i++)
        numbers[i] = (float)((double)unit_random(&random) / 1e19 - 0.9);
    size_t variant_count = lxm_pooling_variants(variants);
    for (size_t width = 1; width <= most; width++) {
        double columns[2][most], sums[2];
        float vectors[2][most];
        for (size_t r = 0; r < count; r++)
            list[r] = numbers + 1 + r * width;
        for (size_t v = 0; v < variant_count; v++) {
            const lxm_pooling_kernels *k = variants[v];
            int other = v > 0;
            for (size_t i = 0; i < width; i++)
                columns[other][i] = 0.1 * (double)i;
            k->add(columns[other], list, count, width);
            k->add_weighted(columns[other], list[3], 0.7f, width);
            k->narrow(columns[other], 1 / 3.0, vectors[other], width);
            sums[other] = k->squares(vectors[other], width);
            k->scale(vectors[other], 1 / sums[other], width);
            assert_memory_equal(columns[other], columns[0], width * sizeof *columns[0]);
            assert_memory_equal(&sums[other], &sums[0], sizeof *sums);
            assert_memory_equal(vectors[other], vectors[0], width * sizeof *vectors[0]);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind),
        TEST(test_shards_and_batches),
        TEST(test_options_that_make_no_sense),
        TEST(test_every_allocation),
        cmocka_unit_test(all_variants_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
