/* The quick check 64 bytes at a time, for AVX-512 with VBMI. */
#include "tokenize/normalize.h"

#ifdef LXM_QUICK_CHECK_AVX512

#include <immintrin.h>

#define TARGET                                                                                     \
    __attribute__((                                                                                \
        target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* A text of ideographs has nearly as many rows as characters: one by one is faster then. */
enum { block = 64, lookahead = 3, most_rows = 6 };

INLINE uint64_t equal(__m512i bytes, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)byte));
}

INLINE uint64_t not_below(__m512i bytes, uint8_t byte)
{
    return _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8((char)byte));
}

/* Where the bit of a row that the low six bits of each byte name is set. */
INLINE uint64_t in_row(uint64_t row, __m512i bytes)
{
    return _mm512_movepi8_mask(_mm512_permutexvar_epi8(bytes, _mm512_movm_epi8(row)));
}

INLINE uint64_t ascii_passing(const uint64_t *passing, __m512i text)
{
    return _mm512_movepi8_mask(
        _mm512_permutex2var_epi8(_mm512_movm_epi8(passing[0]), text, _mm512_movm_epi8(passing[1])));
}

/* Of the characters that begin at `leads`, those that pass. */
INLINE uint64_t wide_passing(const uint64_t *passing, const uint8_t *text, __m512i first,
                             uint64_t leads)
{
    __m512i second = _mm512_loadu_si512(text + 1), third = _mm512_loadu_si512(text + 2);
    uint64_t found = 0, three = leads & not_below(first, 0xE0), two = leads & ~three;
    for (int rows = 0; two && rows < most_rows; rows++) {
        uint8_t lead = text[__builtin_ctzll(two)];
        uint64_t alike = two & equal(first, lead);
        found |= alike & in_row(passing[lead & 0x1F], second);
        two ^= alike;
    }
    for (int rows = 0; three && rows < most_rows; rows++) {
        const uint8_t *p = text + __builtin_ctzll(three);
        uint64_t alike = three & equal(first, p[0]) & equal(second, p[1]);
        found |= alike & in_row(passing[(size_t)(p[0] & 0x0F) << 6 | (p[1] & 0x3F)], third);
        three ^= alike;
    }
    return found;
}

TARGET size_t lxm_quick_passing_avx512(const uint64_t *passing, const uint8_t *text, size_t length,
                                       size_t *last)
{
    size_t at = 0;
    while (length - at >= block + lookahead) {
        __m512i first = _mm512_loadu_si512(text + at);
        uint64_t wide = _mm512_movepi8_mask(first);
        uint64_t leads = wide & not_below(first, 0xC0), follow = wide ^ leads;
        uint64_t passes = ascii_passing(passing, first) & ~wide;
        if (leads)
            passes |= wide_passing(passing, text + at, first, leads & ~not_below(first, 0xF0));
        uint64_t begins = ~follow, stops = begins & ~passes;
        begins &= _blsmsk_u64(stops) & ~stops; /* all, where nothing stops */
        if (!begins)
            break;
        *last = at + 63 - (size_t)__builtin_clzll(begins);
        at = *last + 1 + (text[*last] >= 0xC0) + (text[*last] >= 0xE0);
        if (stops)
            break;
    }
    return at;
}
#else
typedef int lxm_no_quick_check_avx512; /* a file must have something in it */
#endif
