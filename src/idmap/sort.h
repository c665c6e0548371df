/* Putting tokens in order, without a look at their bytes where a key of 64 bits decides. */
#ifndef LXM_IDMAP_SORT_H
#define LXM_IDMAP_SORT_H

#include "idmap/table.h"

typedef struct lxm_entry {
    uint64_t key;
    uint32_t id;
} lxm_entry;

/* The first 8 bytes as a number that orders as they do. */
uint64_t lxm_bytes_prefix(const uint8_t *bytes, size_t length);

/* As memcmp, then the shorter first. */
int lxm_bytes_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length);

/* Sorts by key, smaller first; among equal keys by the bytes of the table's tokens, or, where
 * `table` is NULL, as they stood. `scratch` holds as many entries; the result is in `entries`. */
void lxm_sort_entries(lxm_entry *entries, lxm_entry *scratch, size_t count,
                      const lxm_token_table *table);

/* The ids of a table in the order of their tokens' bytes; NULL when memory runs out. */
lxm_entry *lxm_sort_by_bytes(const lxm_token_table *table);

#endif
