/* Canonical order and composition (UAX #15) of code points that are decomposed already. */
#ifndef LXM_TOKENIZE_CANONICAL_H
#define LXM_TOKENIZE_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A code point with its combining class above it, in the uppermost eight bits. */
typedef uint32_t lxm_classed;

static inline uint32_t lxm_classed_point(lxm_classed c)
{
    return c & 0x1FFFFF;
}

static inline uint32_t lxm_classed_class(lxm_classed c)
{
    return c >> 24;
}

/* Hangul, which is decomposed and composed by rule (The Unicode Standard, section 3.12). */
enum {
    lxm_hangul_leading = 0x1100,
    lxm_hangul_vowel = 0x1161,
    lxm_hangul_trailing = 0x11A7, /* one before the first */
    lxm_hangul_syllable = 0xAC00,
    lxm_hangul_leadings = 19,
    lxm_hangul_vowels = 21,
    lxm_hangul_trailings = 28,
    lxm_hangul_syllables = lxm_hangul_leadings * lxm_hangul_vowels * lxm_hangul_trailings
};

static inline bool lxm_is_hangul_syllable(uint32_t code_point)
{
    return code_point - lxm_hangul_syllable < lxm_hangul_syllables;
}

/* The two or three parts of a syllable; returns how many. */
size_t lxm_hangul_decompose(uint32_t syllable, lxm_classed *parts);

/* Sorts marks by class, stable, in linear time; `scratch` holds as many code points as `text`, and
 * isn't needed for up to lxm_order_few. */
enum { lxm_order_few = 16 };
void lxm_canonical_order(lxm_classed *text, size_t count, lxm_classed *scratch);

/* Composes what is in canonical order; returns how many code points are left. */
size_t lxm_canonical_compose(lxm_classed *text, size_t count);

#endif
