/*
 * UTF-8 validation 32 bytes at a time, by three look-ups of half bytes: J. Keiser and D. Lemire,
 * "Validating UTF-8 In Less Than One Instruction Per Byte", Software: Practice and Experience 51
 * (2021). Each bit of a table entry is one way in which two bytes in a row may be wrong; where the
 * entries of both halves of the first and of the upper half of the second share a bit, they are.
 */
#include "base/utf8.h"

#ifdef LXM_UTF8_AVX2

#include <immintrin.h>
#include <stdbool.h>

#define AVX2 __attribute__((target("avx2")))

enum {
    too_short = 1 << 0,     /* a lead byte, then no continuation */
    too_long = 1 << 1,      /* ASCII, then a continuation */
    overlong_3 = 1 << 2,    /* E0, then 80..9F */
    too_large = 1 << 3,     /* F4, then 90..BF; F5..FF */
    surrogate = 1 << 4,     /* ED, then A0..BF */
    overlong_2 = 1 << 5,    /* C0 or C1 */
    overlong_4 = 1 << 6,    /* F0, then 80..8F */
    beyond = 1 << 6,        /* F5..FF, then 80..8F: never together with the one before */
    continuations = 1 << 7, /* two in a row: right behind a lead of three or four alone */
    any_low = too_short | too_long | continuations
};

typedef struct state {
    __m256i before; /* the vector before */
    __m256i wrong;  /* not zero once something is */
} state;

AVX2 static inline __m256i twice(__m128i table)
{
    return _mm256_broadcastsi128_si256(table);
}

AVX2 static inline __m256i high_halves(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

/* What is wrong with pairs of bytes: `bytes` and the ones before each. */
AVX2 static inline __m256i wrong_pairs(__m256i bytes, __m256i before)
{
    const char lead_low = (char)(any_low | too_large | beyond);
    const char continued = (char)(too_long | overlong_2 | continuations);
    const __m128i first_high =
        _mm_setr_epi8(too_long, too_long, too_long, too_long, too_long, too_long, too_long,
                      too_long, (char)continuations, (char)continuations, (char)continuations,
                      (char)continuations, too_short | overlong_2, too_short,
                      too_short | overlong_3 | surrogate, too_short | too_large | beyond);
    const __m128i first_low = _mm_setr_epi8(
        (char)(any_low | overlong_2 | overlong_3 | overlong_4), (char)(any_low | overlong_2),
        (char)any_low, (char)any_low, (char)(any_low | too_large), lead_low, lead_low, lead_low,
        lead_low, lead_low, lead_low, lead_low, lead_low, (char)(lead_low | surrogate), lead_low,
        lead_low);
    const __m128i second_high = _mm_setr_epi8(
        too_short, too_short, too_short, too_short, too_short, too_short, too_short, too_short,
        (char)(continued | overlong_3 | overlong_4), (char)(continued | overlong_3 | too_large),
        (char)(continued | surrogate | too_large), (char)(continued | surrogate | too_large),
        too_short, too_short, too_short, too_short);
    __m256i low = _mm256_and_si256(before, _mm256_set1_epi8(0x0F));
    __m256i a = _mm256_shuffle_epi8(twice(first_high), high_halves(before));
    __m256i b = _mm256_shuffle_epi8(twice(first_low), low);
    __m256i c = _mm256_shuffle_epi8(twice(second_high), high_halves(bytes));
    return _mm256_and_si256(_mm256_and_si256(a, b), c);
}

/* `bytes` moved up by n, with the end of the vector before in front. */
#define SHIFTED(bytes, between, n) _mm256_alignr_epi8(bytes, between, 16 - (n))

AVX2 static inline void check(state *s, __m256i bytes)
{
    __m256i between = _mm256_permute2x128_si256(s->before, bytes, 0x21);
    __m256i pairs = wrong_pairs(bytes, SHIFTED(bytes, between, 1));
    /* the third and fourth byte of a sequence follow a continuation, and must */
    __m256i third = _mm256_subs_epu8(SHIFTED(bytes, between, 2), _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(SHIFTED(bytes, between, 3), _mm256_set1_epi8(0xF0 - 0x80));
    __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    s->wrong = _mm256_or_si256(s->wrong, _mm256_xor_si256(due, pairs));
    s->before = bytes;
}

AVX2 static inline bool is_zero(__m256i bytes)
{
    return _mm256_testz_si256(bytes, bytes);
}

/* Whether a vector ends inside a sequence. */
AVX2 static inline bool is_cut(__m256i bytes)
{
    const __m256i most = _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                          -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                          -1, (char)0xEF, (char)0xDF, (char)0xBF);
    return !is_zero(_mm256_subs_epu8(bytes, most));
}

AVX2 size_t lxm_utf8_valid_blocks(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    state s = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (; length - i >= 128; i += 128) {
        const __m256i *p = (const __m256i *)(const void *)(bytes + i);
        __m256i v[4];
        for (int k = 0; k < 4; k++)
            v[k] = _mm256_loadu_si256(p + k);
        __m256i all = _mm256_or_si256(_mm256_or_si256(v[0], v[1]), _mm256_or_si256(v[2], v[3]));
        if (_mm256_movemask_epi8(all) == 0) {
            if (is_cut(s.before))
                break;
            s.before = v[3];
            continue;
        }
        for (int k = 0; k < 4; k++)
            check(&s, v[k]);
        if (!is_zero(s.wrong))
            break;
    }
    return i;
}

#else

typedef int lxm_utf8_avx2_unused; /* a file must not be empty */

#endif
