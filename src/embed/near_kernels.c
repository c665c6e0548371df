#include "embed/near_kernels.h"

#include <stdbool.h>

#include "base/cpu.h"

enum { lanes = 16, group = 32 };

/* Loops that a compiler turns into vector code. */
static inline __attribute__((always_inline)) double dot(const float *a, const float *b,
                                                        size_t count)
{
    double sums[lanes] = {0};
    size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (size_t j = 0; j < lanes; j++)
            sums[j] += (double)a[i + j] * (double)b[i + j];
    for (size_t j = 0; i + j < count; j++)
        sums[j] += (double)a[i + j] * (double)b[i + j];
    for (size_t half = lanes / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            sums[j] += sums[j + half];
    return sums[0];
}

static inline __attribute__((always_inline)) size_t
next(const float *scores, const float *norms, size_t from, size_t count, float least, float slope)
{
    size_t i = from;
    for (; i + group <= count; i += group) {
        int any = 0;
        for (size_t j = 0; j < group; j++)
            any |= !(scores[i + j] < least + slope * norms[i + j]);
        if (any)
            break;
    }
    while (i < count && scores[i] < least + slope * norms[i])
        i++;
    return i;
}

#define KERNELS(name, attribute)                                                                   \
    attribute static double dot_##name(const float *a, const float *b, size_t count)               \
    {                                                                                              \
        return dot(a, b, count);                                                                   \
    }                                                                                              \
    attribute static size_t next_##name(const float *scores, const float *norms, size_t from,      \
                                        size_t count, float least, float slope)                    \
    {                                                                                              \
        return next(scores, norms, from, count, least, slope);                                     \
    }                                                                                              \
    static const lxm_near_kernels name = {#name, dot_##name, next_##name};

KERNELS(plain, )
#if defined(__x86_64__)
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512,
        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))))
#endif

size_t lxm_near_variants(const lxm_near_kernels **variants)
{
    size_t count = 0;
    variants[count++] = &plain;
#if defined(__x86_64__)
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        variants[count++] = &avx2;
    if (lxm_cpu_features() & LXM_CPU_AVX512)
        variants[count++] = &avx512;
#endif
    return count;
}

const lxm_near_kernels *lxm_near_fastest(void)
{
    const lxm_near_kernels *variants[3];
    return variants[lxm_near_variants(variants) - 1];
}
