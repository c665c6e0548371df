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
    uint8_t *pages[0x1100];  /* classes of 256 characters each, made when one of them is met */
    bool wide_vectors;       /* lxm_quick_passing_avx512 is for this processor */
    uint64_t *passing;       /* [character >> 6], up to U+FFFF: those known to pass; or NULL */
    lxm_buffer text;         /* the result of the last call */
    lxm_alignment alignment; /* of `text` */
    lxm_allocator allocator;
} lxm_normalizer;

/* What a character is when the text is checked quickly (after UAX #15, section 9). From 1 on, up to
 * most_class: a mark of that combining class which passes as it is. */
enum {
    lxm_class_slow = 0,        /* changes, or may combine with what stands before it */
    lxm_class_most = 254 - 2,  /* the largest combining class there may be, and more */
    lxm_class_inner = 253,     /* passes as it is; doesn't begin a cluster */
    lxm_class_passes = 254,    /* passes as it is; begins a cluster */
    lxm_class_slow_start = 255 /* changes; begins a cluster */
};
uint8_t lxm_normalizer_class(lxm_normalizer *normalizer, int32_t c, bool *failed);

#if defined __x86_64__
#define LXM_QUICK_CHECK_AVX512
/* For a processor with AVX-512: the length of characters at the start that `passing` has, in steps
 * of about 64 bytes; *last is where the last of them begins. */
size_t lxm_quick_passing_avx512(const uint64_t *passing, const uint8_t *text, size_t length,
                                size_t *last);
#endif

/* How much of the text, which must not begin inside a cluster, passes as it is, but for the case of
 * ASCII letters and for white space that becomes a space; what may still change with what follows
 * is left out. *failed: memory ran out. */
size_t lxm_quick_run(lxm_normalizer *normalizer, const uint8_t *text, size_t length, bool *failed);

void lxm_normalizer_init(lxm_normalizer *normalizer, const lxm_tokenizer_options *options,
                         size_t most, const lxm_allocator *allocator);
void lxm_normalizer_free(lxm_normalizer *normalizer);

/* Whether it changes any text at all. */
bool lxm_normalizer_wanted(const lxm_tokenizer_options *options);

/* Normalises valid UTF-8 that came from [source, source_end): `normalizer->text` holds what is
 * settled, until the next call. */
lxm_status lxm_normalizer_push(lxm_normalizer *normalizer, const uint8_t *text, size_t length,
                               uint64_t source, uint64_t source_end, lxm_error *error);

/* The same, and what the last call gave stays. */
lxm_status lxm_normalizer_append(lxm_normalizer *normalizer, const uint8_t *text, size_t length,
                                 uint64_t source, uint64_t source_end, lxm_error *error);

/* The text ends: the rest is settled. */
lxm_status lxm_normalizer_end(lxm_normalizer *normalizer, lxm_error *error);
void lxm_normalizer_reset(lxm_normalizer *normalizer);

#endif
