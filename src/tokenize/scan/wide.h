/* Characters that are not ASCII, one by one. */
#ifndef LXM_TOKENIZE_SCAN_WIDE_H
#define LXM_TOKENIZE_SCAN_WIDE_H

#include "tokenize/scan/block.h"

/* Leaves to the next block a character that doesn't fit in this one. Without a branch: where in a
 * character a block ends can't be foretold. */
INLINE void cut_block(block *b)
{
    const uint8_t *p = b->text;
    uint32_t cut = (uint32_t)(p[63] >= 0xC0) | (uint32_t)(p[62] >= 0xE0) << 1 |
                   (uint32_t)(p[61] >= 0xF0) << 2 | 8;
    if (b->count == BLOCK)
        b->count -= (lowest(cut) + 1) & 3;
    b->wide &= low_bits(b->count);
    b->follow &= low_bits(b->count);
}

/* Writes the classes of each wide character to all its bytes, and to some behind it that belong to
 * the next character: in order, so that only ASCII must be restored. */
INLINE void classify_wide(const lxm_family *family, const block *b, uint8_t *class)
{
    for (uint64_t m = b->wide & ~b->follow; m; m &= m - 1) {
        uint32_t at = lowest(m);
        memset(class + at, family->kinds[wide_kind(b->text + at)], 4);
    }
}

#endif
