/* One vector of many: what a document's rows come to. */
#ifndef LXM_EMBED_POOLING_H
#define LXM_EMBED_POOLING_H

#include "base/memory.h"
#include "lexmill/embed.h"

/* Sums in double precision, column by column in the order of the ids: the same bits whatever the
 * instructions. */
typedef struct lxm_pooling {
    double *columns;
    float *row; /* room to work in */
    uint64_t count;
} lxm_pooling;

/* False where memory runs out; lxm_pooling_free is due whatever the result. */
bool lxm_pooling_init(lxm_pooling *pooling, size_t dim, const lxm_allocator *allocator);
void lxm_pooling_free(lxm_pooling *pooling, const lxm_allocator *allocator);

/* Takes the rows of ids, which all have one. */
void lxm_pooling_add(lxm_pooling *pooling, lxm_pool_kind kind, const lxm_table *table,
                     const uint32_t *ids, size_t count);

/* Takes all that another one, which comes behind, has taken. */
void lxm_pooling_merge(lxm_pooling *pooling, lxm_pool_kind kind, size_t dim,
                       const lxm_pooling *next);

/* Writes the vector, zeros where there were no ids, and begins anew. Normalised: divided by its
 * Euclidean norm + 1e-32, as Model2Vec does it. */
void lxm_pooling_end(lxm_pooling *pooling, lxm_pool_kind kind, size_t dim, bool normalize,
                     float *vector);

#endif
