/*
 * sentencepiece's table of what characters become: a double-array trie (darts-clone's, of which
 * google/sentencepiece src/normalizer.cc tells the layout around it) over what is replaced, and the
 * replacements, each ended by NUL.
 */
#ifndef LXM_TOKENIZE_CHARSMAP_H
#define LXM_TOKENIZE_CHARSMAP_H

#include "base/memory.h"

enum { lxm_cluster_large = 6 };

/* The character that came last, for the end of its cluster. */
typedef struct lxm_cluster {
    int32_t last, state; /* of utf8proc's grapheme breaking */
    size_t length;       /* bytes so far; 0: none */
} lxm_cluster;

/* Immutable; zeroed it is none. */
typedef struct lxm_charsmap {
    uint32_t *units;
    size_t unit_count;
    uint8_t *text; /* the replacements */
    size_t text_length;
    bool plain[128]; /* ASCII that stays */
} lxm_charsmap;

/* Takes a copy. */
lxm_status lxm_charsmap_init(lxm_charsmap *map, const uint8_t *bytes, size_t length,
                             const lxm_allocator *allocator, lxm_error *error);
void lxm_charsmap_free(lxm_charsmap *map, const lxm_allocator *allocator);

/* What the shortest entry that the text begins with becomes; NULL: there is none. */
const uint8_t *lxm_charsmap_find(const lxm_charsmap *map, const uint8_t *text, size_t length,
                                 size_t *found);

#endif
