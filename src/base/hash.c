#define _DEFAULT_SOURCE
#include "base/hash.h"

#include <sys/random.h>
#include <time.h>

uint64_t lxm_random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
        return seed;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uintptr_t)&seed;
}
