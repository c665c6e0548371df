/* How rows move against their gradients. */
#ifndef LXM_EMBED_OPTIMIZER_H
#define LXM_EMBED_OPTIMIZER_H

#include <stdbool.h>

#include "lexmill/embed.h"

enum { lxm_most_states = 2 };

/* What one step is made with, the same for each row. */
typedef struct lxm_step {
    size_t dim;
    float rate; /* what the step's direction is multiplied by */
    float eps;
    float momentum;
    float rest1, rest2; /* 1 - beta */
} lxm_step;

typedef struct lxm_optimizer_kind {
    lxm_optimizer optimizer;
    const char *name;
    const char *states[lxm_most_states]; /* PyTorch's names of what is kept of a row: dim numbers */
    size_t state_count;
    bool moves_all; /* rows that were used before move on without a gradient */
    double (*rate)(const lxm_layer_options *options, uint64_t step); /* `step` counts from 1 */
    /* `states` are those of the row, one behind another; no gradient is NULL */
    void (*move)(const lxm_step *step, const float *gradient, float *row, float *states);
} lxm_optimizer_kind;

/* What the options ask for; NULL, and the error, where they make no sense. */
const lxm_optimizer_kind *lxm_optimizer_find(const lxm_layer_options *options, lxm_error *error);

lxm_step lxm_optimizer_step(const lxm_optimizer_kind *kind, const lxm_layer_options *options,
                            size_t dim, uint64_t step);

#endif
