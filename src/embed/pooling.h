/* One vector of many: what a document's rows come to. */
#ifndef LXM_EMBED_POOLING_H
#define LXM_EMBED_POOLING_H

#include "base/memory.h"
#include "embed/pooling_kernels.h"
#include "lexmill/embed.h"

/* Sums in double precision, column by column in the order of the ids: the same bits whatever the
 * instructions. */
typedef struct lxm_pooling {
    const lxm_pooling_kernels *kernels;
    double *columns;
    float *rows; /* room for rows that don't lie in memory as floats */
    uint64_t count;
} lxm_pooling;

/* False where memory runs out; lxm_pooling_free is due whatever the result. */
bool lxm_pooling_init(lxm_pooling *pooling, size_t dim, const lxm_allocator *allocator);
void lxm_pooling_free(lxm_pooling *pooling, const lxm_allocator *allocator);

/* LXM_ERROR_ARGUMENT: there is no such way to pool. */
lxm_status lxm_pool_options_check(const lxm_pool_options *how, lxm_error *error);

/* A hash of all that the vectors depend on. */
uint64_t lxm_pool_options_hash(const lxm_pool_options *how, uint64_t seed);

/* Ids below this have a row, and a weight where weights are wanted. */
uint64_t lxm_pool_limit(const lxm_pool_options *how, const lxm_table *table);

/* Takes the rows of ids, which all have one, but for the id that is dropped. Behind them are more
 * ids, up to ids[known), whose rows will be wanted soon. */
void lxm_pooling_add(lxm_pooling *pooling, const lxm_pool_options *how, const lxm_table *table,
                     const uint32_t *ids, size_t count, size_t known);

/* Takes all that another one, which comes behind, has taken. */
void lxm_pooling_merge(lxm_pooling *pooling, lxm_pool_kind kind, size_t dim,
                       const lxm_pooling *next);

/* Writes the vector, zeros where there were no ids, and begins anew. Normalised: divided by its
 * Euclidean norm + 1e-32, as Model2Vec does it. */
void lxm_pooling_end(lxm_pooling *pooling, const lxm_pool_options *how, size_t dim, float *vector);

#endif
