/* Copying rows that lie in memory as they are asked for. */
#ifndef LXM_EMBED_GATHER_H
#define LXM_EMBED_GATHER_H

#include "embed/table.h"

/* Copies a row and fetches the next one into the cache on the way. */
typedef void lxm_copy_row(const uint8_t *from, const uint8_t *next, size_t bytes, uint8_t *to);

typedef struct lxm_gather_variant {
    const char *name;
    lxm_copy_row *copy;
    lxm_copy_row *stream; /* past the caches; `fence` is due behind the last */
    void (*fence)(void);
} lxm_gather_variant;

/* The fastest that this processor has, and all; `variants` holds 2. */
const lxm_gather_variant *lxm_gather_fastest(void);
size_t lxm_gather_variants(const lxm_gather_variant **variants);

/* Copies the rows of ids, which all have one, of a table that lxm_table_is_plain. */
void lxm_gather_rows(const lxm_gather_variant *variant, const lxm_table *table, const uint32_t *ids,
                     size_t count, float *vectors);

#endif
