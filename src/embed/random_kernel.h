/*
 * The bodies of the kernels, included once for each set of instructions. Loops over `lanes` that
 * a compiler turns into vector code; there is no other difference between the variants.
 */
#ifndef LXM_EMBED_RANDOM_KERNEL_H
#define LXM_EMBED_RANDOM_KERNEL_H

#include <math.h>
#include <string.h>

#include "embed/random.h"

#define LXM_KERNEL static inline __attribute__((always_inline))

enum { lanes = 16 };

typedef struct lane_words {
    uint32_t word[4][lanes];
} lane_words;

LXM_KERNEL void philox_round(lane_words *x, uint32_t key0, uint32_t key1)
{
    for (int i = 0; i < lanes; i++) {
        uint64_t product0 = (uint64_t)x->word[0][i] * 0xD2511F53u;
        uint64_t product1 = (uint64_t)x->word[2][i] * 0xCD9E8D57u;
        x->word[0][i] = (uint32_t)(product1 >> 32) ^ x->word[1][i] ^ key0;
        x->word[1][i] = (uint32_t)product1;
        x->word[2][i] = (uint32_t)(product0 >> 32) ^ x->word[3][i] ^ key1;
        x->word[3][i] = (uint32_t)product0;
    }
}

/* The words of 16 counters. */
typedef void philox_block(lane_words *x, uint64_t seed, uint64_t row, uint32_t block);

