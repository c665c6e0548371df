/* The scanners in plain C: the reference of the other variants. */
#define LXM_TARGET

#include "tokenize/scan/block.h"

/* Eight bytes as a number, the first byte lowest. */
INLINE uint64_t load_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* One bit of each of 64 bytes. */
INLINE uint64_t gather_bit(const uint8_t *bytes, int bit)
{
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t flags = load_word(bytes + 8 * i) >> bit & 0x0101010101010101;
        mask |= (flags * 0x0102040810204080 >> 56) << 8 * i;
    }
    return mask;
}

#include "tokenize/scan/wide.h"

INLINE bool classify_usual(const lxm_family *family, int classes, block *b)
{
    uint8_t class[BLOCK];
    uint64_t sign = 0;
    for (int i = 0; i < BLOCK; i += 8)
        sign |= load_word(b->text + i);
    if (sign & 0x8080808080808080)
        return true;
    for (int i = 0; i < BLOCK; i++)
        class[i] = family->ascii[b->text[i]];
    for (int i = 0; i < classes; i++)
        b->class[i] = gather_bit(class, i);
    return false;
}

INLINE void classify_wide(const lxm_family *family, int classes, block *b)
{
    uint8_t class[BLOCK + LOOKAHEAD] = {0};
    b->wide = gather_bit(b->text, 7);
    b->follow = b->wide & ~gather_bit(b->text, 6);
    classify_each(family, b->text, b->wide & ~b->follow, class);
    for (int i = 0; i < BLOCK; i++)
        class[i] = b->text[i] < 0x80 ? family->ascii[b->text[i]] : class[i];
    uint32_t behind = cut_block(b);
    if (behind)
        b->behind = class[behind];
    for (int i = 0; i < classes; i++)
        b->class[i] = gather_bit(class, i) & low_bits(b->count);
}

INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    for (; begins; begins &= begins - 1, out += 2)
        out[0] = out[1] = base + lowest(begins);
    return out;
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    uint32_t *begin = out + open, *end = out + !open;
    for (; begins; begins &= begins - 1, begin += 2)
        *begin = base + lowest(begins);
    for (; ends; ends &= ends - 1, end += 2)
        *end = base + lowest(ends);
    return begin < end ? begin : end;
}

#define LXM_SCANNERS lxm_scanners_scalar
#include "tokenize/scan/scanners.h"
