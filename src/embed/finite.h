/* Numbers that are none, or infinite. */
#ifndef LXM_EMBED_FINITE_H
#define LXM_EMBED_FINITE_H

#include <stddef.h>

/* How many of `count` rows of `dim` floats hold one. */
size_t lxm_rows_not_finite(const float *rows, size_t count, size_t dim);

#endif
