/* whitespace, bert and book: tokens stand between breaks, save for characters that stand alone. */
#ifndef LXM_TOKENIZE_SCAN_PLAIN_H
#define LXM_TOKENIZE_SCAN_PLAIN_H

#include "tokenize/scan/block.h"

INLINE token_edges whitespace_edges(carry *c, const block *b)
{
    uint64_t covered = ~b->class[WHITESPACE_SPACE] & low_bits(b->count);
    return edges_of(c, b, covered & ~next(covered, c->covered), covered);
}

INLINE token_edges bert_edges(carry *c, const block *b)
{
    uint64_t covered = ~b->class[BERT_SPACE] & low_bits(b->count);
    uint64_t alone = b->class[BERT_ALONE], word = covered & ~alone;
    uint64_t begins = (alone & ~b->follow) | (word & ~next(word, c->word));
    c->word = top(b, word);
    return edges_of(c, b, begins, covered);
}

/* Of the hyphens in a row every second one that another follows: with that one it is a dash. */
INLINE uint64_t dashes(carry *c, const block *b, uint64_t hyphen)
{
    const uint64_t every_second = 0x5555555555555555;
    uint64_t free = hyphen & ~c->second;
    uint64_t behind = (uint64_t)(!b->last && b->text[b->count] == '-') << (b->count - 1);
    uint64_t dash = 0;
    for (uint64_t rest = free & (free >> 1 | behind); UNLIKELY(rest);) {
        uint64_t bit = rest & -rest, run = rest & ~(rest + bit);
        dash |= every_second << lowest(rest) & run;
        rest ^= run;
    }
    return dash;
}

/* --|[,.:;?_!"()']|(?:[^\-\s,.:;?_!"()']|-(?!-))+ */
INLINE token_edges book_edges(carry *c, const block *b)
{
    uint64_t covered = ~b->class[BOOK_BREAK] & low_bits(b->count);
    uint64_t dash = dashes(c, b, b->class[BOOK_HYPHEN]);
    uint64_t alone = b->class[BOOK_PUNCTUATION] | dash;
    uint64_t word = covered & ~(alone | next(dash, c->second));
    uint64_t begins = alone | (word & ~next(word, c->word));
    c->word = top(b, word);
    c->second = top(b, dash);
    return edges_of(c, b, begins, covered);
}

#endif
