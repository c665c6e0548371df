#include "embed/pooling.h"

#include <math.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/hash.h"
#include "embed/table.h"

enum { group_size = lxm_pooling_group };

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

/* Loops that a compiler turns into vector code; each column is added up in the order of rows. */
static inline __attribute__((always_inline)) void
add_four(double *columns, const mapped_float *const rows[group_size], size_t dim)
{
    const mapped_float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
    for (size_t i = 0; i < dim; i++)
        columns[i] = (((columns[i] + (double)a[i]) + (double)b[i]) + (double)c[i]) + (double)d[i];
}

static inline __attribute__((always_inline)) void add_one(double *columns, const mapped_float *row,
                                                          size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        columns[i] += (double)row[i];
}

#define LOOPS(name, attribute)                                                                     \
    attribute static void add_##name(double *columns, const mapped_float *const rows[group_size],  \
                                     size_t count, size_t dim)                                     \
    {                                                                                              \
        if (count == group_size)                                                                   \
            add_four(columns, rows, dim);                                                          \
        else                                                                                       \
            for (size_t i = 0; i < count; i++)                                                     \
                add_one(columns, rows[i], dim);                                                    \
    }

LOOPS(plain, )

#if defined(__x86_64__)
LOOPS(avx2, __attribute__((target("avx2"))))
#endif

static lxm_add_rows *fastest(void)
{
#if defined(__x86_64__)
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        return add_avx2;
#endif
    return add_plain;
}

static void add_weighted(double *columns, const mapped_float *row, double weight, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        columns[i] += weight * (double)row[i];
}

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
    *pooling =
        (lxm_pooling){.add = fastest(), .columns = lxm_allocate(allocator, dim, sizeof(double))};
    if (lxm_multiply(dim, group_size, &values))
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

/* Where the numbers of a row lie: in the table, or in `room` after this. */
static const mapped_float *row_of(const lxm_table *table, uint32_t id, float *room)
{
    if (lxm_table_is_plain(table))
        return (const mapped_float *)(const void *)lxm_table_at(table, id);
    table->fill(table, id, 0, table->dim, room);
    return room;
}

static void weigh(lxm_pooling *pooling, const lxm_pool_options *how, const uint32_t *ids,
                  const mapped_float *const rows[group_size], size_t count, size_t dim)
{
    if (pooling->count == 0)
        memset(pooling->columns, 0, dim * sizeof *pooling->columns);
    for (size_t i = 0; i < count; i++)
        add_weighted(pooling->columns, rows[i], (double)how->weights[ids[i]], dim);
}

static void sum(lxm_pooling *pooling, const mapped_float *const rows[group_size], size_t count,
                size_t dim)
{
    if (pooling->count > 0) {
        pooling->add(pooling->columns, rows, count, dim);
        return;
    }
    set(pooling->columns, rows[0], dim);
    for (size_t i = 1; i < count; i++)
        pooling->add(pooling->columns, rows + i, 1, dim);
}

/* Takes the rows of a few ids, at least one. */
static void take(lxm_pooling *pooling, const lxm_pool_options *how, const lxm_table *table,
                 const uint32_t *ids, size_t count)
{
    const mapped_float *rows[group_size] = {NULL};
    size_t dim = table->dim;
    if (how->kind == LXM_POOL_LAST)
        set(pooling->columns, row_of(table, ids[count - 1], pooling->rows), dim);
    else if (how->kind == LXM_POOL_FIRST && pooling->count == 0)
        set(pooling->columns, row_of(table, ids[0], pooling->rows), dim);
    else if (how->kind != LXM_POOL_FIRST)
        for (size_t i = 0; i < count; i++)
            rows[i] = row_of(table, ids[i], pooling->rows + i * dim);
    if (how->weights)
        weigh(pooling, how, ids, rows, count, dim);
    else if (how->kind == LXM_POOL_MEAN || how->kind == LXM_POOL_SUM)
        sum(pooling, rows, count, dim);
    for (size_t i = 0; how->kind == LXM_POOL_MAX && i < count; i++) {
        if (pooling->count + i == 0)
            set(pooling->columns, rows[i], dim);
        else
            raise_to_row(pooling->columns, rows[i], dim);
    }
    pooling->count += count;
}

void lxm_pooling_add(lxm_pooling *pooling, const lxm_pool_options *how, const lxm_table *table,
                     const uint32_t *ids, size_t count, size_t known)
{
    uint32_t kept[group_size];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (table->data && i + lxm_table_ahead < known)
            lxm_table_prefetch(table, ids[i + lxm_table_ahead]);
        if (how->drops && ids[i] == how->dropped_id)
            continue;
        kept[n++] = ids[i];
        if (n == group_size) {
            take(pooling, how, table, kept, n);
            n = 0;
        }
    }
    if (n > 0)
        take(pooling, how, table, kept, n);
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

static void normalise(float *vector, size_t dim)
{
    double squares = 0;
    for (size_t i = 0; i < dim; i++)
        squares += (double)vector[i] * (double)vector[i];
    double norm = sqrt(squares) + 1e-32;
    for (size_t i = 0; i < dim; i++)
        vector[i] = (float)((double)vector[i] / norm);
}

void lxm_pooling_end(lxm_pooling *pooling, const lxm_pool_options *how, size_t dim, float *vector)
{
    double divisor = how->kind == LXM_POOL_MEAN ? (double)pooling->count : 1;
    for (size_t i = 0; i < dim; i++)
        vector[i] = pooling->count ? (float)(pooling->columns[i] / divisor) : 0;
    if (how->normalize)
        normalise(vector, dim);
    pooling->count = 0;
}
