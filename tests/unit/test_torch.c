/* LXM_INIT_TORCH has PyTorch's bits. The numbers were printed by PyTorch 2.15 on a CPU. */
#include "unit.h"

#include "embed/random.h"
#include "embed/table.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* All values of a table, row after row, into `values`. */
static void read_table(const lxm_table_options *options, float *values)
{
    lxm_table *table;
    assert_int_equal(lxm_table_generate(&table, options, NULL, NULL), LXM_OK);
    for (uint64_t row = 0; row < options->rows; row++)
        lxm_table_row(table, row, values + row * options->dim);
    lxm_table_free(table);
}

static void check(uint64_t rows, size_t dim, uint64_t seed, const uint32_t *want)
{
    float values[64];
    read_table(&(lxm_table_options){.rows = rows, .dim = dim, .init = LXM_INIT_TORCH, .seed = seed},
               values);
    for (size_t i = 0; i < rows * dim; i++)
        assert_int_equal(bits_of(values[i]), want[i]);
}

/* The table and, in the same generator, a second one of 2 rows. */
static void check_second(uint64_t rows, size_t dim, uint64_t seed, const uint32_t *want)
{
    float values[64];
    read_table(&(lxm_table_options){.rows = 2,
                                    .dim = dim,
                                    .init = LXM_INIT_TORCH,
                                    .seed = seed,
                                    .torch_rows_before = rows,
                                    .torch_dim_before = dim},
               values);
    for (size_t i = 0; i < 2 * dim; i++)
        assert_int_equal(bits_of(values[i]), want[i]);
}

/* The last 16 of 18 values are drawn again. */
static void test_book_layer(void **state)
{
    (void)state;
    static const uint32_t table[] = {0x3eacbbc9, 0xbe360b3b, 0xbe2d02e0, 0x3f6af29f, 0x3fca5d36,
                                     0x3fa6887a, 0x3fa33d12, 0xbe4dc6a6, 0xbe246ad5, 0xbecd8fd6,
                                     0x3f77713c, 0xbf92f662, 0xbf9455c8, 0x3ea6a423, 0xbf21aa56,
                                     0xc035c276, 0xbf48ec26, 0xbfb46cdf};
    static const uint32_t second[] = {0xbf2173ee, 0x3f9df3de, 0x3ea01721,
                                      0x3f327ad3, 0xbf7ebb86, 0xbf92e5a7};
    check(6, 3, 123, table);
    check_second(6, 3, 123, second);
}

static void test_under_16_values(void **state)
{
    (void)state;
    static const uint32_t table[] = {0xbe165174, 0x3f49408e, 0x3f7262e7, 0xbf8ea2d3, 0x3fd86bd0,
                                     0xbf651371, 0xbeb6147c, 0x3f9dbed1, 0x3e0d7d22, 0xbfd75248,
                                     0x3ea2a6bb, 0x3e07fe8d, 0x3e0c9eb0, 0x3e7651b9, 0x3fb29e22};
    static const uint32_t second[] = {0x3fac6b3d, 0x401c0b9a, 0x3e4f9fde,
                                      0x401cd5ab, 0x4001a376, 0x3fe3bb5a};
    check(5, 3, 7, table);
    check_second(5, 3, 7, second);
    check(3, 1, 123, (const uint32_t[]){0xbde448df, 0x3df680d9, 0xbebd40bc});
    check_second(3, 1, 123, (const uint32_t[]){0xbe763021, 0xbf9934d1});
}

/* FNV-1a over the bits of all values. */
static uint64_t digest(const float *values, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bits_of(values[i])) * 0x100000001b3u;
    return hash;
}

static void test_larger_tables(void **state)
{
    (void)state;
    static const struct {
        lxm_table_options options;
        uint64_t digest;
    } cases[] = {
        {{.rows = 16, .dim = 1, .seed = 0}, 0xf1048bdebedebeff},
        {{.rows = 17, .dim = 1, .seed = 1099511627781}, 0x2a9836426a879f4c},
        {{.rows = 1000, .dim = 7, .seed = 42}, 0xff77e3f955408507},
        {{.rows = 257, .dim = 64, .seed = 9}, 0xd85d74f63302e3d6},
    };
    static float values[257 * 64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lxm_table_options options = cases[i].options;
        options.init = LXM_INIT_TORCH;
        read_table(&options, values);
        assert_true(digest(values, options.rows * options.dim) == cases[i].digest);
    }
}

static void test_variants_agree(void **state)
{
    (void)state;
    const lxm_random_variant *variants[4];
    size_t count = lxm_random_variants(variants);
    for (uint32_t first = 0; first < 1 << 24; first += 99991) {
        float want[16], got[16];
        for (size_t v = 0; v < count; v++) {
            for (uint32_t i = 0; i < 16; i++)
                got[i] = (float)((first + i * 1048573u) & 0xffffff) * 0x1p-24f;
            variants[v]->torch(got);
            if (v == 0)
                memcpy(want, got, sizeof want);
            assert_memory_equal(got, want, sizeof want);
        }
    }
}

static void test_needs_rows(void **state)
{
    (void)state;
    lxm_table *table;
    lxm_error error;
    assert_int_equal(
        lxm_table_generate(&table, &(lxm_table_options){.init = LXM_INIT_TORCH}, NULL, &error),
        LXM_ERROR_ARGUMENT);
    assert_null(table);
    lxm_table_options huge = {.rows = UINT64_MAX / 2, .dim = 64, .init = LXM_INIT_TORCH};
    assert_int_equal(lxm_table_generate(&table, &huge, NULL, &error), LXM_ERROR_LIMIT);
    huge = (lxm_table_options){.rows = 1,
                               .dim = 1,
                               .init = LXM_INIT_TORCH,
                               .torch_rows_before = UINT64_MAX,
                               .torch_dim_before = 2};
    assert_int_equal(lxm_table_generate(&table, &huge, NULL, &error), LXM_ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_book_layer),    cmocka_unit_test(test_under_16_values),
        cmocka_unit_test(test_larger_tables), cmocka_unit_test(test_variants_agree),
        cmocka_unit_test(test_needs_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
