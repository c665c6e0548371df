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
#include "embed/twister.h"

static inline float draw_float(lxm_twister *t)
{
    return (float)(lxm_twister_draw(t) & 0xffffffu) * 0x1p-24f;
}

static double draw_double(lxm_twister *t)
{
    uint64_t high = lxm_twister_draw(t);
    uint64_t bits = high << 32 | lxm_twister_draw(t);
    return (double)(bits & (((uint64_t)1 << 53) - 1)) * 0x1p-53;
}

static float draw_normal(lxm_twister *t)
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

static void fill_tensor(lxm_twister *t, const lxm_random_variant *variant, float *values,
                        size_t count)
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
        (void)lxm_twister_draw(t); /* drawn for values that the last group replaces */
    float *last = values + count - group;
    for (size_t i = 0; i < group; i++)
        last[i] = draw_float(t);
    variant->torch(last);
}

/* Leaves the generator as a tensor of `count` values leaves it. */
static void skip_tensor(lxm_twister *t, uint64_t count)
{
    if (count < group) {
        for (uint64_t i = 0; i < count; i++)
            (void)draw_normal(t);
        return;
    }
    uint64_t draws = count + (count % group ? group : 0);
    for (uint64_t i = 0; i < draws; i++)
        (void)lxm_twister_draw(t);
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
    lxm_twister t;
    lxm_twister_seed(&t, options->seed);
    skip_tensor(&t, before);
    fill_tensor(&t, table->random, values, (size_t)table->rows * table->dim);
    return LXM_OK;
}
