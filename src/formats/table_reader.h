/* A file that holds a table: one of these a format. */
#ifndef LXM_FORMATS_TABLE_READER_H
#define LXM_FORMATS_TABLE_READER_H

#include "base/file.h"
#include "lexmill/embed.h"

typedef struct lxm_table_reader {
    const char *name;
    /* Whether a file that begins so claims to be one. */
    bool (*probe)(const uint8_t *bytes, size_t length);
    /* Checks all of a mapped file and makes a table of it, which owns the map. After a failure a
     * table that was made, and the map in it, are freed by the caller. */
    lxm_status (*open)(lxm_table **table, lxm_map map, const char *tensor,
                       const lxm_allocator *allocator, lxm_error *error);
} lxm_table_reader;

extern const lxm_table_reader lxm_npy_table, lxm_safetensors_table, lxm_words_table;

#endif
