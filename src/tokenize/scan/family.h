/*
 * The families of presets: what a scanner tells apart. A character belongs to some of at most eight
 * classes, one bit each.
 */
#ifndef LXM_TOKENIZE_SCAN_FAMILY_H
#define LXM_TOKENIZE_SCAN_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "tokenize/scanner.h"
#include "tokenize/unicode.h"

typedef struct lxm_family {
    /* Whether few wide characters have a class, and none of them more than three bytes; which first
     * bytes these have: [byte & 15], bit (byte >> 4) - 12; which second ones: [byte & 15], bit
     * (first byte & 3); which third ones: as first and as second ones, both. */
    bool sparse;
    uint8_t leads[16], seconds[16], thirds[16], thirds_behind[16];
    uint8_t ascii[128];     /* classes of U+0000 to U+007F */
    uint8_t kinds[32];      /* classes of a lxm_kind, for what is not ASCII */
    uint8_t nibbles[8][16]; /* [class][c & 15]: bit c >> 4 is set if ASCII c belongs to it */
} lxm_family;

extern const lxm_family lxm_family_gpt2, lxm_family_cl100k, lxm_family_o200k, lxm_family_words,
    lxm_family_book, lxm_family_whitespace, lxm_family_bert;

enum { GPT2_LETTER, GPT2_NUMBER, GPT2_SPACE, GPT2_BLANK, GPT2_APOSTROPHE, GPT2_CLASSES };

/* cl100k, llama3, qwen2 */
enum {
    CL100K_LETTER,
    CL100K_NUMBER,
    CL100K_SPACE,
    CL100K_BLANK,
    CL100K_NEWLINE,
    CL100K_APOSTROPHE,
    CL100K_CLASSES
};

enum {
    O200K_UPPER,
    O200K_LOWER, /* both: letters without case, and marks where they are part of a word */
    O200K_NUMBER,
    O200K_SPACE,
    O200K_BLANK,
    O200K_NEWLINE,
    O200K_APOSTROPHE, /* of characters that are not ASCII: marks */
    O200K_SLASH,
    O200K_CLASSES
};

enum {
    WORDS_ALPHANUMERIC, /* letters but ideographs, numbers */
    WORDS_DIGIT,        /* without WORDS_ALPHANUMERIC: what needs a look at its neighbours */
    WORDS_JOINER,
    WORDS_POINT, /* of characters that are not ASCII: marks */
    WORDS_GAP,   /* what can't be seen */
    WORDS_CLASSES
};

enum { BOOK_BREAK, BOOK_PUNCTUATION, BOOK_HYPHEN, BOOK_CLASSES };

enum { BERT_SPACE, BERT_ALONE, BERT_CLASSES };

enum { WHITESPACE_SPACE, WHITESPACE_CLASSES };

/* The scanners of one instruction set. */
typedef enum lxm_scan_id {
    LXM_SCAN_GPT2,
    LXM_SCAN_CL100K,
    LXM_SCAN_LLAMA3,
    LXM_SCAN_QWEN2,
    LXM_SCAN_O200K,
    LXM_SCAN_WORDS,
    LXM_SCAN_BOOK,
    LXM_SCAN_BERT,
    LXM_SCAN_WHITESPACE,
    LXM_SCANS
} lxm_scan_id;

extern const lxm_scanner lxm_scanners_scalar[LXM_SCANS], lxm_scanners_avx2[LXM_SCANS],
    lxm_scanners_avx512[LXM_SCANS], lxm_scanners_neon[LXM_SCANS];

#endif
