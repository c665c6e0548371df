#include "base/lines.h"

#include "base/cpu.h"

/* In lanes of bytes, so that a compiler makes vector code of it. */
static inline __attribute__((always_inline)) uint64_t count(const uint8_t *bytes, size_t length)
{
    enum { lanes = 64, most = 255 };
    uint64_t lines = 0;
    while (length >= lanes) {
        uint8_t counts[lanes] = {0};
        size_t rounds = length / lanes < most ? length / lanes : most;
        for (size_t i = 0; i < rounds; i++, bytes += lanes)
            for (size_t lane = 0; lane < lanes; lane++)
                counts[lane] = (uint8_t)(counts[lane] + (bytes[lane] == '\n'));
        for (size_t lane = 0; lane < lanes; lane++)
            lines += counts[lane];
        length -= rounds * lanes;
    }
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

#if defined __x86_64__
__attribute__((target("avx2"))) static uint64_t count_avx2(const uint8_t *bytes, size_t length)
{
    return count(bytes, length);
}
#endif

uint64_t lxm_count_lines(const uint8_t *bytes, size_t length)
{
#if defined __x86_64__
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        return count_avx2(bytes, length);
#endif
    return count(bytes, length);
}
