/*
 * A block is up to 64 bytes, whole characters, and for each class a mask: bit i is set if byte i is
 * part of a character of that class. Where tokens begin is worked out on these masks, 64 bytes at a
 * time; what a block must know of the one before is the carry.
 *
 * The headers of this folder are a template. A file for one instruction set defines LXM_TARGET, the
 * attribute that asks the compiler for it, and includes them.
 */
#ifndef LXM_TOKENIZE_SCAN_BLOCK_H
#define LXM_TOKENIZE_SCAN_BLOCK_H

#include <stdbool.h>
#include <string.h>

#include "tokenize/scan/family.h"

#define INLINE static inline __attribute__((always_inline)) LXM_TARGET
#define OUTLINE static __attribute__((noinline)) LXM_TARGET
#define LIKELY(x) __builtin_expect((x) != 0, 1)
#define UNLIKELY(x) __builtin_expect((x) != 0, 0)

/* Bytes behind a block's first 64 that may be looked at. What stands before the last LOOKAHEAD
 * bytes of a text is decided, but for runs that reach its end. */
enum { BLOCK = 64, LOOKAHEAD = 8 };

typedef struct block {
    const uint8_t *text; /* BLOCK + LOOKAHEAD bytes may be read */
    uint32_t base;       /* position of text[0] in the subject */
    uint32_t count;      /* bytes that count: whole characters */
    bool last;           /* the text ends here ... */
    bool final;          /* ... and so does the subject */
    uint64_t wide;       /* bytes of characters that are not ASCII */
    uint64_t follow;     /* those but the first of such a character */
    uint8_t behind;      /* classes of the character behind the block; 0 where the text ends */
    uint64_t class[8];
} block;

/* One bit for each class of the last character, and what else reaches into the next block. A field
 * that a family doesn't use costs nothing. */
typedef struct carry {
    uint64_t letter, number, other, space, blank, newline, lone, zone;
    uint64_t lower, both, inner, suffix, word, covered, second, flag, absorbed;
    uint64_t digits;      /* in the group that isn't ended */
    uint64_t begin, hide; /* bits to be set and cleared in the next block */
    bool pending;         /* whether a token begins at `pending_at` depends on what follows */
    bool late;            /* one begins at `late_at`: put out before what this block has */
    uint32_t pending_at, late_at;
} carry;

/* Bit i: a token begins, or has ended, at byte i. Without gaps between tokens `begins` says all. */
typedef struct token_edges {
    uint64_t begins, ends;
} token_edges;

/* `count` is 1 to 64. */
INLINE uint64_t low_bits(uint32_t count)
{
    return ~(uint64_t)0 >> (64 - count);
}

/* The mask as seen from the next byte. */
INLINE uint64_t next(uint64_t mask, uint64_t carry_in)
{
    return mask << 1 | carry_in;
}

INLINE uint64_t top(const block *b, uint64_t mask)
{
    return mask >> (b->count - 1) & 1;
}

INLINE uint32_t lowest(uint64_t mask)
{
    return (uint32_t)__builtin_ctzll(mask);
}

INLINE uint64_t highest_bit(uint64_t mask)
{
    return (uint64_t)1 << (63 - __builtin_clzll(mask));
}

/* The kind of a character that isn't ASCII. */
INLINE uint8_t wide_kind(const uint8_t *p)
{
    uint32_t row, column;
    if (p[0] < 0xE0) {
        row = p[0] & 0x1F;
        column = p[1];
    } else if (p[0] < 0xF0) {
        row = (uint32_t)(p[0] & 0x0F) << 6 | (p[1] & 0x3F);
        column = p[2];
    } else {
        row = (uint32_t)(p[0] & 0x07) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        column = p[3];
    }
    return lxm_kind_rows[lxm_kind_row[row]][column & 0x3F];
}

INLINE uint8_t classes_at(const lxm_family *family, const uint8_t *p)
{
    return LIKELY(p[0] < 0x80) ? family->ascii[p[0]] : family->kinds[wide_kind(p)];
}

/* From the last byte of each character in the mask to its first. */
INLINE uint64_t to_first_byte(const block *b, uint64_t mask)
{
    for (uint64_t cut; UNLIKELY((cut = mask & b->follow) != 0);)
        mask = (mask ^ cut) | cut >> 1;
    return mask;
}

/* From the first byte of each character in the mask to all of them. */
INLINE uint64_t to_all_bytes(const block *b, uint64_t mask)
{
    if (UNLIKELY(b->wide))
        for (int i = 0; i < 3; i++)
            mask |= mask << 1 & b->follow;
    return mask;
}

/* The last character of each run of white space that something else follows, at its first byte;
 * white space at the end of a subject is followed by nothing. */
INLINE uint64_t last_of_run(const block *b, uint64_t space, bool space_behind)
{
    uint64_t following = space >> 1 | (uint64_t)(space_behind || b->last) << (b->count - 1);
    return to_first_byte(b, space & ~following);
}

/* Bytes of s, d, m, t, ll, ve, re; 0 for anything else. With `fold` in any case, which makes U+017F
 * an s. */
