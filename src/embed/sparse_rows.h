/* Rows of floats for some ids alone: each has a slot, in the order in which they were added. */
#ifndef LXM_EMBED_SPARSE_ROWS_H
#define LXM_EMBED_SPARSE_ROWS_H

#include <stdint.h>

#include "base/memory.h"

#define LXM_NO_SLOT UINT32_MAX

typedef struct lxm_sparse_rows {
    lxm_allocator allocator;
    size_t width;     /* floats a row */
    uint32_t count;   /* slots */
    lxm_buffer ids;   /* uint32_t, one a slot */
    lxm_buffer rows;  /* width floats a slot */
    uint32_t *places; /* of a hash of ids: a slot, or LXM_NO_SLOT */
    size_t capacity;  /* places: a power of two, or 0 */
} lxm_sparse_rows;

void lxm_sparse_rows_init(lxm_sparse_rows *rows, size_t width, const lxm_allocator *allocator);
void lxm_sparse_rows_free(lxm_sparse_rows *rows);

/* The slot of an id, or LXM_NO_SLOT. */
uint32_t lxm_sparse_rows_find(const lxm_sparse_rows *rows, uint32_t id);

/* The same, and where there is none a new one, whose row is undefined. LXM_NO_SLOT: no memory, and
 * all is as it was. Rows may move. */
uint32_t lxm_sparse_rows_add(lxm_sparse_rows *rows, uint32_t id);

/* Forgets all; keeps the memory. */
void lxm_sparse_rows_clear(lxm_sparse_rows *rows);

static inline const uint32_t *lxm_sparse_rows_ids(const lxm_sparse_rows *rows)
{
    return (const uint32_t *)(const void *)rows->ids.data;
}

static inline float *lxm_sparse_rows_at(const lxm_sparse_rows *rows, uint32_t slot)
{
    return (float *)(void *)rows->rows.data + slot * rows->width;
}

#endif
