/*
 * gpt2: '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * A token begins where the class changes, save that a single U+0020 draws what follows it to
 * itself; the last character of a run of white space stands apart from the run.
 */
#ifndef LXM_TOKENIZE_SCAN_GPT2_H
#define LXM_TOKENIZE_SCAN_GPT2_H

#include "tokenize/scan/block.h"

/* An apostrophe with which a token begins, and the letters that make a contraction of it: they go
 * together, and the next token begins behind them. */
INLINE uint64_t gpt2_contractions(carry *c, const block *b, uint64_t begins, uint64_t apostrophe)
{
    begins = (begins & ~c->hide) | c->begin;
    c->hide = c->begin = 0;
    uint64_t one = 0, two = 0, m = apostrophe & begins; /* by how many letters there are */
    if (!m)
        return begins;
    for (; m; m &= m - 1) {
        uint32_t length = contraction(b->text + lowest(m) + 1, false);
        one |= length == 1 ? m & -m : 0;
        two |= length == 2 ? m & -m : 0;
    }
    uint32_t unused = 64 - b->count;
    c->hide = (one | two) << unused >> 63;
    c->begin = one << unused >> 62 | two << unused >> 61;
    return (begins & ~((one | two) << 1)) | one << 2 | two << 3;
}

INLINE uint64_t gpt2_begins(carry *c, const block *b)
{
    const uint64_t *m = b->class;
    uint64_t letter = m[GPT2_LETTER], number = m[GPT2_NUMBER], space = m[GPT2_SPACE];
    uint64_t other = ~(letter | number | space);
    uint64_t same = (letter & next(letter, c->letter)) | (number & next(number, c->number)) |
                    (space & next(space, c->space)) | (other & next(other, c->other));
    uint64_t joined = next(m[GPT2_BLANK], c->blank) & ~space;
    uint64_t begins = ~(same | joined) | last_of_run(b, space, b->behind >> GPT2_SPACE & 1);
    begins = gpt2_contractions(c, b, begins, m[GPT2_APOSTROPHE]);
    c->letter = top(b, letter);
    c->number = top(b, number);
    c->space = top(b, space);
    c->other = top(b, other);
    c->blank = top(b, m[GPT2_BLANK]);
    return begins;
}

#endif
