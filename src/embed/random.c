#include "embed/random.h"

#include "base/cpu.h"
#include "embed/random_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define VARIANT(name, attribute, philox)                                                           \
    attribute static void normal_##name(uint64_t seed, uint64_t row, uint32_t block,               \
                                        float *values)                                             \
    {                                                                                              \
        normal_kernel(philox, seed, row, block, values);                                           \
    }                                                                                              \
    attribute static void uniform_##name(uint64_t seed, uint64_t row, uint32_t block,              \
                                         float *values)                                            \
    {                                                                                              \
        uniform_kernel(philox, seed, row, block, values);                                          \
    }                                                                                              \
    attribute static void torch_##name(float *values)                                              \
    {                                                                                              \
        torch_kernel(values);                                                                      \
    }                                                                                              \
    static const lxm_random_variant variant_##name = {#name, normal_##name, uniform_##name,        \
                                                      torch_##name};

VARIANT(plain, , philox_plain)

#if defined(__x86_64__)
#define LXM_AVX2 __attribute__((target("avx2,fma")))

typedef struct wide_words {
    __m256i word[4]; /* 4 counters: a word in the low half of each 64 bits, and waste above it */
} wide_words;

LXM_AVX2 LXM_KERNEL wide_words philox_round_avx2(wide_words x, __m256i key0, __m256i key1)
{
    __m256i product0 = _mm256_mul_epu32(x.word[0], _mm256_set1_epi64x(0xD2511F53));
    __m256i product1 = _mm256_mul_epu32(x.word[2], _mm256_set1_epi64x(0xCD9E8D57));
    __m256i high0 = _mm256_srli_epi64(product0, 32), high1 = _mm256_srli_epi64(product1, 32);
    return (wide_words){{_mm256_xor_si256(_mm256_xor_si256(high1, x.word[1]), key0), product1,
                         _mm256_xor_si256(_mm256_xor_si256(high0, x.word[3]), key1), product0}};
}

/* Stores the low halves. */
LXM_AVX2 LXM_KERNEL void narrow_avx2(const wide_words *from, lane_words *to, int lane)
{
    const __m256i low = _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0);
    for (int word = 0; word < 4; word++) {
        __m256i packed = _mm256_permutevar8x32_epi32(from->word[word], low);
        _mm_storeu_si128((__m128i *)(void *)&to->word[word][lane], _mm256_castsi256_si128(packed));
    }
}

/* 8 counters at a time, in two independent chains. */
LXM_AVX2 LXM_KERNEL void philox_avx2(lane_words *x, uint64_t seed, uint64_t row, uint32_t block)
{
    for (int lane = 0; lane < lanes; lane += 8) {
        uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
        __m256i counter = _mm256_add_epi64(_mm256_set1_epi64x((uint32_t)(block * lanes) + lane),
                                           _mm256_set_epi64x(3, 2, 1, 0));
        wide_words a = {{counter, _mm256_set1_epi64x((uint32_t)row),
                         _mm256_set1_epi64x((int64_t)(row >> 32)), _mm256_setzero_si256()}};
        wide_words b = a;
        b.word[0] = _mm256_add_epi64(counter, _mm256_set1_epi64x(4));
        for (int round = 0; round < 10; round++) {
            __m256i k0 = _mm256_set1_epi64x(key0), k1 = _mm256_set1_epi64x(key1);
            a = philox_round_avx2(a, k0, k1);
            b = philox_round_avx2(b, k0, k1);
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        narrow_avx2(&a, x, lane);
        narrow_avx2(&b, x, lane + 4);
    }
}

VARIANT(avx2, LXM_AVX2, philox_avx2)

#if defined(__clang__)
#define LXM_AVX512                                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"), min_vector_width(512)))
#else
#define LXM_AVX512                                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")))
#endif

typedef struct widest_words {
    __m512i word[4]; /* 8 counters, as above */
} widest_words;

LXM_AVX512 LXM_KERNEL widest_words philox_round_avx512(widest_words x, __m512i key0, __m512i key1)
{
    enum { exclusive_or = 0x96 };
    __m512i product0 = _mm512_mul_epu32(x.word[0], _mm512_set1_epi64(0xD2511F53));
    __m512i product1 = _mm512_mul_epu32(x.word[2], _mm512_set1_epi64(0xCD9E8D57));
    __m512i high0 = _mm512_srli_epi64(product0, 32), high1 = _mm512_srli_epi64(product1, 32);
    return (widest_words){
        {_mm512_ternarylogic_epi64(high1, x.word[1], key0, exclusive_or), product1,
         _mm512_ternarylogic_epi64(high0, x.word[3], key1, exclusive_or), product0}};
}

/* 16 counters, in two independent chains. */
LXM_AVX512 LXM_KERNEL void philox_avx512(lane_words *x, uint64_t seed, uint64_t row, uint32_t block)
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    __m512i counter = _mm512_add_epi64(_mm512_set1_epi64((uint32_t)(block * lanes)),
                                       _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    widest_words a = {{counter, _mm512_set1_epi64((uint32_t)row),
                       _mm512_set1_epi64((int64_t)(row >> 32)), _mm512_setzero_si512()}};
    widest_words b = a;
    b.word[0] = _mm512_add_epi64(counter, _mm512_set1_epi64(8));
    for (int round = 0; round < 10; round++) {
        __m512i k0 = _mm512_set1_epi64(key0), k1 = _mm512_set1_epi64(key1);
        a = philox_round_avx512(a, k0, k1);
        b = philox_round_avx512(b, k0, k1);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    for (int word = 0; word < 4; word++) {
        __m256i *to = (__m256i *)(void *)x->word[word];
        _mm256_storeu_si256(to, _mm512_cvtepi64_epi32(a.word[word]));
        _mm256_storeu_si256(to + 1, _mm512_cvtepi64_epi32(b.word[word]));
    }
}

VARIANT(avx512, LXM_AVX512, philox_avx512)
#endif

size_t lxm_random_variants(const lxm_random_variant **variants)
{
    size_t count = 0;
    variants[count++] = &variant_plain;
#if defined(__x86_64__)
    if ((lxm_cpu_features() & LXM_CPU_AVX2) && __builtin_cpu_supports("fma"))
        variants[count++] = &variant_avx2;
    if (count > 1 && (lxm_cpu_features() & LXM_CPU_AVX512))
        variants[count++] = &variant_avx512;
#endif
    return count;
}

const lxm_random_variant *lxm_random_fastest(void)
{
    const lxm_random_variant *variants[4];
    return variants[lxm_random_variants(variants) - 1];
}
