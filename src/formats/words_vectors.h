/* Writing tables whose rows have words. */
#ifndef LXM_FORMATS_WORDS_VECTORS_H
#define LXM_FORMATS_WORDS_VECTORS_H

#include "base/memory.h"
#include "lexmill/stream.h"

typedef struct lxm_words_format {
    const char *name;
    bool header; /* "V D" on a first line */
    bool spaces; /* a word may hold spaces */
    /* Appends a row; false where memory runs out. */
    bool (*row)(lxm_buffer *bytes, const uint8_t *word, size_t length, const float *values,
                size_t dim);
} lxm_words_format;

extern const lxm_words_format lxm_word2vec_words, lxm_vec_words, lxm_glove_words;

lxm_status lxm_words_write_header(const lxm_words_format *format, uint64_t rows, size_t dim,
                                  lxm_output *output, lxm_error *error);

/* Writes a row, with `bytes` as room to work in; a word that the format can't hold is an error. */
lxm_status lxm_words_write_row(const lxm_words_format *format, const uint8_t *word, size_t length,
                               const float *values, size_t dim, lxm_buffer *bytes,
                               lxm_output *output, lxm_error *error);

#endif
