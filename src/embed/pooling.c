#include "embed/pooling.h"

#include <math.h>

#include "base/error.h"
#include "base/hash.h"
#include "embed/table.h"

enum {
    few_rows = 4,           /* that are taken at once, */
    many_rows = 32,         /* where they are short and lie in memory as floats */
    short_rows = 4096,      /* bytes of those together */
    small_table = 512 << 10 /* bytes, which the processor's cache keeps by itself */
};

typedef lxm_mapped_float mapped_float;

lxm_status lxm_pool_options_check(const lxm_pool_options *how, lxm_error *error)
{
    if (how->kind > LXM_POOL_LAST)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such way to pool: %d", how->kind);
    if (how->kind == LXM_POOL_NONE &&
        (how->normalize || how->weights || how->most_ids || how->drops))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "there is nothing to normalize, weigh or leave out without pooling");
    if (how->weights && how->kind != LXM_POOL_MEAN && how->kind != LXM_POOL_SUM)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "weights are for a mean or a sum");
    return LXM_OK;
}

uint64_t lxm_pool_options_hash(const lxm_pool_options *how, uint64_t seed)
{
    uint64_t numbers[] = {how->kind, how->normalize, how->most_ids, how->drops, how->dropped_id};
    uint64_t hash = lxm_hash(numbers, sizeof numbers, seed);
    if (how->weights)
        hash = lxm_hash(how->weights, (size_t)how->weight_count * sizeof *how->weights, hash);
    return hash;
}

uint64_t lxm_pool_limit(const lxm_pool_options *how, const lxm_table *table)
{
    return how->weights && how->weight_count < table->rows ? how->weight_count : table->rows;
}

/* ---- columns ---- */

static void raise_to_row(double *columns, const mapped_float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        double value = (double)row[i];
        columns[i] = value > columns[i] || value != value ? value : columns[i]; /* a NaN stays */
    }
}

static void set(double *columns, const mapped_float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        columns[i] = (double)row[i];
}

bool lxm_pooling_init(lxm_pooling *pooling, size_t dim, const lxm_allocator *allocator)
{
    size_t values;
    *pooling = (lxm_pooling){.kernels = lxm_pooling_fastest(),
                             .columns = lxm_allocate(allocator, dim, sizeof(double))};
    if (lxm_multiply(dim, few_rows, &values))
        pooling->rows = lxm_allocate(allocator, values, sizeof(float));
    return pooling->columns && pooling->rows;
}

void lxm_pooling_free(lxm_pooling *pooling, const lxm_allocator *allocator)
{
    lxm_release(allocator, pooling->columns);
    lxm_release(allocator, pooling->rows);
    *pooling = (lxm_pooling){0};
}

/* ---- rows ---- */

/* Where the numbers of rows lie: in the table, or in the pooling's room after this. */
static inline void find_rows(const lxm_pooling *pooling, const lxm_table *table,
                             const uint32_t *ids, size_t count, const mapped_float **rows)
{
    const uint8_t *data = table->data;
    size_t stride = table->mapping ? 0 : table->stride;
    bool plain = lxm_table_is_plain(table);
    for (size_t i = 0; plain && stride && i < count; i++)
        rows[i] = (const mapped_float *)(const void *)(data + ids[i] * stride);
    for (size_t i = 0; plain && !stride && i < count; i++)
        rows[i] = (const mapped_float *)(const void *)lxm_table_at(table, ids[i]);
    for (size_t i = 0; !plain && i < count; i++) {
        float *room = pooling->rows + i * table->dim;
        table->fill(table, ids[i], 0, table->dim, room);
        rows[i] = room;
    }
}

static void weigh(lxm_pooling *pooling, const lxm_pool_options *how, const uint32_t *ids,
                  const mapped_float *const *rows, size_t count, size_t dim)
{
    if (pooling->count == 0)
        memset(pooling->columns, 0, dim * sizeof *pooling->columns);
    for (size_t i = 0; i < count; i++)
        pooling->kernels->add_weighted(pooling->columns, rows[i], (double)how->weights[ids[i]],
                                       dim);
}

