/*
 * Normalisation in parts: clean-up, forms of UAX #15, case, mark stripping; characters
 * and their properties from utf8proc. The result doesn't depend on where the text was cut.
 */
#ifndef LXM_TOKENIZE_NORMALIZE_H
#define LXM_TOKENIZE_NORMALIZE_H

#include "tokenize/alignment.h"

typedef struct lxm_normalizer {
    lxm_normal_form form;
    bool strip_marks, strip_all_marks, lowercase, casefold, clean;
    bool clusters;    /* a character may change with those that follow it */
    size_t most;      /* code points in one cluster */
    int32_t *cluster; /* a character and what may combine with it, not yet normalised */
    size_t length, capacity;
    uint64_t source, source_end; /* where the cluster came from */
    int32_t *work;               /* its decomposition */
    size_t work_capacity;
    lxm_buffer text;         /* the result of the last call */
    lxm_alignment alignment; /* of `text` */
    lxm_allocator allocator;
} lxm_normalizer;

void lxm_normalizer_init(lxm_normalizer *normalizer, const lxm_tokenizer_options *options,
                         size_t most, const lxm_allocator *allocator);
void lxm_normalizer_free(lxm_normalizer *normalizer);

/* Whether it changes any text at all. */
bool lxm_normalizer_wanted(const lxm_tokenizer_options *options);

/* Normalises valid UTF-8 that came from [source, source_end): `normalizer->text` holds what is
 * settled, until the next call. */
lxm_status lxm_normalizer_push(lxm_normalizer *normalizer, const uint8_t *text, size_t length,
                               uint64_t source, uint64_t source_end, lxm_error *error);

/* The text ends: the rest is settled. */
lxm_status lxm_normalizer_end(lxm_normalizer *normalizer, lxm_error *error);
void lxm_normalizer_reset(lxm_normalizer *normalizer);

#endif
