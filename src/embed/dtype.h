/* Numbers of fewer bits: to and from 32-bit floats, with the same bits on every processor. */
#ifndef LXM_EMBED_DTYPE_H
#define LXM_EMBED_DTYPE_H

#include <stddef.h>

#include "lexmill/embed.h"

/* Arrays of numbers may begin at any address. */
typedef void lxm_widen(const uint8_t *from, size_t count, float *values);
typedef void lxm_narrow(const float *values, size_t count, uint8_t *to);

typedef struct lxm_dtype_variant {
    const char *name;
    lxm_widen *widen_f16, *widen_bf16, *widen_i8;
    lxm_narrow *narrow_f16, *narrow_bf16; /* to the nearest, ties to even */
} lxm_dtype_variant;

/* The fastest that this processor has, and all; `variants` holds 2. */
const lxm_dtype_variant *lxm_dtype_fastest(void);
size_t lxm_dtype_variants(const lxm_dtype_variant **variants);

size_t lxm_dtype_size(lxm_dtype dtype);

/* NULL for LXM_DTYPE_F32. */
lxm_widen *lxm_dtype_widen(lxm_dtype dtype);
lxm_narrow *lxm_dtype_narrow(lxm_dtype dtype); /* also NULL for LXM_DTYPE_I8 */

/* Rounds a row to whole numbers from -127 to 127 of a step, which it returns: the largest
 * magnitude / 127. A row of zeros, or one that isn't finite, has the step 0 and is zeros. */
float lxm_dtype_quantise(const float *values, size_t count, uint8_t *to);

#endif
