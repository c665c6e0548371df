#include "base/utf8.h"

#include <string.h>

#include "base/cpu.h"

/* The range of the second byte of a sequence, by its first (Unicode 15, table 3-7). */
static size_t lead(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return 2;
    if (first < 0xF0) {
        if (first == 0xE0)
            *low = 0xA0;
        else if (first == 0xED)
            *high = 0x9F;
        return 3;
    }
    if (first > 0xF4)
        return 0;
    if (first == 0xF0)
        *low = 0x90;
    else if (first == 0xF4)
        *high = 0x8F;
    return 4;
}

/* How many bytes from the start agree with table 3-7; *size is what the sequence should have. */
static size_t matching(const uint8_t *bytes, size_t length, size_t *size)
{
    uint8_t low, high;
    *size = lead(bytes[0], &low, &high);
    if (*size < 2)
        return *size;
    size_t n = 1;
    while (n < *size && n < length && bytes[n] >= low && bytes[n] <= high) {
        low = 0x80;
        high = 0xBF;
        n++;
    }
    return n;
}

size_t lxm_utf8_sequence(const uint8_t *bytes, size_t length)
{
    size_t size;
    if (length == 0)
        return 0;
    return matching(bytes, length, &size) == size ? size : 0;
}

size_t lxm_utf8_ill_formed(const uint8_t *bytes, size_t length)
{
    size_t size, n = matching(bytes, length, &size);
    if (n == length && n < size)
        return 0;
    return n ? n : 1;
}

static const uint64_t high_bits = 0x8080808080808080u;

static inline int is_ascii_word(const uint8_t *bytes)
{
    uint64_t words[4];
    memcpy(words, bytes, sizeof words);
    return ((words[0] | words[1] | words[2] | words[3]) & high_bits) == 0;
}

/* ASCII at the start, which is valid; short texts are mostly that. */
static inline size_t skip_ascii(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    for (uint64_t word; length - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        if (word & high_bits)
            break;
    }
    while (i < length && bytes[i] < 0x80)
        i++;
    return i;
}

size_t lxm_utf8_valid_scalar(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    for (;;) {
        while (length - i >= 32 && is_ascii_word(bytes + i))
            i += 32;
        size_t stop = length - i > 32 ? i + 32 : length;
        i += skip_ascii(bytes + i, stop - i);
        while (i < stop) {
            size_t size = lxm_utf8_sequence(bytes + i, length - i);
            if (size == 0)
                return i;
            i += size;
        }
        if (i >= length)
            return i;
    }
}

#ifdef LXM_UTF8_AVX2

/* Where the sequence begins that bytes[0, length) cuts, or a byte that can't begin one and is only
 * seen to be wrong by the next; `length` where there is neither. */
static size_t before_cut(const uint8_t *bytes, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        uint8_t low, high, c = bytes[length - back];
        if (c >= 0xC0) {
            size_t size = lead(c, &low, &high);
            return size > back || size == 0 ? length - back : length;
        }
        if (c < 0x80)
            break;
    }
    return length;
}

size_t lxm_utf8_valid(const uint8_t *bytes, size_t length)
{
    size_t done = 0;
    unsigned features = length < 128 ? 0 : lxm_cpu_features();
    if (features & LXM_CPU_AVX512)
        done = before_cut(bytes, lxm_utf8_valid_blocks_avx512(bytes, length));
    else if (features & LXM_CPU_AVX2)
        done = before_cut(bytes, lxm_utf8_valid_blocks_avx2(bytes, length));
    return done + lxm_utf8_valid_scalar(bytes + done, length - done);
}

#else

size_t lxm_utf8_valid(const uint8_t *bytes, size_t length)
{
    return lxm_utf8_valid_scalar(bytes, length);
}

#endif

size_t lxm_utf8_encode(uint32_t c, uint8_t *bytes)
{
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | c >> 6);
        bytes[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | c >> 12);
        bytes[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        bytes[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    bytes[0] = (uint8_t)(0xF0 | c >> 18);
    bytes[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    bytes[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    bytes[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}
