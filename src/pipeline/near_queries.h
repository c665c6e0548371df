/* Queries for the nearest rows: from a table, from names, from standard input. */
#ifndef LXM_PIPELINE_NEAR_QUERIES_H
#define LXM_PIPELINE_NEAR_QUERIES_H

#include "pipeline/row_names.h"

/* How many names make a query at most, and how many rows a query may be that aren't found. */
enum { lxm_most_names = 3 };

/* Some queries. */
typedef struct lxm_near_block {
    size_t count;
    float *vectors;
    uint32_t *own;     /* lxm_most_names for each: its rows, or LXM_NO_ROW */
    lxm_buffer labels; /* what each was, one behind the other, */
    lxm_buffer ends;   /* of size_t: where each ends */
    bool words;        /* and whether that is words: otherwise numbers */
} lxm_near_block;

typedef struct lxm_near_queries {
    lxm_allocator allocator;
    const lxm_near_options *options;
    lxm_row_names *names;
    lxm_near_block block;
    uint64_t taken;   /* queries so far */
    size_t next_name; /* of the options' */

    /* standard input */
    lxm_input *input;
    lxm_buffer bytes; /* read, and used up to `used` */
    size_t used;
    bool ended, begun;
    bool arrays;        /* .npy: otherwise lines */
    uint64_t rows_left; /* of an array, in numbers of this type */
    lxm_dtype dtype;
    uint64_t line, position;
    bool new_line; /* the next name begins a line */
} lxm_near_queries;

/* `names` must outlive it. lxm_near_queries_close is due whatever the result. */
lxm_status lxm_near_queries_open(lxm_near_queries *queries, const lxm_near_options *options,
                                 lxm_row_names *names, size_t most, const lxm_allocator *allocator,
                                 lxm_error *error);
void lxm_near_queries_close(lxm_near_queries *queries);

/* The next queries, up to `most`, into the block; count 0 at the end. */
lxm_status lxm_near_queries_next(lxm_near_queries *queries, size_t most, lxm_error *error);

#endif