LXM_KERNEL void philox_plain(lane_words *x, uint64_t seed, uint64_t row, uint32_t block)
{
    for (int i = 0; i < lanes; i++) {
        x->word[0][i] = block * lanes + (uint32_t)i;
        x->word[1][i] = (uint32_t)row;
        x->word[2][i] = (uint32_t)(row >> 32);
        x->word[3][i] = 0;
    }
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        philox_round(x, key0, key1);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

LXM_KERNEL uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

LXM_KERNEL float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The natural logarithm of a positive normal number: polynomial of Cephes' logf (S. Moshier). */
LXM_KERNEL float natural_log(float x)
{
    uint32_t bits = bits_of(x);
    /* x = m 2^e with m from sqrt(1/2) to sqrt(2) */
    uint32_t shifted = bits - 0x3F3504F3u;
    int32_t e = (int32_t)shifted >> 23;
    float m = float_of((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    float z = m * m;
    float y = 7.0376836292e-2f;
    y = y * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * z;
    y = y + (float)e * -2.12194440e-4f;
    y = y - 0.5f * z;
    return (m + y) + (float)e * 0.693359375f;
}

/* Box and Muller: two words become two independent normal numbers. The sine and cosine of the
 * turn angle / 2^32 use the polynomials of Cephes' sinf and cosf on an eighth of a turn. */
LXM_KERNEL void box_muller(uint32_t radius_word, uint32_t angle, float *first, float *second)
{
    float u = (float)radius_word * 0x1p-32f + 0x1p-33f; /* over 0, at most 1 */
    float radius = sqrtf(-2.0f * natural_log(u));
    uint32_t quarter = (angle + 0x20000000u) >> 30;
    float x = (float)(int32_t)(angle - (quarter << 30)) * (float)(6.283185307179586 * 0x1p-32);
    float z = x * x;
    float c = 2.443315711809948e-5f;
    c = c * z - 1.388731625493765e-3f;
    c = c * z + 4.166664568298827e-2f;
    c = c * z * z - 0.5f * z + 1.0f;
    float s = -1.9515295891e-4f;
    s = s * z + 8.3321608736e-3f;
    s = s * z - 1.6666654611e-1f;
    s = s * z * x + x;
    uint32_t swap = 0u - (quarter & 1u);
    uint32_t cosine = (bits_of(c) & ~swap) | (bits_of(s) & swap);
    uint32_t sine = (bits_of(s) & ~swap) | (bits_of(c) & swap);
    cosine ^= ((quarter + 1u) & 2u) << 30;
    sine ^= (quarter & 2u) << 30;
    *first = radius * float_of(cosine);
    *second = radius * float_of(sine);
}

LXM_KERNEL void normal_kernel(philox_block *philox, uint64_t seed, uint64_t row, uint32_t block,
                              float *values)
{
    lane_words x;
    philox(&x, seed, row, block);
    for (int pair = 0; pair < 2; pair++)
        for (int i = 0; i < lanes; i++)
            box_muller(x.word[2 * pair][i], x.word[2 * pair + 1][i], &values[2 * pair * lanes + i],
                       &values[(2 * pair + 1) * lanes + i]);
}

LXM_KERNEL void uniform_kernel(philox_block *philox, uint64_t seed, uint64_t row, uint32_t block,
                               float *values)
{
    lane_words x;
    philox(&x, seed, row, block);
    for (int word = 0; word < 4; word++)
        for (int i = 0; i < lanes; i++)
            values[word * lanes + i] = (float)(int32_t)(x.word[word][i] >> 8) * 0x1p-23f - 1.0f;
}

/* ATen's vectorised normal fill: Cephes' logf, sinf and cosf with multiply-adds fused where its
 * builds fuse them. */
LXM_KERNEL float torch_log(float x)
{
    uint32_t bits = bits_of(x);
    float e = (float)((int32_t)(bits >> 23) - 126);
    float m = float_of((bits & 0x007FFFFFu) | 0x3F000000u);
    uint32_t small = 0u - (uint32_t)(m < 0.707106781186547524f);
    float doubled = float_of(bits_of(m) & small);
    m = (m - 1.0f) + doubled;
    e = e - float_of(bits_of(1.0f) & small);
    float z = m * m;
    float y = 7.0376836292e-2f;
    y = fmaf(y, m, -1.1514610310e-1f);
    y = fmaf(y, m, 1.1676998740e-1f);
    y = fmaf(y, m, -1.2420140846e-1f);
    y = fmaf(y, m, 1.4249322787e-1f);
    y = fmaf(y, m, -1.6668057665e-1f);
    y = fmaf(y, m, 2.0000714765e-1f);
    y = fmaf(y, m, -2.4999993993e-1f);
    y = fmaf(y, m, 3.3333331174e-1f);
    y = y * m;
    y = fmaf(y, z, e * -2.12194440e-4f);
    y = fmaf(z, -0.5f, y);
    return fmaf(e, 0.693359375f, m + y);
}

LXM_KERNEL void torch_pair(float u1, float u2, float *first, float *second)
{
    float radius = sqrtf(-2.0f * torch_log(1.0f - u1));
    float theta = (float)6.283185307179586 * u2;
    int32_t octant = (int32_t)(theta * (float)1.27323954473516);
    octant = (octant + 1) & ~1;
    float y = (float)octant;
    float x = fmaf(y, -0.78515625f, theta);
    x = fmaf(y, -2.4187564849853515625e-4f, x);
    x = fmaf(y, -3.77489497744594108e-8f, x);
    float z = x * x;
    float c = 2.443315711809948e-5f;
    c = fmaf(c, z, -1.388731625493765e-3f);
    c = fmaf(c, z, 4.166664568298827e-2f);
    c = c * z;
    c = fmaf(c, z, -0.5f * z) + 1.0f;
    float s = -1.9515295891e-4f;
    s = fmaf(s, z, 8.3321608736e-3f);
    s = fmaf(s, z, -1.6666654611e-1f);
    s = s * z;
    s = fmaf(s, x, x);
    uint32_t swap = 0u - (uint32_t)(((uint32_t)octant >> 1) & 1u);
    uint32_t cosine = (bits_of(c) & ~swap) | (bits_of(s) & swap);
    uint32_t sine = (bits_of(s) & ~swap) | (bits_of(c) & swap);
    sine ^= ((uint32_t)octant & 4u) << 29;
    cosine ^= (~((uint32_t)octant - 2u) & 4u) << 29;
    *first = radius * float_of(cosine) + 0.0f; /* the mean, which makes -0 0 */
    *second = radius * float_of(sine) + 0.0f;
}

LXM_KERNEL void torch_kernel(float *values)
{
    for (int i = 0; i < 8; i++)
        torch_pair(values[i], values[i + 8], &values[i], &values[i + 8]);
}

#endif
