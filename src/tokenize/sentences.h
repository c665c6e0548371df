/*
 * Where sentences end: the rules of Unicode Standard Annex #29, "Sentence Boundaries",
 * version 15.0.
 *
 * SB8 looks ahead, past whatever is no letter, for a small one, and white space at a sentence's end
 * is left out: both are held back until they are decided, up to lxm_sentence_held bytes, past which
 * the sentence ends before the former, and has the latter in it.
 */
#ifndef LXM_TOKENIZE_SENTENCES_H
#define LXM_TOKENIZE_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { lxm_sentence_held = 65536 };

/* Sentence_Break of a code point. */
typedef enum lxm_sentence_class {
    LXM_SENTENCE_OTHER = 0,
    LXM_SENTENCE_SEP,    /* CR and LF as well: a break between them is white space at a border */
    LXM_SENTENCE_EXTEND, /* and Format: the rules don't see them */
    LXM_SENTENCE_SP,
    LXM_SENTENCE_LOWER,
    LXM_SENTENCE_UPPER,
    LXM_SENTENCE_OLETTER,
    LXM_SENTENCE_NUMERIC,
    LXM_SENTENCE_ATERM,
    LXM_SENTENCE_STERM,
    LXM_SENTENCE_CLOSE,
    LXM_SENTENCE_SCONTINUE
} lxm_sentence_class;

/* Two stages, as in unicode.h. */
extern const uint8_t lxm_sentence_rows[][64];
extern const uint16_t lxm_sentence_row[0x110000 >> 6];

/* What the rules know of a sentence so far. */
typedef struct lxm_sentence_state {
    uint8_t phase;     /* how far behind a terminator it is */
    bool aterm;        /* that is a full stop, */
    bool after_letter; /* right behind a cased letter */
    bool letter;       /* the last character is one */
} lxm_sentence_state;

/* A part of a sentence: bytes[begin, end). */
typedef struct lxm_sentence {
    size_t begin, end;
    bool last; /* the sentence ends here */
} lxm_sentence;

/* Finds what is certain of the sentence that goes on at the start of bytes[0, length), or where
 * `state` is zeroed and `inside` false of the first one there. Returns how many bytes are dealt
 * with; the rest must be presented again. */
size_t lxm_sentence_next(lxm_sentence_state *state, bool inside, const uint8_t *bytes,
                         size_t length, bool final, lxm_sentence *sentence);

#endif
