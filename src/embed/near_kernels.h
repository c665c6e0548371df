/* The inner loops of the search: the same bits on every processor. */
#ifndef LXM_EMBED_NEAR_KERNELS_H
#define LXM_EMBED_NEAR_KERNELS_H

#include <stddef.h>

typedef struct lxm_near_kernels {
    const char *name;
    /* The dot product in double precision: element i is added to sum i mod 16, then sums 8, 4, 2
     * and 1 apart are added. A product of two floats is exact. */
    double (*dot)(const float *a, const float *b, size_t count);
    /* The first i from `from` on where scores[i] < least + slope * norms[i] doesn't hold, which it
     * never does for a NaN; otherwise count. */
    size_t (*next)(const float *scores, const float *norms, size_t from, size_t count, float least,
                   float slope);
} lxm_near_kernels;

/* The fastest that this processor has, and all; `variants` holds 3. */
const lxm_near_kernels *lxm_near_fastest(void);
size_t lxm_near_variants(const lxm_near_kernels **variants);

#endif
