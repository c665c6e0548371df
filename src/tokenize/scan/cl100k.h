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

/* Whether a token begins with the indent that was left open: not if a new line follows it. */
INLINE void settle_indent(carry *c, const block *b, uint64_t indent, uint64_t newline, bool at_end)
{
    uint64_t rest = ~indent & low_bits(b->count);
    c->late_at = c->pending_at;
    if (rest) {
        c->pending = false;
        c->late = !(newline & rest & -rest);
    } else if (b->last && b->final) {
        c->pending = false;
        c->late = at_end;
    }
}

/* Of the indents (white space behind a new line) those that no new line follows; where the block
 * ends first the decision is left open. */
INLINE uint64_t indents(carry *c, const block *b, uint64_t indent, uint64_t first, uint64_t newline,
                        uint8_t behind, bool at_end)
{
    uint64_t sum, beyond = b->count < 64 ? (uint64_t)1 << b->count : 0;
    bool open = __builtin_add_overflow(indent, first, &sum) || (sum & beyond);
    for (uint64_t bad = sum & ~indent & newline; UNLIKELY(bad); bad &= bad - 1)
        first ^= highest_bit(first & ((bad & -bad) - 1));
    if (LIKELY(!open))
        return first;
    bool newline_behind = behind >> CL100K_NEWLINE & 1, space_behind = behind >> CL100K_SPACE & 1;
    if (b->last ? b->final && at_end : !space_behind)
        return first;
    uint64_t undecided = highest_bit(first);
    c->pending = b->last ? !b->final : !newline_behind;
    c->pending_at = b->base + lowest(undecided);
    return first ^ undecided;
}

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

/* White space: `rest` is what no zone has. */
INLINE uint64_t space_begins(carry *c, const block *b, uint64_t space, uint64_t newline,
                             uint64_t zone, uint8_t behind, bool at_end)
{
    uint64_t indent = space & ~newline, after_zone = next(zone, c->zone);
    uint64_t begins = (space & ~next(space, c->space) & ~zone) | (indent & after_zone);
    begins |= last_of_run(b, space, behind >> CL100K_SPACE & 1) & ~newline;
    if (UNLIKELY(c->pending))
        settle_indent(c, b, indent, newline, at_end);
    uint64_t first = indent & next(newline, c->newline) & ~after_zone;
    return begins | indents(c, b, indent, first, newline, behind, at_end);
}

/* `group`: \p{N}{1,3}, else \p{N}; `at_end`: white space at the subject's end is cut like any. */
INLINE uint64_t cl100k_begins(carry *c, const block *b, bool group, bool at_end)
{
    const uint64_t *m = b->class;
    uint64_t letter = m[CL100K_LETTER], number = m[CL100K_NUMBER], space = m[CL100K_SPACE];
    uint64_t newline = m[CL100K_NEWLINE], other = ~(letter | number | space) & low_bits(b->count);
    uint8_t behind = classes_behind(&lxm_family_cl100k, b);

    uint64_t after_other = next(other, c->other);
    uint64_t zone = newline & ~(newline + (newline & (after_other | c->zone)));
    uint64_t first = other & ~after_other & ~next(m[CL100K_BLANK], c->blank);
    uint64_t lone = to_all_bytes(b, first);
    uint64_t prefix = next(lone, c->lone) | next(space & ~newline, c->space & ~c->newline);
    uint64_t begins = first | (letter & ~next(letter, c->letter) & ~prefix);
    begins |= group ? number_groups(c, b, number) : number & ~b->follow;
    begins |= space_begins(c, b, space, newline, zone, behind, at_end);
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
