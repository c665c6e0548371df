/* Eight tokens at a time, for AVX-512. */
#include "idmap/cache_near.h"

#ifdef LXM_CACHE_AVX512

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE static inline __attribute__((always_inline)) TARGET

_Static_assert(sizeof(lxm_span) == sizeof(uint64_t), "a span is a word, its begin the lower half");
_Static_assert(sizeof(lxm_cache_entry) == 32, "an entry is four words");

typedef struct keys {
    __m512i words[2];
} keys;

/* All ones above the lowest `bits`. */
INLINE __m512i above(__m512i bits)
{
    return _mm512_sllv_epi64(_mm512_set1_epi64(-1), bits);
}

/* lxm_cache_key_of. */
INLINE keys keys_of(const uint8_t *text, __m512i spans)
{
    const __m512i longest = _mm512_set1_epi64(lxm_cache_short + 1);
    __m512i begin = _mm512_and_si512(spans, _mm512_set1_epi64(UINT32_MAX));
    __m512i length = _mm512_sub_epi64(_mm512_srli_epi64(spans, 32), begin);
    __m512i kept = _mm512_min_epu64(length, longest), bits = _mm512_slli_epi64(kept, 3);
    __m512i bits_behind =
        _mm512_max_epi64(_mm512_sub_epi64(bits, _mm512_set1_epi64(64)), _mm512_setzero_si512());
    keys k = {{_mm512_i64gather_epi64(begin, text, 1), _mm512_i64gather_epi64(begin, text + 8, 1)}};
    k.words[0] = _mm512_andnot_si512(above(bits), k.words[0]);
    k.words[1] = _mm512_andnot_si512(above(bits_behind), k.words[1]);
    k.words[1] = _mm512_or_si512(k.words[1], _mm512_slli_epi64(kept, lxm_cache_last_byte));
    return k;
}

/* lxm_cache_hash. */
INLINE __m512i hashes_of(const lxm_cache *cache, const keys *k)
{
    return _mm512_add_epi64(
        _mm512_mullo_epi64(k->words[0], _mm512_set1_epi64((int64_t)cache->factors[0])),
        _mm512_mullo_epi64(k->words[1], _mm512_set1_epi64((int64_t)cache->factors[1])));
}

/* From `at` on. */
INLINE void keep(lxm_cache_looks *looks, size_t at, __mmask8 missed, const keys *k, __m512i hashes,
                 __m256i indices)
{
    for (int i = 0; i < 2; i++)
        _mm512_storeu_si512(looks->words[i] + at, _mm512_maskz_compress_epi64(missed, k->words[i]));
    _mm512_storeu_si512(looks->hashes + at, _mm512_maskz_compress_epi64(missed, hashes));
    _mm256_storeu_si256((__m256i *)(looks->indices + at),
                        _mm256_maskz_compress_epi32(missed, indices));
}

TARGET size_t lxm_cache_look_near_avx512(const lxm_cache *cache, const uint8_t *text,
                                         const lxm_span *spans, size_t count,
                                         lxm_cache_looks *looks)
{
    const lxm_cache c = *cache; /* which nothing that is written here changes */
    const __m512i ids = _mm512_set1_epi64((int64_t)(uintptr_t)c.near->ids);
    const __m512i counts = _mm512_set1_epi64((int64_t)LXM_CACHE_COUNT);
    const __m128i shift = _mm_cvtsi32_si128((int)c.near_shift);
    __m256i indices = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    size_t i = 0, kept = looks->missed;
    for (; count - i >= lxm_cache_lanes; i += lxm_cache_lanes) {
        keys k = keys_of(text, _mm512_loadu_si512(spans + i));
        __m512i hashes = hashes_of(&c, &k);
        __m512i at = _mm512_slli_epi64(_mm512_srl_epi64(hashes, shift), 2);
        __m512i low = _mm512_i64gather_epi64(at, &c.near->key[0], 8);
        __m512i high = _mm512_i64gather_epi64(at, &c.near->key[1], 8);
        __m512i others =
            _mm512_or_si512(_mm512_xor_si512(low, k.words[0]),
                            _mm512_andnot_si512(counts, _mm512_xor_si512(high, k.words[1])));
        _mm512_storeu_si512(looks->ids + i, _mm512_add_epi64(ids, _mm512_slli_epi64(at, 3)));
        _mm256_storeu_si256((__m256i *)(looks->counts + i),
                            _mm512_cvtepi64_epi32(_mm512_srli_epi64(high, 60)));
        __mmask8 missed = _mm512_test_epi64_mask(others, others);
        keep(looks, kept, missed, &k, hashes, indices);
        kept += (size_t)__builtin_popcount(missed);
        indices = _mm256_add_epi32(indices, _mm256_set1_epi32(lxm_cache_lanes));
    }
    looks->missed = kept;
    return i;
}

#endif
