/* What a table is inside. Formats make one of a mapped file with lxm_table_from_map. */
#ifndef LXM_EMBED_TABLE_H
#define LXM_EMBED_TABLE_H

#include "base/file.h"
#include "embed/dtype.h"
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

/* The word of a row: bytes of the map. */
typedef struct lxm_table_word_at {
    uint64_t begin;
    uint32_t length;
} lxm_table_word_at;

struct lxm_table {
    lxm_allocator allocator;
    const struct lxm_gather_variant *gather;
    uint64_t rows; /* or LXM_ANY_ROW */
    size_t dim;
    uint64_t fingerprint;
    const char *format;
    lxm_table_fill *fill;

    uint64_t seed; /* generated tables */
    const lxm_random_variant *random;

    const uint8_t *data; /* the others: rows of numbers, of any alignment, */
    size_t stride;       /* bytes from one to the next; 0: each lies behind its word, */
    float *memory;       /* in memory of ours, */
    lxm_map map;         /* in a mapped file, */
    size_t anonymous;    /* or in a mapping of so many bytes of an unnamed file */
    lxm_dtype dtype;
    lxm_widen *widen;      /* NULL: floats */
    const uint8_t *scales; /* a float for each stored row, of any alignment, or NULL */
    uint32_t *mapping;     /* which stored row is a row, or NULL */
    float *weights;        /* what a row is multiplied by, or NULL */
    lxm_buffer words;      /* of the above, or empty */
};

/* Where a row's numbers lie. */
static inline const uint8_t *lxm_table_at(const lxm_table *table, uint64_t row)
{
    if (table->mapping)
        row = table->mapping[row];
    if (table->stride)
        return table->data + row * table->stride;
    const lxm_table_word_at *words = (const lxm_table_word_at *)(const void *)table->words.data;
    return table->data + words[row].begin + words[row].length + 1;
}

/* Whether rows lie in memory as they are asked for. */
static inline bool lxm_table_is_plain(const lxm_table *table)
{
    return table->data && table->dtype == LXM_DTYPE_F32 && !table->weights;
}

/* Whether rows may hold numbers that are none, or infinite: what is generated never does. */
static inline bool lxm_table_is_doubtful(const lxm_table *table)
{
    return !table->random;
}

/* How many rows ahead one is fetched into the cache. */
enum { lxm_table_ahead = 4 };

/* Fetches the beginning of a stored row: the rest follows by itself. */
static inline void lxm_table_prefetch(const lxm_table *table, uint32_t id)
{
    enum { line = 64, fetched = 512 };
    size_t size = table->dim * lxm_dtype_size(table->dtype);
    const uint8_t *row = lxm_table_at(table, id);
    for (size_t i = 0; i < size && i < fetched; i += line)
        __builtin_prefetch(row + i);
}

/* A new, zeroed table; NULL where memory runs out. */
lxm_table *lxm_table_allocate(const lxm_allocator *allocator, uint64_t rows, size_t dim);

/* Room for all rows, in memory or (large) in an unnamed file, zeroed or undefined. */
lxm_status lxm_table_store(lxm_table *table, float **values, lxm_error *error);

/* A table of what lies at `offset` of a map, which the table owns after success. The caller has
 * checked that all of it is there. */
lxm_status lxm_table_from_map(lxm_table **table, lxm_map map, size_t offset, uint64_t rows,
                              size_t dim, lxm_dtype dtype, const lxm_allocator *allocator,
                              lxm_error *error);

/* Gives rows their stored row and their weight: arrays of the table's allocator, which it owns from
 * now on; each may be NULL. The caller has checked the mapping. */
void lxm_table_weigh(lxm_table *table, uint32_t *mapping, float *weights);

/* Words for the rows of a table whose map holds them, in row order. */
lxm_status lxm_table_add_word(lxm_table *table, uint64_t begin, uint32_t length, lxm_error *error);

/* Sets what a file says about itself. `format` is static. */
void lxm_table_describe(lxm_table *table, const char *format, uint64_t fingerprint);

/* Reads a row that is there whole. */
void lxm_table_row(const lxm_table *table, uint64_t row, float *values);

lxm_status lxm_torch_make(lxm_table *table, const lxm_table_options *options, lxm_error *error);

#endif
