/*
 * o200k: llama3, save that
 *
 * - a word is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ or, where that doesn't
 *   match, [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*;
 * - a contraction is the end of a word, not a token;
 * - / goes with other characters before it as new lines do, once there is one.
 *
 * "Upper" and "lower" are letters of one case alone, "both" is what belongs to either set. A word
 * is cut before an upper that follows a lower, be there boths between them; and between a both and
 * the uppers behind it where neither a lower nor a both follows these.
 */
#ifndef LXM_TOKENIZE_SCAN_O200K_H
#define LXM_TOKENIZE_SCAN_O200K_H

#include "tokenize/scan/cl100k.h"

/* Other characters, and those of them and of the new lines that make up a zone. */
typedef struct o200k_others {
    uint64_t other, zone, first, lone;
} o200k_others;

INLINE o200k_others find_others(const carry *c, const block *b, uint64_t known)
{
    const uint64_t *m = b->class;
    o200k_others o;
    uint64_t newline = m[O200K_NEWLINE], zonal = newline | m[O200K_SLASH];
    o.other = ~known & low_bits(b->count);
    o.zone = flood(zonal, (newline & next(o.other, c->other)) | (zonal & c->zone));
    o.other &= ~o.zone;
    o.first = o.other & ~next(o.other, c->other) & ~next(m[O200K_BLANK], c->blank);
    o.lone = to_all_bytes(b, o.first);
    return o;
}

/* Marks behind other characters: part of a word if that character is lone, else one of them. The
 * rest are part of words. */
OUTLINE uint64_t marks_of_words(carry c, block b, uint64_t letter, uint64_t mark)
{
    uint64_t known = letter | b.class[O200K_NUMBER] | b.class[O200K_SPACE];
    uint64_t of_words = 0;
    for (uint64_t rest = mark; rest;) {
        uint64_t bit = rest & -rest, run = rest & ~(rest + bit);
        o200k_others o = find_others(&c, &b, known | of_words | rest);
        if (!(next(o.other, c.other) & bit) || (next(o.lone, c.lone) & bit))
            of_words |= run;
        rest ^= run;
    }
    return of_words;
}

/* Classes of the character behind the block, where that follows a letter. */
INLINE uint8_t o200k_behind(const block *b)
{
    bool mark = b->behind >> O200K_APOSTROPHE & 1 && b->text[b->count] >= 0x80;
    return mark ? 1 << O200K_UPPER | 1 << O200K_LOWER : b->behind;
}

/* Contractions behind letters, in order, for where one ends another can't begin. Returns their
 * bytes; *ends are the bits behind them. */
INLINE uint64_t suffixes(carry *c, const block *b, uint64_t letter, uint64_t *ends)
{
    uint64_t inside = c->hide;
    *ends = c->begin;
    c->hide = c->begin = 0;
    for (uint64_t m = b->class[O200K_APOSTROPHE] & ~b->wide & next(letter, c->letter); m;
         m &= m - 1) {
        uint32_t at = lowest(m), length;
        if ((next(inside, c->suffix) & m & -m) || !(length = contraction(b->text + at + 1, true)))
            continue;
        for (uint32_t i = 0; i <= length; i++)
            set_bit(b, &inside, &c->hide, at + i);
        set_bit(b, ends, &c->begin, at + 1 + length);
    }
    c->suffix = top(b, inside);
    return inside;
}

/* Where words are cut inside; `inside` are the bytes of suffixes, behind which all starts anew. */
INLINE uint64_t case_cuts(carry *c, const block *b, uint64_t upper, uint64_t lower, uint64_t inside,
                          uint8_t behind)
{
    uint64_t both = upper & lower;
    upper ^= both;
    lower ^= both | (lower & inside);
    uint64_t after_lower = next(lower, c->lower);
    c->lower = top(b, lower);
    if (LIKELY(!(both | c->both | c->inner | c->pending)))
        return upper & after_lower;
    uint64_t inner = flood(both, both & (after_lower | c->inner));
    uint64_t cuts = upper & (after_lower | next(inner, c->inner));
    lookahead a = {.run = upper,
                   .first = upper & next(both & ~inner, c->both),
                   .stop = both | b->class[O200K_LOWER],
                   .run_behind = (behind >> O200K_UPPER & 1) && !(behind >> O200K_LOWER & 1),
                   .stop_behind = behind >> O200K_LOWER & 1,
                   .at_end = true};
    if (c->pending && (upper & 1))
        settle(c, b, a);
    c->inner = top(b, inner);
    c->both = top(b, both & ~inner);
    return cuts | not_followed(c, b, a);
}

INLINE uint64_t o200k_begins(carry *c, block *b)
{
    uint64_t *m = b->class;
    uint64_t number = m[O200K_NUMBER], space = m[O200K_SPACE], newline = m[O200K_NEWLINE];
    uint64_t mark = m[O200K_APOSTROPHE] & b->wide;
    if (UNLIKELY(mark)) {
        mark = marks_of_words(*c, *b, m[O200K_UPPER] | m[O200K_LOWER], mark);
        m[O200K_UPPER] |= mark;
        m[O200K_LOWER] |= mark;
    }
    uint64_t letter = m[O200K_UPPER] | m[O200K_LOWER];
    uint8_t behind = o200k_behind(b);
    o200k_others o = find_others(c, b, letter | number | space);
    lookahead indent =
        indents(space, newline, behind >> O200K_SPACE & 1, behind >> O200K_NEWLINE & 1, true);
    if (UNLIKELY(c->pending && (space & 1)))
        settle(c, b, indent);

    uint64_t ends, inside = suffixes(c, b, letter, &ends);
    uint64_t prefix = next(o.lone, c->lone) | next(indent.run, c->space & ~c->newline);
    uint64_t begins = o.first | (letter & ~next(letter, c->letter) & ~prefix);
    begins |= case_cuts(c, b, m[O200K_UPPER], m[O200K_LOWER], inside, behind);
    begins |= number_groups(c, b, number) | space_begins(c, b, indent, space, o.zone);
    begins = (begins & ~inside) | ends;

    c->letter = top(b, letter);
    c->space = top(b, space);
    c->newline = top(b, newline);
    c->blank = top(b, m[O200K_BLANK]);
    c->other = top(b, o.other);
    c->lone = top(b, o.lone);
    c->zone = top(b, o.zone);
    return begins;
}

#endif
