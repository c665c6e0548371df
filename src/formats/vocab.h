/* Vocabulary files: one lxm_vocab_format a file format. */
#ifndef LXM_FORMATS_VOCAB_H
#define LXM_FORMATS_VOCAB_H

#include "idmap/vocab.h"
#include "lexmill/stream.h"

typedef struct lxm_vocab_format {
    const char *name;

    /* Whether a file that begins like this is meant to be one. */
    bool (*probe)(const uint8_t *bytes, size_t length);

    /* Fills an empty vocabulary from a whole file; the error carries line and offset. */
    lxm_status (*read)(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error);

    lxm_status (*write)(const lxm_vocab *vocab, lxm_output *output, lxm_error *error);
} lxm_vocab_format;

/* Our own: text, a line an id. */
extern const lxm_vocab_format lxm_vocab_format_lexmill;

#endif
