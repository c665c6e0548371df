/* A layer that learns: a table, and beside it the rows that have moved. */
#ifndef LXM_EMBED_LAYER_H
#define LXM_EMBED_LAYER_H

#include "base/pool.h"
#include "embed/optimizer.h"
#include "embed/sparse_rows.h"
#include "embed/table.h"

/* A share of some work: `run` does it for items from `begin` to `end`. */
typedef struct lxm_layer_part {
    lxm_layer *layer;
    void (*run)(const struct lxm_layer_part *part);
    const void *work;
    size_t begin, end;
} lxm_layer_part;

struct lxm_layer {
    lxm_table table; /* first: what others see, whose `fill` finds the layer from it */
    const lxm_table *base;
    lxm_allocator allocator;
    lxm_layer_options options;
    const lxm_optimizer_kind *kind;
    lxm_sparse_rows moved; /* rows, and behind each its states */
    lxm_sparse_rows sums;  /* of gradients */
    lxm_buffer slots;      /* uint32_t: those of some ids */
    uint64_t steps;
    lxm_pool *pool;
    lxm_layer_part *parts; /* one a thread */
};

/* A slot for a row and its states, with what they are before the first step. LXM_NO_SLOT: no
 * memory. */
uint32_t lxm_layer_hold(lxm_layer *layer, uint32_t id);

/* Runs `run` over `count` items of `size` floats, on as many threads as that is worth; parts begin
 * at multiples of `grain`. */
void lxm_layer_share(lxm_layer *layer, void (*run)(const lxm_layer_part *part), const void *work,
                     size_t count, size_t grain, size_t size);

#endif
