/* UTF-8 validation 32 bytes at a time. */
#include "base/utf8.h"

#ifdef LXM_UTF8_AVX2

#include <immintrin.h>
#include <stdbool.h>

#include "base/utf8_pairs.h"

#define AVX2 __attribute__((target("avx2")))

typedef struct state {
    __m256i before; /* the vector before */
    __m256i wrong;  /* not zero once something is */
} state;

AVX2 static inline __m256i table(const uint8_t *entries)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)entries));
}

AVX2 static inline __m256i high_halves(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

/* What is wrong with pairs of bytes: `bytes` and the ones before each. */
AVX2 static inline __m256i wrong_pairs(__m256i bytes, __m256i before)
{
    __m256i low = _mm256_and_si256(before, _mm256_set1_epi8(0x0F));
    __m256i a = _mm256_shuffle_epi8(table(first_high), high_halves(before));
    __m256i b = _mm256_shuffle_epi8(table(first_low), low);
    __m256i c = _mm256_shuffle_epi8(table(second_high), high_halves(bytes));
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
    const __m256i most = _mm256_setr_epi8(
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, (char)most_last_but_two, (char)most_last_but_one, (char)most_last);
    return !is_zero(_mm256_subs_epu8(bytes, most));
}

AVX2 size_t lxm_utf8_valid_blocks_avx2(const uint8_t *bytes, size_t length)
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
