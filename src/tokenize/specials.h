/*
 * Tokens that are kept whole: special tokens that the user names, and what a file adds to its
 * vocabulary. Found are the leftmost, and of those the longest.
 */
#ifndef LXM_TOKENIZE_SPECIALS_H
#define LXM_TOKENIZE_SPECIALS_H

#include "base/memory.h"

/* What is to be kept whole; the flags are those of tokenizer.json. */
typedef struct lxm_added {
    const char *content;
    bool special;        /* is kept whole only where the user names it */
    bool normalized;     /* stands in normalised text, and is normalised itself */
    bool single_word;    /* no word character stands before or behind it */
    bool lstrip, rstrip; /* white space before it, behind it, belongs to it */
} lxm_added;

typedef struct lxm_special {
    uint8_t *bytes; /* what is looked for; the token follows */
    size_t length, token_length;
    size_t order; /* of those that look for the same, the last is found */
    bool single_word, lstrip, rstrip;
} lxm_special;

/* Immutable once finished. */
typedef struct lxm_specials {
    lxm_special *list; /* in order of their bytes */
    size_t count, capacity;
    bool lstrip;        /* one of them has it */
    uint32_t from[257]; /* list[from[b], from[b + 1]) begin with byte b */
    lxm_allocator allocator;
} lxm_specials;

void lxm_specials_init(lxm_specials *specials, const lxm_allocator *allocator);

/* Adds one that looks for `length` bytes, at least one, of valid UTF-8. */
lxm_status lxm_specials_add(lxm_specials *specials, const lxm_added *added, const uint8_t *bytes,
                            size_t length, lxm_error *error);

/* All are there: they may be looked for. */
void lxm_specials_finish(lxm_specials *specials);
void lxm_specials_free(lxm_specials *specials);

/* What it becomes. */
static inline const uint8_t *lxm_special_token(const lxm_special *special)
{
    return special->bytes + special->length;
}

/* What stands in text[0, length). */
typedef struct lxm_special_match {
    size_t begin;               /* none begins before */
    const lxm_special *special; /* what begins there; NULL: nothing (yet) */
} lxm_special_match;

/* Without a match, text from `begin` on may be the start of one unless `final`. */
lxm_special_match lxm_specials_find(const lxm_specials *specials, const uint8_t *text,
                                    size_t length, bool final);

#endif
