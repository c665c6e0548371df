/* Loops that a compiler turns into vector code. What is multiplied are floats, whose products are
 * exact in double precision: a fused addition rounds no differently. */
#include "embed/pooling_kernels.h"

#include "base/cpu.h"

enum { together = 4, few_columns = 8, lanes = 8 };

#define INLINE static inline __attribute__((always_inline))

typedef lxm_mapped_float mapped_float;

/* Two columns at a time, for all rows: each addition waits for the one before it. */
INLINE void add_narrow(double *columns, const mapped_float *const *rows, size_t count, size_t dim)
{
    size_t i = 0;
    for (; i + 2 <= dim; i += 2) {
        double left = columns[i], right = columns[i + 1];
        for (size_t r = 0; r < count; r++) {
            left += (double)rows[r][i];
            right += (double)rows[r][i + 1];
        }
        columns[i] = left;
        columns[i + 1] = right;
    }
    for (size_t r = 0; i < dim && r < count; r++)
        columns[i] += (double)rows[r][i];
}

INLINE void add_four(double *columns, const mapped_float *const rows[together], size_t dim)
{
    const mapped_float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
    for (size_t i = 0; i < dim; i++)
        columns[i] = (((columns[i] + (double)a[i]) + (double)b[i]) + (double)c[i]) + (double)d[i];
}

INLINE void add_wide(double *columns, const mapped_float *const *rows, size_t count, size_t dim)
{
    size_t r = 0;
    for (; r + together <= count; r += together)
        add_four(columns, rows + r, dim);
    for (; r < count; r++)
        for (size_t i = 0; i < dim; i++)
            columns[i] += (double)rows[r][i];
}

INLINE void add_weighted(double *columns, const mapped_float *row, double weight, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        columns[i] += weight * (double)row[i];
}

INLINE void narrow(const double *columns, double factor, float *vector, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        vector[i] = (float)(columns[i] * factor);
}

INLINE double squares(const float *vector, size_t dim)
{
    double sums[lanes] = {0}, sum = 0;
    size_t i = 0;
    for (; i + lanes <= dim; i += lanes)
        for (size_t k = 0; k < lanes; k++)
            sums[k] += (double)vector[i + k] * (double)vector[i + k];
    for (size_t k = 0; i < dim; i++, k++)
        sums[k] += (double)vector[i] * (double)vector[i];
    for (size_t k = 0; k < lanes && k < dim; k++)
        sum += sums[k];
    return sum;
}

INLINE void scale(float *vector, double factor, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        vector[i] = (float)((double)vector[i] * factor);
}

#define KERNELS(name, attribute)                                                                   \
    attribute static void add_##name(double *columns, const mapped_float *const *rows,             \
                                     size_t count, size_t dim)                                     \
    {                                                                                              \
        if (dim <= few_columns)                                                                    \
            add_narrow(columns, rows, count, dim);                                                 \
        else                                                                                       \
            add_wide(columns, rows, count, dim);                                                   \
    }                                                                                              \
    attribute static void weighted_##name(double *columns, const mapped_float *row, double weight, \
                                          size_t dim)                                              \
    {                                                                                              \
        add_weighted(columns, row, weight, dim);                                                   \
    }                                                                                              \
    attribute static void narrow_##name(const double *columns, double factor, float *vector,       \
                                        size_t dim)                                                \
    {                                                                                              \
        narrow(columns, factor, vector, dim);                                                      \
    }                                                                                              \
    attribute static double squares_##name(const float *vector, size_t dim)                        \
    {                                                                                              \
        return squares(vector, dim);                                                               \
    }                                                                                              \
    attribute static void scale_##name(float *vector, double factor, size_t dim)                   \
    {                                                                                              \
        scale(vector, factor, dim);                                                                \
    }                                                                                              \
    static const lxm_pooling_kernels name = {#name,         add_##name,     weighted_##name,       \
                                             narrow_##name, squares_##name, scale_##name};

KERNELS(plain, )
#if defined(__x86_64__)
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512, __attribute__((target("avx512f,avx512vl,prefer-vector-width=512"))))
#endif

size_t lxm_pooling_variants(const lxm_pooling_kernels **variants)
{
    size_t count = 0;
    variants[count++] = &plain;
#if defined(__x86_64__)
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        variants[count++] = &avx2;
    if (lxm_cpu_features() & LXM_CPU_AVX512)
        variants[count++] = &avx512;
#endif
    return count;
}

const lxm_pooling_kernels *lxm_pooling_fastest(void)
{
    const lxm_pooling_kernels *variants[3];
    return variants[lxm_pooling_variants(variants) - 1];
}
