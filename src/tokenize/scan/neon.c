/* The scanners for NEON: 16 bytes in a register, four registers a block. */
#if defined __aarch64__
#include <arm_neon.h>

#define LXM_TARGET

#include "tokenize/scan/block.h"
#include "tokenize/scan/wide.h"

typedef struct text64 {
    uint8x16_t part[4];
} text64;

INLINE text64 load(const uint8_t *p)
{
    return (text64){{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
}

/* A bit for each byte, all of whose bits are the same: weights are added up pair by pair. */
INLINE uint64_t to_mask(text64 bytes)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t weight = vld1q_u8(weights);
    uint8x16_t low = vpaddq_u8(vandq_u8(bytes.part[0], weight), vandq_u8(bytes.part[1], weight));
    uint8x16_t high = vpaddq_u8(vandq_u8(bytes.part[2], weight), vandq_u8(bytes.part[3], weight));
    uint8x16_t sum = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

INLINE uint64_t not_below(text64 text, uint8_t byte)
{
    for (int i = 0; i < 4; i++)
        text.part[i] = vcgeq_u8(text.part[i], vdupq_n_u8(byte));
    return to_mask(text);
}

/* Bytes whose high nibble's bit is set in what the table has for their low nibble. */
INLINE uint64_t find(text64 text, const uint8_t *nibbles, const uint8_t *powers)
{
    uint8x16_t table = vld1q_u8(nibbles), power = vld1q_u8(powers);
    for (int i = 0; i < 4; i++) {
        uint8x16_t bits = vqtbl1q_u8(table, vandq_u8(text.part[i], vdupq_n_u8(0x0F)));
        text.part[i] = vtstq_u8(bits, vqtbl1q_u8(power, vshrq_n_u8(text.part[i], 4)));
    }
    return to_mask(text);
}

INLINE void find_ascii(const lxm_family *family, int classes, block *b, text64 text)
{
    static const uint8_t powers[16] = {1, 2, 4, 8, 16, 32, 64, 128};
    for (int i = 0; i < classes; i++)
        b->class[i] = find(text, family->nibbles[i], powers);
}

INLINE bool classify_usual(const lxm_family *family, int classes, block *b)
{
    text64 text = load(b->text);
    uint8x16_t all =
        vorrq_u8(vorrq_u8(text.part[0], text.part[1]), vorrq_u8(text.part[2], text.part[3]));
    find_ascii(family, classes, b, text);
    return vmaxvq_u8(all) >= 0x80;
}

/* Adds the classes of wide characters to those of ASCII. */
INLINE void classify_wide(const lxm_family *family, int classes, block *b)
{
    static const uint8_t lead_powers[16] = {[0xC] = 1, [0xD] = 2, [0xE] = 4, [0xF] = 8};
    uint8_t class[BLOCK + LOOKAHEAD] = {0};
    text64 text = load(b->text);
    find_ascii(family, classes, b, text);
    uint64_t wide = b->wide = not_below(text, 0x80);
    b->follow = wide & ~not_below(text, 0xC0);
    uint64_t leads = wide & ~b->follow, classified = wide;
    if (family->sparse) {
        leads &= find(text, family->leads, lead_powers);
        classified = to_all_bytes(b, leads);
    }
    classify_each(family, b->text, leads, class);
    uint32_t behind = cut_block(b);
    if (behind)
        b->behind = !(wide >> behind & 1)      ? family->ascii[b->text[behind]]
                    : classified >> behind & 1 ? class[behind]
                                               : 0;
    text = load(class);
    for (int i = 0; i < classes; i++) {
        text64 bits = text;
        for (int k = 0; k < 4; k++)
            bits.part[k] = vtstq_u8(bits.part[k], vdupq_n_u8((uint8_t)(1 << i)));
        b->class[i] = (b->class[i] | (to_mask(bits) & classified)) & low_bits(b->count);
    }
}

/* Eight at a time, whether there are as many or not: how often the loop runs can be foretold. */
INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    uint32_t *end = out + 2 * __builtin_popcountll(begins);
    for (; begins; out += 16)
        for (int i = 0; i < 8; i++, begins &= begins - 1)
            out[2 * i] = out[2 * i + 1] = base + lowest(begins | (uint64_t)1 << 63);
    return end;
}

INLINE void put_every_other(uint32_t *out, uint32_t base, uint64_t mask)
{
    for (; mask; out += 16)
        for (int i = 0; i < 8; i++, mask &= mask - 1)
            out[2 * i] = base + lowest(mask | (uint64_t)1 << 63);
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    put_every_other(out + open, base, begins);
    put_every_other(out + !open, base, ends);
    return out + __builtin_popcountll(begins) + __builtin_popcountll(ends);
}

#define LXM_SCANNERS lxm_scanners_neon
#include "tokenize/scan/scanners.h"
#else
typedef int lxm_no_neon; /* a file must have something in it */
#endif
