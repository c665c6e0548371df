/* Blocks with characters that are not ASCII. */
#ifndef LXM_TOKENIZE_SCAN_WIDE_H
#define LXM_TOKENIZE_SCAN_WIDE_H

#include "tokenize/scan/block.h"

/* Leaves the last character, which may not be whole, to the next block: so it is the one behind
 * this block, and its classes are known. Returns where it begins; 0 where the text ends. */
INLINE uint32_t cut_block(block *b)
{
    if (b->last)
        return 0;
    b->count = 63 - (uint32_t)__builtin_clzll(~b->follow);
    b->wide &= low_bits(b->count);
    b->follow &= low_bits(b->count);
    return b->count;
}

/* Writes the classes of the wide characters at the bits of `leads` to all their bytes, and to some
 * behind them: in order, so that only bytes of other characters must be restored. */
INLINE void classify_each(const lxm_family *family, const uint8_t *text, uint64_t leads,
                          uint8_t *class)
{
    for (uint64_t m = leads; m; m &= m - 1) {
        uint32_t at = lowest(m);
        memset(class + at, family->kinds[wide_kind(text + at)], 4);
    }
}

#endif
