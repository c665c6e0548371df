/* Numbers that are none, or infinite. */
#ifndef LXM_EMBED_FINITE_H
#define LXM_EMBED_FINITE_H

#include "lexmill/embed.h"

/* How many of `count` rows of `dim` floats hold one, or one that will be when it is rounded to a
 * number of the type. */
size_t lxm_rows_not_finite(const float *rows, size_t count, size_t dim, lxm_dtype dtype);

#endif
