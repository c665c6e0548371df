/*
 * torch.nn.Embedding(rows, dim).weight after torch.manual_seed(seed), on a CPU.
 *
 * As ATen does it (DistributionTemplates.h, DistributionsHelper.h, avx_mathfun.h): a 32-bit
 * Mersenne Twister. 16 values and more: each is first u = (draw mod 2^24) / 2^24, then every 16 of
 * them go through Box and Muller, which pairs j with j + 8; where the size is no multiple of 16
 * the last 16 are drawn again. Under 16 values: Box and Muller in double precision, two 53-bit
 * draws a pair, whose second value waits in the generator for the next tensor.
 */
#include <math.h>

#include "base/error.h"
#include "embed/table.h"

enum { state_size = 624, state_middle = 397 };

/* Matsumoto and Nishimura, "Mersenne Twister" (1998), MT19937. */
typedef struct twister {
    uint32_t state[state_size];
    int next;
    bool has_second; /* the waiting value of a pair */
    double second;
} twister;

static void twister_seed(twister *t, uint64_t seed)
{
    t->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < state_size; i++)
        t->state[i] = 1812433253u * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->next = state_size;
    t->has_second = false;
}

static uint32_t mix(uint32_t high, uint32_t low)
{
    uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return y >> 1 ^ ((0u - (low & 1u)) & 0x9908b0dfu);
}

static void twister_turn(twister *t)
{
    uint32_t *s = t->state;
    int i = 0;
    for (; i < state_size - state_middle; i++)
        s[i] = s[i + state_middle] ^ mix(s[i], s[i + 1]);
    for (; i < state_size - 1; i++)
        s[i] = s[i + state_middle - state_size] ^ mix(s[i], s[i + 1]);
    s[i] = s[state_middle - 1] ^ mix(s[i], s[0]);
    t->next = 0;
}

static inline uint32_t draw(twister *t)
{
    if (t->next == state_size)
        twister_turn(t);
    uint32_t y = t->state[t->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ y >> 18;
}

static inline float draw_float(twister *t)
{
    return (float)(draw(t) & 0xffffffu) * 0x1p-24f;
}

static double draw_double(twister *t)
{
    uint64_t high = draw(t);
    uint64_t bits = high << 32 | draw(t);
    return (double)(bits & (((uint64_t)1 << 53) - 1)) * 0x1p-53;
}

static float draw_normal(twister *t)
{
    if (t->has_second) {
        t->has_second = false;
        return (float)t->second;
    }
    double u1 = draw_double(t), u2 = draw_double(t);
    double radius = sqrt(-2.0 * log1p(-u2)), angle = 2.0 * 3.141592653589793 * u1;
    t->second = radius * sin(angle);
    t->has_second = true;
    return (float)(radius * cos(angle));
}

enum { group = 16 };

static void fill_tensor(twister *t, const lxm_random_variant *variant, float *values, size_t count)
{
    if (count < group) {
        for (size_t i = 0; i < count; i++)
            values[i] = draw_normal(t);
        return;
    }
    for (size_t i = 0; i + group <= count; i += group) {
        for (size_t j = i; j < i + group; j++)
            values[j] = draw_float(t);
        variant->torch(values + i);
    }
    if (count % group == 0)
        return;
    for (size_t i = 0; i < count % group; i++)
        (void)draw(t); /* drawn for values that the last group replaces */
    float *last = values + count - group;
    for (size_t i = 0; i < group; i++)
        last[i] = draw_float(t);
    variant->torch(last);
}

/* Leaves the generator as a tensor of `count` values leaves it. */
static void skip_tensor(twister *t, uint64_t count)
{
    if (count < group) {
        for (uint64_t i = 0; i < count; i++)
            (void)draw_normal(t);
        return;
    }
    uint64_t draws = count + (count % group ? group : 0);
    for (uint64_t i = 0; i < draws; i++)
        (void)draw(t);
}

lxm_status lxm_torch_make(lxm_table *table, const lxm_table_options *options, lxm_error *error)
{
    uint64_t before;
    if (__builtin_mul_overflow(options->torch_rows_before, options->torch_dim_before, &before) ||
        before > UINT64_MAX / 2)
        return lxm_fail(error, LXM_ERROR_LIMIT, "the layers before the table are too large");
    float *values;
    lxm_status status = lxm_table_store(table, &values, error);
    if (status)
        return status;
    twister t;
    twister_seed(&t, options->seed);
    skip_tensor(&t, before);
    fill_tensor(&t, table->random, values, (size_t)table->rows * table->dim);
    return LXM_OK;
}