INLINE uint32_t contraction(const uint8_t *p, bool fold)
{
    uint8_t ignore = fold ? 0x20 : 0;
    switch (p[0] | ignore) {
    case 's':
    case 'd':
    case 'm':
    case 't':
        return 1;
    case 'l':
        return (p[1] | ignore) == 'l' ? 2 : 0;
    case 'v':
    case 'r':
        return (p[1] | ignore) == 'e' ? 2 : 0;
    default:
        return fold && p[0] == 0xC5 && p[1] == 0xBF ? 2 : 0;
    }
}

/* Those of the runs of `run` beginning at the bits of `first` that no character of `stop` follows.
 * Where the block ends first, the decision about the last one is left open. */
typedef struct lookahead {
    uint64_t run, first, stop;
    bool run_behind, stop_behind; /* the character behind the block */
    bool at_end;                  /* whether one that the subject's end follows counts */
} lookahead;

INLINE uint64_t not_followed(carry *c, const block *b, lookahead a)
{
    uint64_t sum = a.run + a.first, aligned;
    uint32_t unused = 64 - b->count;
    bool open = __builtin_add_overflow(a.run << unused, a.first << unused, &aligned);
    for (uint64_t bad = sum & ~a.run & a.stop; UNLIKELY(bad); bad &= bad - 1)
        a.first ^= highest_bit(a.first & ((bad & -bad) - 1));
    if (LIKELY(!open))
        return a.first;
    if (b->last ? b->final && a.at_end : !a.run_behind && !a.stop_behind)
        return a.first;
    uint64_t undecided = highest_bit(a.first);
    c->pending = b->last ? !b->final : !a.stop_behind;
    c->pending_at = b->base + lowest(undecided);
    return a.first ^ undecided;
}

/* Decides about the run that was left open, if this block lets it: where it stays open the next
 * block goes on with it. */
INLINE void settle(carry *c, const block *b, lookahead a)
{
    uint64_t rest = ~a.run & low_bits(b->count);
    c->late_at = c->pending_at;
    if (rest) {
        c->pending = false;
        c->late = !(a.stop & rest & -rest);
    } else if (b->last ? b->final : !a.run_behind) {
        c->pending = false;
        c->late = b->last ? a.at_end : !a.stop_behind;
    }
}

/* Sets a bit that may belong to the next block. */
INLINE void set_bit(const block *b, uint64_t *mask, uint64_t *carried, uint32_t bit)
{
    if (bit < b->count)
        *mask |= (uint64_t)1 << bit;
    else
        *carried |= (uint64_t)1 << (bit - b->count);
}

/* What can be reached from the seeds over the bits of a mask that stand side by side. */
INLINE uint64_t flood(uint64_t mask, uint64_t seeds)
{
    return (((mask + seeds) ^ mask) | seeds) & mask;
}

/* The edges of tokens that begin at some bits and cover others. */
INLINE token_edges edges_of(carry *c, const block *b, uint64_t begins, uint64_t covered)
{
    uint64_t ends = next(covered, c->covered) & (begins | ~covered);
    c->covered = top(b, covered);
    return (token_edges){begins, ends};
}

/* Where groups of three begin in runs of numbers, and how many numbers the last group has if the
 * run reaches the block's end. Passed by value, so that blocks and carries stay in registers. */
typedef struct groups {
    uint64_t begins, digits;
} groups;

/* Of numbers that are not all ASCII; `follow` are the bytes but the first of each. */
OUTLINE groups wide_number_groups(uint64_t number, uint64_t follow, uint64_t digits, uint32_t count)
{
    groups g = {0, digits};
    uint64_t before = number << 1 | (digits != 0);
    for (uint64_t m = number & ~follow; m; m &= m - 1) {
        uint64_t bit = m & -m;
        if (!(before & bit) || g.digits == 3) {
            g.begins |= bit;
            g.digits = 0;
        }
        g.digits++;
    }
    if (!(number >> (count - 1) & 1))
        g.digits = 0;
    return g;
}

/* A group begins where a run does, and three bytes behind another where the run goes on that far.
 * In two steps that finds up to four groups, without a branch, and doubling them all others. */
INLINE uint64_t ascii_number_groups(uint64_t number, uint64_t digits)
{
    uint64_t numbers_before = 7 << (3 - digits) & 7, begin_before = 8 >> digits & 7;
    uint64_t far = number & (number << 1 | numbers_before >> 2) &
                   (number << 2 | numbers_before >> 1) & (number << 3 | numbers_before);
    uint64_t begins = number & ~(number << 1 | numbers_before >> 2);
    begins |= (begins << 3 | begin_before) & far;
    far &= far << 3;
    begins |= (begins << 6 | begin_before << 3) & far;
    for (uint32_t step = 12; UNLIKELY(far &= far << step / 2); step *= 2)
        begins |= (begins << step | begin_before << (step - 3)) & far;
    return begins;
}

/* \p{N}{1,3} */
INLINE uint64_t number_groups(carry *c, const block *b, uint64_t number)
{
    if (UNLIKELY(number & b->wide)) {
        groups g = wide_number_groups(number, b->follow, c->digits, b->count);
        c->digits = g.digits;
        return g.begins;
    }
    uint64_t begins = ascii_number_groups(number, c->digits);
    uint64_t last = begins << (64 - b->count) | 1;
    c->digits = top(b, number) ? (uint64_t)__builtin_clzll(last) + 1 : 0;
    return begins;
}

#endif
