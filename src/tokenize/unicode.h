/*
 * What kind of character a code point is, as far as the presets tell characters apart.
 *
 * One version of Unicode decides: 15.0, that of utf8proc 2.8, whatever the libraries of the machine
 * know. It is the nearest to what tiktoken and Hugging Face's tokenizers have (15 and 16). PCRE2
 * 10.42 has 14.0: its \p{..} takes the 4,489 characters that came with 15.0 for unassigned; on all
 * others the two agree.
 */
#ifndef LXM_TOKENIZE_UNICODE_H
#define LXM_TOKENIZE_UNICODE_H

#include <stdint.h>

#define LXM_UNICODE_VERSION "15.0.0"

/* General categories, told apart further where a preset does. */
typedef enum lxm_kind {
    LXM_KIND_OTHER = 0,        /* Sc, Sk, Sm, Co, Cn */
    LXM_KIND_PUNCTUATION,      /* P */
    LXM_KIND_SYMBOL,           /* So, and U+2194, which emoji sequences use */
    LXM_KIND_UPPER,            /* Lu, Lt */
    LXM_KIND_LOWER,            /* Ll */
    LXM_KIND_LETTER,           /* Lm, Lo but for ideographs */
    LXM_KIND_IDEOGRAPH,        /* L of the CJK blocks that BERT knows */
    LXM_KIND_IDEOGRAPH_RARE,   /* L of those that BERT doesn't know */
    LXM_KIND_IDEOGRAPH_VACANT, /* Cn inside the blocks that BERT knows */
    LXM_KIND_MARK,             /* M */
    LXM_KIND_DIGIT,            /* Nd */
    LXM_KIND_NUMBER,           /* Nl, No */
    LXM_KIND_SPACE,            /* White_Space: Z, and U+0009 to U+000D, U+0085 of Cc */
    LXM_KIND_CONTROL,          /* Cc */
    LXM_KIND_FORMAT,           /* Cf */
    LXM_KIND_JOINER,           /* P that joins the parts of a word: ' - _ U+2019 U+00B7 ... */
    LXM_KIND_JOINER_FORMAT,    /* Cf that does: soft hyphen, zero width non-joiner */
    LXM_KIND_ZWJ,              /* U+200D zero width joiner */
    LXM_KIND_TAG,              /* U+E0020 to U+E007F */
    LXM_KIND_SKIN_TONE,        /* U+1F3FB to U+1F3FF */
    LXM_KIND_REGIONAL,         /* regional indicators, a pair of which is a flag */
    LXM_KINDS
} lxm_kind;

/* Two stages: the row of a code point's 64 neighbours, then the kind within the row. */
extern const uint8_t lxm_kind_rows[][64];
extern const uint16_t lxm_kind_row[0x110000 >> 6];

/* `code_point` is below 0x110000. */
static inline lxm_kind lxm_unicode_kind(uint32_t code_point)
{
    return (lxm_kind)lxm_kind_rows[lxm_kind_row[code_point >> 6]][code_point & 63];
}

#endif
