/* The scanners for AVX2: 32 bytes in a register, two registers a block. */
#if defined __x86_64__
#include <immintrin.h>

#define LXM_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "tokenize/scan/block.h"
#include "tokenize/scan/wide.h"

INLINE uint64_t sign_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

/* A byte's low nibble picks, for each class, the high nibbles that belong to it. For a byte that
 * isn't ASCII pshufb yields 0, which never equals its high nibble's bits. */
INLINE void find_ascii(const lxm_family *family, int classes, block *b, __m256i low, __m256i high)
{
    const __m256i nibble = _mm256_set1_epi8(0x0F);
    const __m256i powers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, -1, -1, -1, -1, -1, -1, -1, -1));
    __m256i low_bit =
        _mm256_shuffle_epi8(powers, _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble));
    __m256i high_bit =
        _mm256_shuffle_epi8(powers, _mm256_and_si256(_mm256_srli_epi16(high, 4), nibble));
    for (int i = 0; i < classes; i++) {
        __m256i table = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)family->nibbles[i]));
        __m256i in_low = _mm256_and_si256(_mm256_shuffle_epi8(table, low), low_bit);
        __m256i in_high = _mm256_and_si256(_mm256_shuffle_epi8(table, high), high_bit);
        b->class[i] =
            sign_bits(_mm256_cmpeq_epi8(in_low, low_bit), _mm256_cmpeq_epi8(in_high, high_bit));
    }
}

INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE bool classify_ascii(const lxm_family *family, int classes, block *b)
{
    __m256i low = load(b->text), high = load(b->text + 32);
    find_ascii(family, classes, b, low, high);
    return _mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0;
}

/* Adds the classes of wide characters to those of ASCII. */
INLINE void classify_wide(const lxm_family *family, int classes, block *b)
{
    uint8_t class[BLOCK + LOOKAHEAD] __attribute__((aligned(32)));
    const __m256i lead = _mm256_set1_epi8((char)0xC0);
    __m256i low = load(b->text), high = load(b->text + 32);
    find_ascii(family, classes, b, low, high);
    uint64_t wide = b->wide = sign_bits(low, high);
    b->follow = wide & sign_bits(_mm256_cmpgt_epi8(lead, low), _mm256_cmpgt_epi8(lead, high));
    classify_each(family, b->text, wide & ~b->follow, class);
    uint32_t behind = cut_block(b);
    if (behind)
        b->behind = wide >> behind & 1 ? class[behind] : family->ascii[b->text[behind]];
    low = load(class);
    high = load(class + 32);
    for (int i = 0; i < classes; i++) {
        uint64_t mask =
            sign_bits(_mm256_slli_epi16(low, 7 - i), _mm256_slli_epi16(high, 7 - i)) & wide;
        b->class[i] = (b->class[i] | mask) & low_bits(b->count);
    }
}

/* Eight at a time, whether there are as many or not: how often the loop runs can be foretold. */
INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    uint32_t *end = out + 2 * __builtin_popcountll(begins);
    for (; begins; out += 16)
        for (int i = 0; i < 8; i++, begins &= begins - 1)
            out[2 * i] = out[2 * i + 1] = base + (uint32_t)_tzcnt_u64(begins);
    return end;
}

INLINE void put_every_other(uint32_t *out, uint32_t base, uint64_t mask)
{
    for (; mask; out += 16)
        for (int i = 0; i < 8; i++, mask &= mask - 1)
            out[2 * i] = base + (uint32_t)_tzcnt_u64(mask);
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    put_every_other(out + open, base, begins);
    put_every_other(out + !open, base, ends);
    return out + __builtin_popcountll(begins) + __builtin_popcountll(ends);
}

#define LXM_SCANNERS lxm_scanners_avx2
#include "tokenize/scan/scanners.h"
#else
typedef int lxm_no_avx2;
#endif
