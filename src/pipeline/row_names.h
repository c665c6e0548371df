/* What the rows of a table stand for: words, or ids; and a text for each. */
#ifndef LXM_PIPELINE_ROW_NAMES_H
#define LXM_PIPELINE_ROW_NAMES_H

#include "base/file.h"
#include "lexmill/pipeline.h"

typedef struct lxm_row_names {
    lxm_allocator allocator;
    const lxm_table *table;
    bool words;       /* rows have words: the vocabulary's, or the table's */
    lxm_vocab *vocab; /* or NULL */
    uint32_t *index;  /* of the table's words, by their hashes; NULL until it is needed */
    size_t slots;
    uint64_t seed;
    lxm_map texts;
    lxm_buffer lines; /* of uint64_t: where each text begins, and where the last ends */
} lxm_row_names;

/* `vocab` and `texts` are files, or NULL. lxm_row_names_free is due whatever the result. */
lxm_status lxm_row_names_open(lxm_row_names *names, const lxm_table *table, const char *vocab,
                              const char *texts, const lxm_allocator *allocator, lxm_error *error);
void lxm_row_names_free(lxm_row_names *names);

/* The row that a name says: LXM_ERROR_TOKEN or LXM_ERROR_ID where there is none. */
lxm_status lxm_row_names_find(lxm_row_names *names, const void *name, size_t length, uint32_t *row,
                              lxm_error *error);

/* The word of a row, where rows have words. */
const uint8_t *lxm_row_names_word(const lxm_row_names *names, uint32_t row, size_t *length);

/* The text of a row, without the end of its line; NULL where there are no texts. */
const uint8_t *lxm_row_names_text(const lxm_row_names *names, uint32_t row, size_t *length);

#endif
