#include "embed/random.h"

#include "embed/random_kernel.h"

#define VARIANT(name, attribute)                                                                   \
    attribute static void normal_##name(uint64_t seed, uint64_t row, uint32_t block,               \
                                        float *values)                                             \
    {                                                                                              \
        normal_kernel(seed, row, block, values);                                                   \
    }                                                                                              \
    attribute static void uniform_##name(uint64_t seed, uint64_t row, uint32_t block,              \
                                         float *values)                                            \
    {                                                                                              \
        uniform_kernel(seed, row, block, values);                                                  \
    }                                                                                              \
    attribute static void torch_##name(float *values)                                              \
    {                                                                                              \
        torch_kernel(values);                                                                      \
    }                                                                                              \
    static const lxm_random_variant variant_##name = {#name, normal_##name, uniform_##name,        \
                                                      torch_##name};

VARIANT(plain, )

#if defined(__x86_64__)
VARIANT(avx2, __attribute__((target("avx2,fma"))))
#endif

size_t lxm_random_variants(const lxm_random_variant **variants)
{
    size_t count = 0;
    variants[count++] = &variant_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        variants[count++] = &variant_avx2;
#endif
    return count;
}

const lxm_random_variant *lxm_random_fastest(void)
{
    const lxm_random_variant *variants[4];
    return variants[lxm_random_variants(variants) - 1];
}
