/*
 * Sorted runs of counted tokens, in memory or in a file, merged into one: each token once, in the
 * order of bytes, with the sum of its counts and its earliest appearance.
 *
 * A record in a file: length, count and first appearance as LEB128 numbers, then the bytes.
 */
#ifndef LXM_IDMAP_MERGE_H
#define LXM_IDMAP_MERGE_H

#include "idmap/sort.h"

typedef struct lxm_record {
    const uint8_t *token;
    size_t length;
    uint64_t count;
    uint64_t first; /* how many different tokens appeared before it did */
} lxm_record;

/* A run that is read from its front. */
typedef struct lxm_source {
    lxm_record record;
    uint64_t prefix;
    const lxm_token_table *table; /* NULL: a file */
    const lxm_entry *entries;
    size_t next;
    uint64_t base; /* the first appearance of the table's id 0 */
    int fd;
    uint64_t at, end;
    lxm_buffer buffer;
    size_t used;
} lxm_source;

typedef struct lxm_merge {
    lxm_allocator allocator;
    lxm_source *sources;
    size_t source_count, most_sources;
    lxm_source **heap;
    size_t heap_count;
    lxm_source *taken; /* gave the record that is out */
} lxm_merge;

lxm_status lxm_merge_init(lxm_merge *merge, size_t most_sources, const lxm_allocator *allocator,
                          lxm_error *error);
void lxm_merge_free(lxm_merge *merge);

/* Adds a table, with its ids in the order of bytes; both must outlive the merge. */
lxm_status lxm_merge_add_table(lxm_merge *merge, const lxm_token_table *table,
                               const lxm_entry *entries, uint64_t base, lxm_error *error);

/* Adds the run that stands at [begin, end) of a file, to be read through a buffer. */
lxm_status lxm_merge_add_file(lxm_merge *merge, int fd, uint64_t begin, uint64_t end, size_t buffer,
                              lxm_error *error);

/* The next record; its token is valid until the next call. *more false: there is none. */
lxm_status lxm_merge_next(lxm_merge *merge, lxm_record *record, bool *more, lxm_error *error);

/* Appends a record as a file has it; false when memory runs out. */
bool lxm_record_append(lxm_buffer *buffer, const lxm_record *record);

#endif
