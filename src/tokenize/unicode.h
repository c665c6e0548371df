/*
 * What kind of character a code point is, as far as the presets tell characters apart, and which
 * two are composed into one.
 *
 * One version of Unicode decides: 15.0, that of utf8proc 2.8, whatever the libraries of the machine
 * know. It is the nearest to what tiktoken and Hugging Face's tokenizers have (15 and 16). PCRE2
 * 10.42 has 14.0: its \p{..} takes the 4,489 characters that came with 15.0 for unassigned; on all
 * others the two agree.
 */
#ifndef LXM_TOKENIZE_UNICODE_H
#define LXM_TOKENIZE_UNICODE_H

#include <stdbool.h>
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

/* Primary composites (UAX #15, D114) but for Hangul: a hash table, open addressing. A row whose
 * first is lxm_any_first says that its second is one of some pair; one whose composite is 0 is
 * empty. */
typedef struct lxm_composition {
    uint32_t first, second, composite;
} lxm_composition;

enum { lxm_composition_slots = 2048, lxm_any_first = 0x110000 };
extern const lxm_composition lxm_compositions[lxm_composition_slots];

static inline uint32_t lxm_composition_slot(uint32_t first, uint32_t second)
{
    return (first * 0x9E3779B1u ^ second * 0x85EBCA6Bu) >> 21;
}

/* What two characters are composed into, or 0. */
static inline uint32_t lxm_unicode_composite(uint32_t first, uint32_t second)
{
    uint32_t slot = lxm_composition_slot(first, second);
    for (;; slot = (slot + 1) % lxm_composition_slots) {
        const lxm_composition *row = &lxm_compositions[slot];
        if (row->composite == 0 || (row->first == first && row->second == second))
            return row->composite;
    }
}

/* Whether it may be composed with a character before it; not so for Hangul. */
static inline bool lxm_unicode_is_second(uint32_t code_point)
{
    return lxm_unicode_composite(lxm_any_first, code_point) != 0;
}

#endif
