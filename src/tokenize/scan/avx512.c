/* The scanners for AVX-512 with VBMI: a block is a register, a mask is a mask register. */
#if defined __x86_64__
#include <immintrin.h>

#define LXM_TARGET                                                                                 \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,"    \
                          "avx512vbmi2")))

#include "tokenize/scan/block.h"
#include "tokenize/scan/wide.h"

INLINE __m512i classify_slowly(const lxm_family *family, block *b, __m512i text, __m512i ascii)
{
    uint8_t class[BLOCK + LOOKAHEAD] __attribute__((aligned(64)));
    b->follow = b->wide & _mm512_cmplt_epi8_mask(text, _mm512_set1_epi8((char)0xC0));
    cut_block(b);
    classify_wide(family, b, class);
    __m512i classes = _mm512_mask_mov_epi8(ascii, b->wide, _mm512_load_si512(class));
    return _mm512_maskz_mov_epi8(low_bits(b->count), classes);
}

INLINE __m512i look_up(const lxm_family *family, __m512i text)
{
    __m512i low = _mm512_loadu_si512(family->ascii), high = _mm512_loadu_si512(family->ascii + 64);
    return _mm512_permutex2var_epi8(low, text, high);
}

INLINE void to_masks(int classes, block *b, __m512i class)
{
    for (int i = 0; i < classes; i++)
        b->class[i] = _mm512_test_epi8_mask(class, _mm512_set1_epi8((char)(1 << i)));
}

INLINE bool classify_ascii(const lxm_family *family, int classes, block *b)
{
    __m512i text = _mm512_loadu_si512(b->text);
    to_masks(classes, b, look_up(family, text));
    return _mm512_movepi8_mask(text) != 0;
}

INLINE void classify(const lxm_family *family, int classes, block *b)
{
    __m512i text = _mm512_loadu_si512(b->text), class = look_up(family, text);
    b->wide = _mm512_movepi8_mask(text);
    if (b->wide)
        class = classify_slowly(family, b, text, class);
    else
        class = _mm512_maskz_mov_epi8(low_bits(b->count), class);
    to_masks(classes, b, class);
}

static const uint8_t iota[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* Which byte goes to which 32-bit number: 0 0 1 1 2 2 ..., and from two registers 0 64 1 65 ... */
static const uint8_t twice[64] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0,
                                  0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0,
                                  5, 0, 0, 0, 6, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 7, 0, 0, 0};
static const uint8_t zipped[64] = {0, 0, 0, 0, 64, 0, 0, 0, 1, 0, 0, 0, 65, 0, 0, 0,
                                   2, 0, 0, 0, 66, 0, 0, 0, 3, 0, 0, 0, 67, 0, 0, 0,
                                   4, 0, 0, 0, 68, 0, 0, 0, 5, 0, 0, 0, 69, 0, 0, 0,
                                   6, 0, 0, 0, 70, 0, 0, 0, 7, 0, 0, 0, 71, 0, 0, 0};

/* Eight tokens are written at a time, whether there are as many or not: as often as most blocks
 * need, for a loop whose end can't be foretold costs more. */
#ifndef AT_ONCE
#define AT_ONCE 3
#endif
#define EACH_DWORD 0x1111111111111111

INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    uint32_t *end = out + 2 * __builtin_popcountll(begins);
    __m512i at = _mm512_maskz_compress_epi8(begins, _mm512_loadu_si512(iota));
    __m512i pick = _mm512_loadu_si512(twice), add = _mm512_set1_epi32((int)base);
    for (int i = 0; i < AT_ONCE || UNLIKELY(out < end); i++, out += 16) {
        __m512i edges = _mm512_maskz_permutexvar_epi8(EACH_DWORD, pick, at);
        _mm512_storeu_si512(out, _mm512_add_epi32(edges, add));
        pick = _mm512_add_epi8(pick, _mm512_set1_epi32(8));
    }
    return end;
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    uint64_t even = open ? ends : begins, odd = open ? begins : ends;
    uint32_t *end = out + __builtin_popcountll(begins) + __builtin_popcountll(ends);
    __m512i all = _mm512_loadu_si512(iota);
    __m512i at_even = _mm512_maskz_compress_epi8(even, all);
    __m512i at_odd = _mm512_maskz_compress_epi8(odd, all);
    __m512i pick = _mm512_loadu_si512(zipped), add = _mm512_set1_epi32((int)base);
    for (int i = 0; i < AT_ONCE || UNLIKELY(out < end); i++, out += 16) {
        __m512i edges = _mm512_maskz_permutex2var_epi8(EACH_DWORD, at_even, pick, at_odd);
        _mm512_storeu_si512(out, _mm512_add_epi32(edges, add));
        pick = _mm512_add_epi8(pick, _mm512_set1_epi32(8));
    }
    return end;
}

#define LXM_SCANNERS lxm_scanners_avx512
#include "tokenize/scan/scanners.h"
#else
typedef int lxm_no_avx512;
#endif
