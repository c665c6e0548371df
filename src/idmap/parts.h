/*
 * What a vocabulary is made of, as arrays that are written as they stand and used where a file with
 * them was mapped. Nothing in them is trusted: before one is used its size and every index in it
 * are checked, so that no look-up can leave an array or fail to end.
 *
 * The arrays depend on the content alone: hash tables are filled anew, in order of ids, with seeds
 * that are made from it.
 */
#ifndef LXM_IDMAP_PARTS_H
#define LXM_IDMAP_PARTS_H

#include "idmap/pairs.h"
#include "idmap/table.h"

/* The names of parts, in files: they never change meaning. */
enum {
    lxm_part_vocab = 1, /* the vocab_facts of vocab_parts.c */
    lxm_part_special,   /* u64: a bit an id */
    lxm_part_added_ids, /* u32: of the tokens that are kept whole */
    lxm_part_description,
    lxm_part_model,      /* what the model is beside the arrays that follow */
    lxm_part_model_ids,  /* u32 */
    lxm_part_pairs,      /* u64: slots */
    lxm_part_pair_facts, /* u64: factor */
    lxm_part_results,    /* u32: by rank */
    lxm_part_byte_ranks, /* u32 [256][256] */
    lxm_part_scores,     /* f64: by id */
    lxm_part_trie,       /* u64: cells */
    /* each of these is a table of tokens: that many parts from it on */
    lxm_part_tokens = 32,
    lxm_part_added = 40,
    lxm_part_model_tokens = 48,
};

typedef struct lxm_part {
    uint32_t name, width; /* bytes of an element */
    const void *data;
    size_t count;    /* elements */
    uint64_t offset; /* in the file, where it is from one */
} lxm_part;

enum { lxm_parts_most = 32 };

typedef struct lxm_parts {
    lxm_part items[lxm_parts_most]; /* in ascending order of names */
    size_t count;
    void *made[lxm_parts_most]; /* what lxm_parts_make gave */
    size_t made_count;
    lxm_allocator allocator;
} lxm_parts;

void lxm_parts_init(lxm_parts *parts, const lxm_allocator *allocator);
void lxm_parts_free(lxm_parts *parts);

/* Adds an array of another's. */
void lxm_parts_add(lxm_parts *parts, uint32_t name, const void *data, size_t count, size_t width);

/* Adds an array of zeros, to be filled; NULL when memory runs out. */
void *lxm_parts_make(lxm_parts *parts, uint32_t name, size_t count, size_t width);

/* NULL: there is none. */
const lxm_part *lxm_parts_find(const lxm_parts *parts, uint32_t name);

/* A part that must be there with elements of this width; for `count` other than SIZE_MAX, with
 * that many. */
lxm_status lxm_parts_need(const lxm_parts *parts, uint32_t name, size_t width, size_t count,
                          const lxm_part **part, lxm_error *error);

/* LXM_ERROR_FORMAT at an element: "WHAT: ..." and what to do. */
lxm_status lxm_part_fail(const lxm_part *part, size_t index, const char *what, lxm_error *error);

/* An array of u32: all are below `limit`, or `none`; UINT64_MAX for `none` is never met. */
lxm_status lxm_part_check_ids(const lxm_part *part, uint64_t limit, uint64_t none,
                              lxm_error *error);

/* A table of tokens under the names from `name` on, with its counts where they aren't all 0. */
lxm_status lxm_parts_add_table(lxm_parts *parts, uint32_t name, const lxm_token_table *table,
                               lxm_error *error);

/* Makes an initialised table a view of one; it stays empty where there is none. The arrays have 16
 * readable bytes behind them. */
lxm_status lxm_parts_view_table(const lxm_parts *parts, uint32_t name, lxm_token_table *table,
                                lxm_error *error);

/* Pairs whose ranks are below `ranks`, of ids up to lxm_pair_max_id. */
lxm_status lxm_parts_add_pairs(lxm_parts *parts, const lxm_pairs *pairs, size_t ranks,
                               lxm_error *error);
lxm_status lxm_parts_view_pairs(const lxm_parts *parts, size_t ranks, lxm_pairs *pairs,
                                lxm_error *error);

#endif
