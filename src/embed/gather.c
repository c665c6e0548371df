#include "embed/gather.h"

#include "base/cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* More than this won't be in the caches when it is read: it goes past them, so that no store reads
 * the line that it overwrites, nor drives the table out. */
enum { cached = 16 << 20 };
enum { line = 64, chunk = 1024 };

static void fetch(const uint8_t *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += line)
        __builtin_prefetch(from + at);
}

static void copy_row(const uint8_t *from, const uint8_t *next, size_t bytes, uint8_t *to)
{
    for (size_t at = 0; at < bytes; at += chunk) {
        size_t n = bytes - at < chunk ? bytes - at : chunk;
        fetch(next + at, n);
        memcpy(to + at, from + at, n);
    }
}

static void no_fence(void)
{
}

static const lxm_gather_variant scalar = {"scalar", copy_row, copy_row, no_fence};

#ifdef __x86_64__

__attribute__((target("avx2"))) static void stream_avx2(const uint8_t *from, const uint8_t *next,
                                                        size_t bytes, uint8_t *to)
{
    size_t head = -(uintptr_t)to % line, at = head < bytes ? head : bytes;
    memcpy(to, from, at);
    for (; bytes - at >= line; at += line) {
        __builtin_prefetch(next + at);
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(from + at));
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(from + at + 32));
        _mm256_stream_si256((__m256i *)(void *)(to + at), low);
        _mm256_stream_si256((__m256i *)(void *)(to + at + 32), high);
    }
    memcpy(to + at, from + at, bytes - at);
}

static void fence(void)
{
    _mm_sfence();
}

static const lxm_gather_variant avx2 = {"avx2", copy_row, stream_avx2, fence};

#endif

size_t lxm_gather_variants(const lxm_gather_variant **variants)
{
    size_t count = 0;
    variants[count++] = &scalar;
#ifdef __x86_64__
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        variants[count++] = &avx2;
#endif
    return count;
}

const lxm_gather_variant *lxm_gather_fastest(void)
{
    const lxm_gather_variant *variants[2];
    return variants[lxm_gather_variants(variants) - 1];
}

void lxm_gather_rows(const lxm_gather_variant *variant, const lxm_table *table, const uint32_t *ids,
                     size_t count, float *vectors)
{
    size_t bytes = table->dim * sizeof *vectors;
    uint8_t *to = (uint8_t *)vectors;
    bool streams = count > cached / bytes;
    lxm_copy_row *copy = streams ? variant->stream : variant->copy;
    for (size_t i = 0; i < count; i++, to += bytes)
        copy(lxm_table_at(table, ids[i]), lxm_table_at(table, ids[i + (i + 1 < count)]), bytes, to);
    if (streams)
        variant->fence();
}
