/*
 * cl100k, llama3 and qwen2:
 *
 *   '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
 *   |\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * qwen2 has \p{N} for \p{N}{1,3}; cl100k takes white space at the end of the subject whole (\s+$
 * before \s*[\r\n]).
 *
 * In terms of runs: white space or one other character that no token has yet ("lone") goes with the
 * letters behind it; new lines go with other characters before them (their "zone"). What is left of
 * a run of white space is cut behind its last new line, and before its last character.
 */
#ifndef LXM_TOKENIZE_SCAN_CL100K_H
#define LXM_TOKENIZE_SCAN_CL100K_H

#include "tokenize/scan/block.h"

INLINE uint64_t contraction_ends(carry *c, const block *b, uint64_t apostrophe)
{
    uint64_t ends = c->begin;
    c->begin = 0;
    for (uint64_t m = apostrophe; m; m &= m - 1) {
        uint32_t at = lowest(m) + 1, length = contraction(b->text + at, true);
        if (length)
            set_bit(b, &ends, &c->begin, at + length);
    }
    return ends;
}

/* White space. An indent is white space behind a new line: no token begins with it if another new
 * line follows. */
INLINE uint64_t space_begins(carry *c, const block *b, lookahead indent, uint64_t space,
                             uint64_t zone)
{
    uint64_t newline = indent.stop, after_zone = next(zone, c->zone);
    uint64_t begins = (space & ~next(space, c->space) & ~zone) | (indent.run & after_zone) |
                      (last_of_run(b, space, indent.run_behind | indent.stop_behind) & ~newline);
    indent.first = indent.run & next(newline, c->newline) & ~after_zone;
    return begins | not_followed(c, b, indent);
}

INLINE lookahead indents(uint64_t space, uint64_t newline, bool space_behind, bool newline_behind,
                         bool at_end)
{
    return (lookahead){.run = space & ~newline,
                       .stop = newline,
                       .run_behind = space_behind && !newline_behind,
                       .stop_behind = newline_behind,
                       .at_end = at_end};
}

/* `group`: \p{N}{1,3}, else \p{N}; `at_end`: white space at the subject's end is cut like any. */
INLINE uint64_t cl100k_begins(carry *c, const block *b, bool group, bool at_end)
{
    const uint64_t *m = b->class;
    uint64_t letter = m[CL100K_LETTER], number = m[CL100K_NUMBER], space = m[CL100K_SPACE];
    uint64_t newline = m[CL100K_NEWLINE], other = ~(letter | number | space) & low_bits(b->count);

    uint64_t after_other = next(other, c->other);
    uint64_t zone = newline & ~(newline + (newline & (after_other | c->zone)));
    uint64_t first = other & ~after_other & ~next(m[CL100K_BLANK], c->blank);
    uint64_t lone = to_all_bytes(b, first);
    uint64_t prefix = next(lone, c->lone) | next(space & ~newline, c->space & ~c->newline);
    uint64_t begins = first | (letter & ~next(letter, c->letter) & ~prefix);
    begins |= group ? number_groups(c, b, number) : number & ~b->follow;
    lookahead indent = indents(space, newline, b->behind >> CL100K_SPACE & 1,
                               b->behind >> CL100K_NEWLINE & 1, at_end);
    if (UNLIKELY(c->pending))
        settle(c, b, indent);
    begins |= space_begins(c, b, indent, space, zone);
    begins |= contraction_ends(c, b, m[CL100K_APOSTROPHE] & first);

    c->letter = top(b, letter);
    c->space = top(b, space);
    c->newline = top(b, newline);
    c->blank = top(b, m[CL100K_BLANK]);
    c->other = top(b, other);
    c->lone = top(b, lone);
    c->zone = top(b, zone);
    return begins;
}

#endif
