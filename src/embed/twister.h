/* PyTorch's generator of random numbers. */
#ifndef LXM_EMBED_TWISTER_H
#define LXM_EMBED_TWISTER_H

#include <stdbool.h>
#include <stdint.h>

enum { lxm_twister_size = 624 };

/* Matsumoto and Nishimura, "Mersenne Twister" (1998), MT19937. */
typedef struct lxm_twister {
    uint32_t state[lxm_twister_size];
    int next;
    bool has_second; /* the waiting value of a pair */
    double second;
} lxm_twister;

void lxm_twister_seed(lxm_twister *t, uint64_t seed);
void lxm_twister_turn(lxm_twister *t);

static inline uint32_t lxm_twister_draw(lxm_twister *t)
{
    if (t->next == lxm_twister_size)
        lxm_twister_turn(t);
    uint32_t y = t->state[t->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ y >> 18;
}

#endif