static void sum(lxm_pooling *pooling, const mapped_float *const *rows, size_t count, size_t dim)
{
    if (pooling->count > 0) {
        pooling->kernels->add(pooling->columns, rows, count, dim);
        return;
    }
    set(pooling->columns, rows[0], dim);
    pooling->kernels->add(pooling->columns, rows + 1, count - 1, dim);
}

/* Takes the rows of some ids, at least one. */
static void take(lxm_pooling *pooling, const lxm_pool_options *how, const lxm_table *table,
                 const uint32_t *ids, size_t count)
{
    const mapped_float *rows[many_rows];
    size_t dim = table->dim;
    if (how->kind == LXM_POOL_LAST)
        ids += count - 1;
    if (how->kind == LXM_POOL_FIRST || how->kind == LXM_POOL_LAST)
        count = 1;
    find_rows(pooling, table, ids, count, rows);
    if (how->weights)
        weigh(pooling, how, ids, rows, count, dim);
    else if (how->kind == LXM_POOL_MEAN || how->kind == LXM_POOL_SUM)
        sum(pooling, rows, count, dim);
    else if (how->kind == LXM_POOL_LAST || pooling->count == 0)
        set(pooling->columns, rows[0], dim);
    for (size_t i = 0; how->kind == LXM_POOL_MAX && i < count; i++)
        raise_to_row(pooling->columns, rows[i], dim);
    pooling->count += count;
}

/* How many rows are taken at once. */
static size_t most_rows(const lxm_table *table)
{
    size_t most = lxm_table_is_plain(table) ? short_rows / sizeof(float) / table->dim : 0;
    return most < few_rows ? few_rows : most > many_rows ? many_rows : most;
}

void lxm_pooling_add(lxm_pooling *pooling, const lxm_pool_options *how, const lxm_table *table,
                     const uint32_t *ids, size_t count, size_t known)
{
    uint32_t kept[many_rows];
    size_t most = most_rows(table);
    bool far = table->data && (!table->stride || table->rows > small_table / table->stride);
    bool drops = how->drops;
    uint32_t dropped = how->dropped_id;
    for (size_t i = 0; i < count;) {
        size_t n = 0;
        for (; i < count && n < most; i++) {
            if (far && i + lxm_table_ahead < known)
                lxm_table_prefetch(table, ids[i + lxm_table_ahead]);
            kept[n] = ids[i];
            n += !drops || ids[i] != dropped;
        }
        if (n > 0)
            take(pooling, how, table, kept, n);
    }
}

void lxm_pooling_merge(lxm_pooling *pooling, lxm_pool_kind kind, size_t dim,
                       const lxm_pooling *next)
{
    if (next->count == 0)
        return;
    for (size_t i = 0; i < dim; i++) {
        double *mine = &pooling->columns[i], other = next->columns[i];
        if (pooling->count == 0 || kind == LXM_POOL_LAST)
            *mine = other;
        else if (kind == LXM_POOL_MAX)
            *mine = other > *mine || other != other ? other : *mine;
        else if (kind != LXM_POOL_FIRST)
            *mine += other;
    }
    pooling->count += next->count;
}

void lxm_pooling_end(lxm_pooling *pooling, const lxm_pool_options *how, size_t dim, float *vector)
{
    const lxm_pooling_kernels *k = pooling->kernels;
    double divisor = how->kind == LXM_POOL_MEAN ? (double)pooling->count : 1;
    if (pooling->count)
        k->narrow(pooling->columns, 1 / divisor, vector, dim);
    else
        memset(vector, 0, dim * sizeof *vector);
    if (how->normalize)
        k->scale(vector, 1 / (sqrt(k->squares(vector, dim)) + 1e-32), dim);
    pooling->count = 0;
}
