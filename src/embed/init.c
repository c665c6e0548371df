/* How the numbers of a generated table are made. */
#include "base/error.h"
#include "embed/table.h"

enum { default_dim = 256 };

/* The largest dim whose blocks a generator can count. */
static const uint64_t largest_dim = (uint64_t)1 << 32;

static void fill_blocks(const lxm_table *table, lxm_random_fill *fill, uint64_t row, size_t column,
                        size_t count, float *values)
{
    float block[lxm_random_block];
    uint32_t index = (uint32_t)(column / lxm_random_block);
    for (; count >= lxm_random_block; count -= lxm_random_block, values += lxm_random_block)
        fill(table->seed, row, index++, values);
    if (count == 0)
        return;
    fill(table->seed, row, index, block);
    memcpy(values, block, count * sizeof *block);
}

static void fill_normal(const lxm_table *table, uint64_t row, size_t column, size_t count,
                        float *values)
{
    fill_blocks(table, table->random->normal, row, column, count, values);
}

static void fill_uniform(const lxm_table *table, uint64_t row, size_t column, size_t count,
                         float *values)
{
    fill_blocks(table, table->random->uniform, row, column, count, values);
}

static void fill_zeros(const lxm_table *table, uint64_t row, size_t column, size_t count,
                       float *values)
{
    (void)table, (void)row, (void)column;
    memset(values, 0, count * sizeof *values);
}

static void fill_one_hot(const lxm_table *table, uint64_t row, size_t column, size_t count,
                         float *values)
{
    memset(values, 0, count * sizeof *values);
    uint64_t hot = row % table->dim;
    if (hot >= column && hot - column < count)
        values[hot - column] = 1;
}

static const lxm_initialisation initialisations[] = {
    {LXM_INIT_NORMAL, "normal", fill_normal, NULL},
    {LXM_INIT_UNIFORM, "uniform", fill_uniform, NULL},
    {LXM_INIT_ZEROS, "zeros", fill_zeros, NULL},
    {LXM_INIT_ONE_HOT, "one-hot", fill_one_hot, NULL},
    {LXM_INIT_TORCH, "torch", NULL, lxm_torch_make},
};

static const lxm_initialisation *find(lxm_init init)
{
    for (size_t i = 0; i < sizeof initialisations / sizeof *initialisations; i++)
        if (initialisations[i].init == init)
            return &initialisations[i];
    return NULL;
}

lxm_status lxm_table_generate(lxm_table **out, const lxm_table_options *options,
                              const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    const lxm_initialisation *how = find(options->init);
    size_t dim = options->dim ? options->dim : default_dim;
    uint64_t rows = options->rows ? options->rows : LXM_ANY_ROW;
    if (!how)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such initialisation: %d", options->init);
    if (dim > largest_dim || dim > PTRDIFF_MAX / sizeof(float))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a row of %zu columns is too long", dim);
    if (how->make && rows == LXM_ANY_ROW)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "the %s initialisation needs the number of rows (--rows)", how->name);
    lxm_table *table = lxm_table_allocate(allocator, rows, dim);
    if (!table)
        return lxm_fail_memory(error);
    table->seed = options->seed;
    table->random = lxm_random_fastest();
    table->fill = how->fill;
    lxm_status status = how->make ? how->make(table, options, error) : LXM_OK;
    if (status)
        lxm_table_free(table);
    else
        *out = table;
    return status;
}
