#include "embed/dtype.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint16_t load16(const uint8_t *bytes)
{
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return bits;
}

/* Exponents move by 112; subnormals are made whole by a subtraction, NaNs quiet. */
static float from_f16(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = bits & 0x0F800000;
    if (exponent == 0x0F800000)
        bits = (bits & 0x007FFFFF) | 0x7F800000 | (bits & 0x007FFFFF ? 0x00400000 : 0);
    else if (exponent)
        bits += 112u << 23;
    else
        bits = bits_of(float_of(bits + (113u << 23)) - float_of(113u << 23));
    return float_of(bits | sign);
}

static uint16_t to_f16(float value)
{
    static const uint32_t half = 126u << 23; /* 0.5: its last bit is a subnormal's */
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000;
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000)
        bits = 0x7E00 | (bits >> 13 & 0x3FF);
    else if (bits >= 0x477FF000) /* 65520 and more */
        bits = 0x7C00;
    else if (bits < 113u << 23)
        bits = bits_of(float_of(bits) + float_of(half)) - half;
    else
        bits = (bits - (112u << 23) + 0xFFF + (bits >> 13 & 1)) >> 13;
    return (uint16_t)(bits | sign);
}

static void widen_f16(const uint8_t *from, size_t count, float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = from_f16(load16(from + 2 * i));
}

static void narrow_f16(const float *values, size_t count, uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half = to_f16(values[i]);
        memcpy(to + 2 * i, &half, sizeof half);
    }
}

/* The upper half of a float: loops that a compiler turns into vector code. */
static inline __attribute__((always_inline)) void bf16_up(const uint8_t *from, size_t count,
                                                          float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = float_of((uint32_t)load16(from + 2 * i) << 16);
}

static inline __attribute__((always_inline)) void bf16_down(const float *values, size_t count,
                                                            uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(values[i]);
        uint32_t quiet = bits >> 16 | 0x40, nearest = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
        uint16_t upper = (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : nearest);
        memcpy(to + 2 * i, &upper, sizeof upper);
    }
}

static inline __attribute__((always_inline)) void i8_up(const uint8_t *from, size_t count,
                                                        float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(int8_t)from[i];
}

#define LOOPS(name, attribute)                                                                     \
    attribute static void widen_bf16_##name(const uint8_t *from, size_t count, float *values)      \
    {                                                                                              \
        bf16_up(from, count, values);                                                              \
    }                                                                                              \
    attribute static void narrow_bf16_##name(const float *values, size_t count, uint8_t *to)       \
    {                                                                                              \
        bf16_down(values, count, to);                                                              \
    }                                                                                              \
    attribute static void widen_i8_##name(const uint8_t *from, size_t count, float *values)        \
    {                                                                                              \
        i8_up(from, count, values);                                                                \
    }

LOOPS(plain, )

static const lxm_dtype_variant plain = {"plain",        widen_f16,  widen_bf16_plain,
                                        widen_i8_plain, narrow_f16, narrow_bf16_plain};

#if defined(__x86_64__)
#define LXM_AVX2 __attribute__((target("avx2,f16c")))

LOOPS(avx2, LXM_AVX2)

LXM_AVX2 static void widen_f16_avx2(const uint8_t *from, size_t count, float *values)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)(from + 2 * i));
        _mm256_storeu_ps(values + i, _mm256_cvtph_ps(halves));
    }
    widen_f16(from + 2 * i, count - i, values + i);
}

LXM_AVX2 static void narrow_f16_avx2(const float *values, size_t count, uint8_t *to)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((__m128i *)(void *)(to + 2 * i), halves);
    }
    narrow_f16(values + i, count - i, to + 2 * i);
}

static const lxm_dtype_variant avx2 = {"avx2",        widen_f16_avx2,  widen_bf16_avx2,
                                       widen_i8_avx2, narrow_f16_avx2, narrow_bf16_avx2};

static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return (lxm_cpu_features() & LXM_CPU_AVX2) && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

size_t lxm_dtype_variants(const lxm_dtype_variant **variants)
{
    size_t count = 0;
    variants[count++] = &plain;
#if defined(__x86_64__)
    if (has_f16c())
        variants[count++] = &avx2;
#endif
    return count;
}

const lxm_dtype_variant *lxm_dtype_fastest(void)
{
    const lxm_dtype_variant *variants[2];
    return variants[lxm_dtype_variants(variants) - 1];
}

size_t lxm_dtype_size(lxm_dtype dtype)
{
    return dtype == LXM_DTYPE_F32 ? 4 : dtype == LXM_DTYPE_I8 ? 1 : 2;
}

lxm_widen *lxm_dtype_widen(lxm_dtype dtype)
{
    const lxm_dtype_variant *variant = lxm_dtype_fastest();
    switch (dtype) {
    case LXM_DTYPE_F32:
        return NULL;
    case LXM_DTYPE_F16:
        return variant->widen_f16;
    case LXM_DTYPE_BF16:
        return variant->widen_bf16;
    case LXM_DTYPE_I8:
        return variant->widen_i8;
    }
    return NULL;
}

lxm_narrow *lxm_dtype_narrow(lxm_dtype dtype)
{
    const lxm_dtype_variant *variant = lxm_dtype_fastest();
    if (dtype == LXM_DTYPE_F16)
        return variant->narrow_f16;
    return dtype == LXM_DTYPE_BF16 ? variant->narrow_bf16 : NULL;
}

float lxm_dtype_quantise(const float *values, size_t count, uint8_t *to)
{
    float most = 0;
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        finite = finite && isfinite(values[i]);
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    }
    float step = finite ? most / 127 : 0;
    for (size_t i = 0; i < count; i++)
        to[i] = step > 0 ? (uint8_t)(int8_t)fmaxf(-127, fminf(127, rintf(values[i] / step))) : 0;
    return step;
}
