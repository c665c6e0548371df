#include "embed/finite.h"

#include <stdint.h>
#include <string.h>

#include "base/cpu.h"

/* A loop that a compiler turns into vector code: no exit before the end. */
static inline __attribute__((always_inline)) size_t count_rows(const float *rows, size_t count,
                                                               size_t dim, int32_t largest)
{
    size_t found = 0;
    for (size_t row = 0; row < count; row++, rows += dim) {
        int32_t most = 0;
        for (size_t i = 0; i < dim; i++) {
            int32_t bits;
            memcpy(&bits, &rows[i], sizeof bits);
            bits &= INT32_MAX;
            most = bits > most ? bits : most;
        }
        found += most > largest;
    }
    return found;
}

#if defined __x86_64__
__attribute__((target("avx2"))) static size_t count_rows_avx2(const float *rows, size_t count,
                                                              size_t dim, int32_t largest)
{
    return count_rows(rows, count, dim, largest);
}
#endif

size_t lxm_rows_not_finite(const float *rows, size_t count, size_t dim, lxm_dtype dtype)
{
    /* bits of the largest float that stays finite: below 65520 as f16 */
    int32_t largest = dtype == LXM_DTYPE_F16    ? 0x477FEFFF
                      : dtype == LXM_DTYPE_BF16 ? 0x7F7F7FFF
                                                : 0x7F7FFFFF;
#if defined __x86_64__
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        return count_rows_avx2(rows, count, dim, largest);
#endif
    return count_rows(rows, count, dim, largest);
}
