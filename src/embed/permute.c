#include "embed/permute.h"

#include "embed/twister.h"

enum { rounds = 6 };

/* The finalizer of SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

void lxm_permutation_init(lxm_permutation *p, uint64_t count, uint64_t seed)
{
    *p = (lxm_permutation){.count = count, .half = 1};
    while (p->half < 32 && (uint64_t)1 << 2 * p->half < count)
        p->half++;
    for (int i = 0; i < rounds; i++)
        p->keys[i] = mix(seed += 0x9E3779B97F4A7C15u);
}

static uint64_t encrypt(const lxm_permutation *p, uint64_t x)
{
    uint64_t mask = ((uint64_t)1 << p->half) - 1, left = x >> p->half, right = x & mask;
    for (int i = 0; i < rounds; i++) {
        uint64_t next = left ^ (mix(right + p->keys[i]) & mask);
        left = right;
        right = next;
    }
    return left << p->half | right;
}

uint64_t lxm_permutation_at(const lxm_permutation *p, uint64_t index)
{
    do
        index = encrypt(p, index);
    while (index >= p->count);
    return index;
}

/* The loader draws 64 bits for its workers, the sampler 64 more as the seed of its own generator,
 * with which numbers change places from the first on. */
void lxm_torch_order(uint32_t *order, uint32_t count, uint64_t seed)
{
    lxm_twister t;
    lxm_twister_seed(&t, seed);
    for (int i = 0; i < 3; i++)
        (void)lxm_twister_draw(&t);
    lxm_twister_seed(&t, lxm_twister_draw(&t)); /* the low half: a seed has 32 bits */
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t j = i + lxm_twister_draw(&t) % (count - i), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}
