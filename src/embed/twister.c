#include "embed/twister.h"

enum { state_middle = 397 };

void lxm_twister_seed(lxm_twister *t, uint64_t seed)
{
    t->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < lxm_twister_size; i++)
        t->state[i] = 1812433253u * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->next = lxm_twister_size;
    t->has_second = false;
}

static uint32_t mix(uint32_t high, uint32_t low)
{
    uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return y >> 1 ^ ((0u - (low & 1u)) & 0x9908b0dfu);
}

void lxm_twister_turn(lxm_twister *t)
{
    uint32_t *s = t->state;
    int i = 0;
    for (; i < lxm_twister_size - state_middle; i++)
        s[i] = s[i + state_middle] ^ mix(s[i], s[i + 1]);
    for (; i < lxm_twister_size - 1; i++)
        s[i] = s[i + state_middle - lxm_twister_size] ^ mix(s[i], s[i + 1]);
    s[i] = s[state_middle - 1] ^ mix(s[i], s[0]);
    t->next = 0;
}
