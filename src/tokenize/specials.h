/* Finds special tokens: the leftmost, and of those the longest. */
#ifndef LXM_TOKENIZE_SPECIALS_H
#define LXM_TOKENIZE_SPECIALS_H

#include "base/memory.h"

typedef struct lxm_special {
    uint8_t *bytes;
    size_t length;
} lxm_special;

/* Immutable once made. Sorted so that those with one first byte stand together, longest first. */
typedef struct lxm_specials {
    lxm_special *list;
    size_t count;
    size_t longest;
    uint32_t from[257]; /* list[from[b], from[b + 1]) begin with byte b */
    lxm_allocator allocator;
} lxm_specials;

lxm_status lxm_specials_init(lxm_specials *specials, const char *const *tokens, size_t count,
                             const lxm_allocator *allocator, lxm_error *error);
void lxm_specials_free(lxm_specials *specials);

/* What stands in text[0, length). */
typedef struct lxm_special_match {
    size_t begin; /* no special token begins before */
    size_t end;   /* end of the one at `begin`; equal to `begin` where there is none (yet) */
} lxm_special_match;

/* Without a match, text from `begin` on may be the start of one unless `final`. */
lxm_special_match lxm_specials_find(const lxm_specials *specials, const uint8_t *text,
                                    size_t length, bool final);

#endif
