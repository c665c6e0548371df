#ifndef LXM_BASE_LINES_H
#define LXM_BASE_LINES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Newlines in a text. */
uint64_t lxm_count_lines(const uint8_t *bytes, size_t length);

/* Which of 64 bytes are newlines: bit i is for byte i. */
static inline uint64_t lxm_newlines(const uint8_t *bytes)
{
    uint64_t found = 0;
#if defined(__SSE2__)
    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        v = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
        found |= (uint64_t)(uint32_t)_mm_movemask_epi8(v) << i;
    }
#else
    for (int i = 0; i < 64; i++)
        found |= (uint64_t)(bytes[i] == '\n') << i;
#endif
    return found;
}

#endif
