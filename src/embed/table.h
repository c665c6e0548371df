/* What a table is inside. Formats make one of a mapped file with lxm_table_from_map. */
#ifndef LXM_EMBED_TABLE_H
#define LXM_EMBED_TABLE_H

#include "base/file.h"
#include "embed/random.h"
#include "lexmill/embed.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tables are mapped as they lie in files: little-endian"
#endif

/* Writes columns [column, column + count) of a row; `column` is a multiple of lxm_random_block. */
typedef void lxm_table_fill(const lxm_table *table, uint64_t row, size_t column, size_t count,
                            float *values);

/* An initialisation: one that has a `make` fills the whole table once. */
typedef struct lxm_initialisation {
    lxm_init init;
    const char *name;
    lxm_table_fill *fill;
    lxm_status (*make)(lxm_table *table, const lxm_table_options *options, lxm_error *error);
} lxm_initialisation;

struct lxm_table {
    lxm_allocator allocator;
    uint64_t rows; /* or LXM_ANY_ROW */
    size_t dim;
    uint64_t fingerprint;
    const char *format;
    lxm_table_fill *fill;

    uint64_t seed; /* generated tables */
    const lxm_random_variant *random;

    const uint8_t *data; /* the others: rows x dim floats, of any alignment, */
    float *memory;       /* in memory of ours, */
    lxm_map map;         /* in a mapped file, */
    size_t anonymous;    /* or in a mapping of so many bytes of an unnamed file */
};

/* A new, zeroed table; NULL where memory runs out. */
lxm_table *lxm_table_allocate(const lxm_allocator *allocator, uint64_t rows, size_t dim);

/* Room for all rows, in memory or (large) in an unnamed file, zeroed or undefined. */
lxm_status lxm_table_store(lxm_table *table, float **values, lxm_error *error);

/* A table of what lies at `offset` of a map, which the table owns after success. The caller has
 * checked that all of it is there. */
lxm_status lxm_table_from_map(lxm_table **table, lxm_map map, size_t offset, uint64_t rows,
                              size_t dim, const lxm_allocator *allocator, lxm_error *error);

/* Sets what a file says about itself. `format` is static. */
void lxm_table_describe(lxm_table *table, const char *format, uint64_t fingerprint);

/* Reads a row that is there whole. */
void lxm_table_row(const lxm_table *table, uint64_t row, float *values);

lxm_status lxm_torch_make(lxm_table *table, const lxm_table_options *options, lxm_error *error);

#endif
