#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined __x86_64__ || defined __i386__
static unsigned detect(void)
{
    unsigned features = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt"))
        features |= LXM_CPU_AVX2;
    if (features && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vbmi2"))
        features |= LXM_CPU_AVX512;
    return features;
}
#elif defined __aarch64__
static unsigned detect(void)
{
    return LXM_CPU_NEON; /* part of the architecture */
}
#else
static unsigned detect(void)
{
    return 0;
}
#endif

unsigned lxm_cpu_features_up_to(const char *name)
{
    static const struct {
        const char *name;
        unsigned allowed;
    } limits[] = {{"scalar", 0},
                  {"avx2", LXM_CPU_AVX2},
                  {"avx512", LXM_CPU_AVX2 | LXM_CPU_AVX512},
                  {"neon", LXM_CPU_NEON}};
    unsigned allowed = LXM_CPU_ALL;
    for (size_t i = 0; name && i < sizeof limits / sizeof *limits; i++)
        if (strcmp(name, limits[i].name) == 0)
            allowed = limits[i].allowed;
    return detect() & allowed;
}

unsigned lxm_cpu_features(void)
{
    enum { known = LXM_CPU_ALL + 1 };
    static atomic_uint features; /* whoever comes first works out the same */
    unsigned found = atomic_load_explicit(&features, memory_order_relaxed);
    if (!found) {
        found = lxm_cpu_features_up_to(getenv("LEXMILL_CPU")) | known;
        atomic_store_explicit(&features, found, memory_order_relaxed);
    }
    return found & LXM_CPU_ALL;
}
