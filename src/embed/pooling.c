#include "embed/pooling.h"

#include <math.h>

#include "embed/table.h"

bool lxm_pooling_init(lxm_pooling *pooling, size_t dim, const lxm_allocator *allocator)
{
    *pooling = (lxm_pooling){.columns = lxm_allocate(allocator, dim, sizeof(double)),
                             .row = lxm_allocate(allocator, dim, sizeof(float))};
    return pooling->columns && pooling->row;
}

void lxm_pooling_free(lxm_pooling *pooling, const lxm_allocator *allocator)
{
    lxm_release(allocator, pooling->columns);
    lxm_release(allocator, pooling->row);
    *pooling = (lxm_pooling){0};
}

static void set(lxm_pooling *pooling, const float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        pooling->columns[i] = (double)row[i];
}

static void add_row(lxm_pooling *pooling, const float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        pooling->columns[i] += (double)row[i];
}

static void raise_to_row(lxm_pooling *pooling, const float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        double value = (double)row[i];
        pooling->columns[i] = value > pooling->columns[i] ? value : pooling->columns[i];
    }
}

void lxm_pooling_add(lxm_pooling *pooling, lxm_pool_kind kind, const lxm_table *table,
                     const uint32_t *ids, size_t count)
{
    size_t dim = table->dim, i = kind == LXM_POOL_LAST && count > 0 ? count - 1 : 0;
    for (; i < count; i++) {
        bool first = pooling->count == 0 && (i == 0 || kind == LXM_POOL_LAST);
        if (kind == LXM_POOL_FIRST && !first)
            break;
        if (table->data && i + lxm_table_ahead < count)
            lxm_table_prefetch(table, ids[i + lxm_table_ahead]);
        table->fill(table, ids[i], 0, dim, pooling->row);
        if (first || kind == LXM_POOL_LAST)
            set(pooling, pooling->row, dim);
        else if (kind == LXM_POOL_MAX)
            raise_to_row(pooling, pooling->row, dim);
        else
            add_row(pooling, pooling->row, dim);
    }
    pooling->count += count;
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
            *mine = other > *mine ? other : *mine;
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

void lxm_pooling_end(lxm_pooling *pooling, lxm_pool_kind kind, size_t dim, bool normalize,
                     float *vector)
{
    double divisor = kind == LXM_POOL_MEAN ? (double)pooling->count : 1;
    for (size_t i = 0; i < dim; i++)
        vector[i] = pooling->count ? (float)(pooling->columns[i] / divisor) : 0;
    if (normalize)
        normalise(vector, dim);
    pooling->count = 0;
}
