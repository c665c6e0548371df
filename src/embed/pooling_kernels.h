/* The loops of pooling, with the same bits whatever the instructions. */
#ifndef LXM_EMBED_POOLING_KERNELS_H
#define LXM_EMBED_POOLING_KERNELS_H

#include <stddef.h>

/* Floats of a mapped file, which may begin anywhere. */
typedef float lxm_mapped_float __attribute__((aligned(1), may_alias));

typedef struct lxm_pooling_kernels {
    const char *name;
    /* Adds rows to columns, each column in the order of the rows. */
    void (*add)(double *columns, const lxm_mapped_float *const *rows, size_t count, size_t dim);
    void (*add_weighted)(double *columns, const lxm_mapped_float *row, double weight, size_t dim);
    /* vector[i] = columns[i] * factor */
    void (*narrow)(const double *columns, double factor, float *vector, size_t dim);
    /* The sum of the squares, in eight sums that are added up in the end. */
    double (*squares)(const float *vector, size_t dim);
    /* vector[i] = vector[i] * factor */
    void (*scale)(float *vector, double factor, size_t dim);
} lxm_pooling_kernels;

const lxm_pooling_kernels *lxm_pooling_fastest(void);

/* All that this processor can do; returns how many, at most three. */
size_t lxm_pooling_variants(const lxm_pooling_kernels **variants);

#endif
