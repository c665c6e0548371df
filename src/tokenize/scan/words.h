/*
 * words: letters (ideographs apart), marks and numbers are a word; single joiners hold its parts
 * together, and . and , those of a number. Any other character that can be seen is a token, with
 * marks and with what emoji sequences have behind it.
 */
#ifndef LXM_TOKENIZE_SCAN_WORDS_H
#define LXM_TOKENIZE_SCAN_WORDS_H

#include "tokenize/scan/block.h"

typedef struct words_masks {
    uint64_t alphanumeric, digit, joiner, point, gap, mark;
    uint64_t extension; /* characters, but for marks, that belong to the token before them */
} words_masks;

/* A zero width joiner holds a symbol to the token before it. */
INLINE void join_symbol(carry *c, const block *b, words_masks *m, uint32_t at)
{
    const uint8_t *p = b->text + at + 3;
    lxm_kind kind = at + 3 == b->count && b->last ? LXM_KIND_OTHER
                    : p[0] < 0x80                 ? LXM_KIND_OTHER
                                                  : (lxm_kind)wide_kind(p);
    if (kind != LXM_KIND_SYMBOL && kind != LXM_KIND_REGIONAL)
        return;
    m->extension |= (uint64_t)7 << at;
    if (at + 3 == b->count)
        c->absorbed = 1;
    else
        m->extension |= to_all_bytes(b, (uint64_t)1 << (at + 3));
}

/* Zero width joiners, tags, skin tones, regional indicators: what they are depends on the token
 * before them. `words` are the bytes of words. */
OUTLINE void find_extensions(carry *c, const block *b, words_masks *m, uint64_t special,
                             uint64_t word_mark)
{
    uint64_t seen = ~(m->alphanumeric | m->gap | word_mark) & low_bits(b->count);
    uint64_t flag = c->flag; /* behind a regional indicator that has no second yet */
    m->extension = to_all_bytes(b, c->absorbed);
    c->flag = c->absorbed = 0;
    for (uint64_t rest = special & ~b->follow; rest; rest &= rest - 1) {
        uint32_t at = lowest(rest);
        uint64_t bit = rest & -rest;
        lxm_kind kind = (lxm_kind)wide_kind(b->text + at);
        bool symbol = next(seen | m->extension, c->covered & ~c->word) & bit;
        if (m->extension & bit)
            continue;
        if (kind == LXM_KIND_ZWJ && symbol)
            join_symbol(c, b, m, at);
        else if (kind == LXM_KIND_TAG || kind == LXM_KIND_SKIN_TONE)
            m->extension |= symbol ? to_all_bytes(b, bit) : 0;
        else if (kind == LXM_KIND_REGIONAL && (flag & bit))
            m->extension |= to_all_bytes(b, bit);
        else if (kind == LXM_KIND_REGIONAL)
            set_bit(b, &flag, &c->flag, at + 4);
    }
}

/* Joiners between parts of a word, all their bytes. */
INLINE uint64_t find_joined(const carry *c, const block *b, const words_masks *m, uint64_t word)
{
    uint64_t word_behind = b->behind >> WORDS_ALPHANUMERIC & 1;
    uint64_t digit_behind = b->behind >> WORDS_DIGIT & word_behind;
    uint64_t before_word = m->alphanumeric >> 1 | word_behind << (b->count - 1);
    uint64_t before_digit = m->digit >> 1 | digit_behind << (b->count - 1);
    uint64_t joiner = to_all_bytes(b, m->joiner & next(word, c->word)) & before_word;
    uint64_t point = m->point & next(m->digit, c->number) & before_digit;
    if (UNLIKELY(joiner & b->wide))
        joiner = to_all_bytes(b, to_first_byte(b, joiner));
    return joiner | point;
}

INLINE token_edges words_edges(carry *c, const block *b)
{
    const uint64_t *class = b->class;
    words_masks m = {class[WORDS_ALPHANUMERIC],
                     class[WORDS_DIGIT],
                     class[WORDS_JOINER],
                     class[WORDS_POINT],
                     class[WORDS_GAP],
                     0,
                     0};
    uint64_t word = m.alphanumeric;
    if (UNLIKELY(b->wide | c->absorbed | c->flag)) {
        uint64_t special = m.digit & ~m.alphanumeric;
        m.digit ^= special;
        m.mark = m.point & b->wide;
        m.point ^= m.mark;
        word |= flood(m.mark, m.mark & next(m.alphanumeric, c->word));
        if (special | c->absorbed) {
            /* On copies, so that the originals stay in registers. */
            carry after = *c;
            block copy = *b;
            words_masks found = m;
            find_extensions(&after, &copy, &found, special, word & m.mark);
            m.extension = found.extension;
            c->flag = after.flag;
            c->absorbed = after.absorbed;
        } else {
            c->flag = 0;
        }
    }
    uint64_t joined = find_joined(c, b, &m, word);
    word |= joined;
    uint64_t covered = (~m.gap | joined | m.extension) & low_bits(b->count);
    uint64_t other = covered & ~(word | m.mark | m.extension);
    uint64_t begins = (word & ~next(word, c->word)) | (other & ~b->follow) |
                      (m.mark & ~word & ~next(covered, c->covered));
    c->word = top(b, word);
    c->number = top(b, m.digit);
    return edges_of(c, b, begins, covered);
}

#endif
