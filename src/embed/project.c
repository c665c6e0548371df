#include "embed/project.h"

#include "base/error.h"
#include "embed/gather.h"
#include "embed/table.h"

static void add_position(const lxm_table *positions, size_t place, float *vector)
{
    float part[4 * lxm_random_block];
    enum { columns = sizeof part / sizeof *part };
    for (size_t at = 0; at < positions->dim; at += columns) {
        size_t n = positions->dim - at < columns ? positions->dim - at : columns;
        positions->fill(positions, place, at, n, part);
        for (size_t i = 0; i < n; i++)
            vector[at + i] += part[i];
    }
}

/* The index of the first id that has no row, or `count`. */
static size_t find_stray(const lxm_table *table, const uint32_t *ids, const uint8_t *mask,
                         size_t count)
{
    if (table->rows > UINT32_MAX)
        return count;
    uint32_t rows = (uint32_t)table->rows;
    for (size_t i = 0; i < count; i++)
        if (ids[i] >= rows && (!mask || mask[i]))
            return i;
    return count;
}

lxm_status lxm_project_check(const lxm_table *table, const uint32_t *ids, const uint8_t *mask,
                             size_t count, lxm_error *error)
{
    size_t stray = find_stray(table, ids, mask, count);
    if (stray < count)
        return lxm_fail_at(error, LXM_ERROR_ID, stray,
                           "id %u has no row: the table has %llu, for ids from 0", ids[stray],
                           (unsigned long long)table->rows);
    return LXM_OK;
}

void lxm_project_rows(const lxm_table *table, const uint32_t *ids, size_t count, float *vectors)
{
    if (lxm_table_is_plain(table)) {
        lxm_gather_rows(table->gather, table, ids, count, vectors);
        return;
    }
    for (size_t i = 0; i < count; i++, vectors += table->dim) {
        if (table->data && i + lxm_table_ahead < count)
            lxm_table_prefetch(table, ids[i + lxm_table_ahead]);
        table->fill(table, ids[i], 0, table->dim, vectors);
    }
}

lxm_status lxm_project_piece(const lxm_table *table, const lxm_table *positions,
                             const uint32_t *ids, const uint8_t *mask, size_t count, size_t place,
                             size_t context, float *vectors, lxm_error *error)
{
    lxm_status status = lxm_project_check(table, ids, mask, count, error);
    if (status)
        return status;
    if (!positions && !mask) {
        lxm_project_rows(table, ids, count, vectors);
        return LXM_OK;
    }
    for (size_t i = 0; i < count; i++, vectors += table->dim) {
        if (table->data && i + lxm_table_ahead < count && (!mask || mask[i + lxm_table_ahead]))
            lxm_table_prefetch(table, ids[i + lxm_table_ahead]);
        if (mask && !mask[i]) {
            memset(vectors, 0, table->dim * sizeof *vectors);
        } else {
            table->fill(table, ids[i], 0, table->dim, vectors);
            if (positions)
                add_position(positions, place, vectors);
        }
        if (++place == context)
            place = 0;
    }
    return LXM_OK;
}

lxm_status lxm_project(const lxm_table *table, const lxm_table *positions, const uint32_t *ids,
                       const uint8_t *mask, size_t windows, size_t context, float *vectors,
                       lxm_error *error)
{
    size_t count, values;
    if (context == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a window has at least one id");
    if (!lxm_multiply(windows, context, &count) || !lxm_multiply(count, table->dim, &values))
        return lxm_fail(error, LXM_ERROR_LIMIT, "the batch is too large");
    if (positions && positions->dim != table->dim)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "the positions have %zu columns, but the table has %zu", positions->dim,
                        table->dim);
    if (positions && positions->rows < context)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "%llu positions are too few for a context of %zu",
                        (unsigned long long)positions->rows, context);
    return lxm_project_piece(table, positions, ids, mask, count, 0, context, vectors, error);
}
