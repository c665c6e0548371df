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

bool lxm_hasher_init(lxm_hasher *hasher, const lxm_allocator *allocator)
{
    enum { alignment = 64 };
    *hasher = (lxm_hasher){.memory = lxm_allocate(allocator, sizeof(XXH3_state_t) + alignment, 1)};
    if (!hasher->memory)
        return false;
    uintptr_t aligned = ((uintptr_t)hasher->memory + alignment - 1) / alignment * alignment;
    hasher->state = (XXH3_state_t *)aligned;
    XXH3_64bits_reset(hasher->state);
    return true;
}

void lxm_hasher_free(lxm_hasher *hasher, const lxm_allocator *allocator)
{
    lxm_release(allocator, hasher->memory);
    *hasher = (lxm_hasher){0};
}
