/* UTF-8 validation 64 bytes at a time. */
#include "base/utf8.h"

#ifdef LXM_UTF8_AVX512

#include <immintrin.h>
#include <stdbool.h>

#include "base/utf8_pairs.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")))

AVX512 static inline __m512i table(const uint8_t *entries)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)entries));
}

AVX512 static inline __m512i high_halves(__m512i bytes)
{
    return _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(0x0F));
}

/* What is wrong with pairs of bytes: `bytes` and the ones before each. */
AVX512 static inline __m512i wrong_pairs(__m512i bytes, __m512i before)
{
    __m512i low = _mm512_and_si512(before, _mm512_set1_epi8(0x0F));
    __m512i a = _mm512_shuffle_epi8(table(first_high), high_halves(before));
    __m512i b = _mm512_shuffle_epi8(table(first_low), low);
    __m512i c = _mm512_shuffle_epi8(table(second_high), high_halves(bytes));
    return _mm512_ternarylogic_epi32(a, b, c, 0x80); /* all three */
}

/* Whether something is wrong with a vector that stands behind `before`. */
AVX512 static inline bool is_wrong(__m512i bytes, __m512i before)
{
    /* quadwords 6 and 7 of the one before, then 0 to 5: for each lane the lane before it */
    const __m512i lanes = _mm512_setr_epi64(6, 7, 8, 9, 10, 11, 12, 13);
    __m512i between = _mm512_permutex2var_epi64(before, lanes, bytes);
    __m512i pairs = wrong_pairs(bytes, _mm512_alignr_epi8(bytes, between, 15));
    /* the third and fourth byte of a sequence follow a continuation, and must */
    __m512i third =
        _mm512_subs_epu8(_mm512_alignr_epi8(bytes, between, 14), _mm512_set1_epi8(0xE0 - 0x80));
    __m512i fourth =
        _mm512_subs_epu8(_mm512_alignr_epi8(bytes, between, 13), _mm512_set1_epi8(0xF0 - 0x80));
    __m512i due = _mm512_and_si512(_mm512_or_si512(third, fourth), _mm512_set1_epi8((char)0x80));
    return _mm512_cmpneq_epi8_mask(due, pairs) != 0;
}

/* Whether a vector ends inside a sequence. */
AVX512 static inline bool is_cut(__m512i bytes)
{
    const uint64_t last_three = (uint64_t)7 << 61;
    const __m512i most =
        _mm512_set1_epi64((int64_t)((uint64_t)most_last << 56 | (uint64_t)most_last_but_one << 48 |
                                    (uint64_t)most_last_but_two << 40));
    return (_mm512_cmpgt_epu8_mask(bytes, most) & last_three) != 0;
}

AVX512 size_t lxm_utf8_valid_blocks_avx512(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    __m512i before = _mm512_setzero_si512();
    for (; length - i >= 128; i += 128) {
        __m512i first = _mm512_loadu_si512(bytes + i), second = _mm512_loadu_si512(bytes + i + 64);
        if (_mm512_movepi8_mask(_mm512_or_si512(first, second)) == 0) {
            if (is_cut(before))
                break;
        } else if (is_wrong(first, before) || is_wrong(second, first)) {
            break;
        }
        before = second;
    }
    return i;
}

#else

typedef int lxm_utf8_avx512_unused; /* a file must not be empty */

#endif
