/* UTF-8: validation (Unicode 15, table 3-7) and decoding of what is valid. */
#ifndef LXM_BASE_UTF8_H
#define LXM_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the longest prefix that is whole, valid UTF-8. */
size_t lxm_utf8_valid(const uint8_t *bytes, size_t length);

#if defined __x86_64__
#define LXM_UTF8_AVX2
#define LXM_UTF8_AVX512
/* For a processor with these: how many bytes are valid for certain, in steps of 128, but for a
 * sequence that the last of them may cut. */
size_t lxm_utf8_valid_blocks_avx2(const uint8_t *bytes, size_t length);
size_t lxm_utf8_valid_blocks_avx512(const uint8_t *bytes, size_t length);
#endif

/* The same by any processor's means. */
size_t lxm_utf8_valid_scalar(const uint8_t *bytes, size_t length);

/* Length of the whole, valid sequence that stands at the start, or 0. */
size_t lxm_utf8_sequence(const uint8_t *bytes, size_t length);

/* For bytes that lxm_utf8_sequence calls 0: the length of their maximal ill-formed subpart (1 to
 * 3), or 0 where they are a valid sequence that is merely cut off by `length`. */
size_t lxm_utf8_ill_formed(const uint8_t *bytes, size_t length);

/* How many characters valid UTF-8 has. */
static inline size_t lxm_utf8_count(const uint8_t *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (bytes[i] & 0xC0) != 0x80;
    return count;
}

/* Decodes a sequence of valid UTF-8; *length is its size. */
static inline uint32_t lxm_utf8_decode(const uint8_t *p, size_t *length)
{
    if (p[0] < 0x80) {
        *length = 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *length = 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (p[0] < 0xF0) {
        *length = 3;
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    *length = 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
           (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

/* Encodes a scalar value; returns its size. `bytes` holds 4. */
static inline size_t lxm_utf8_encode(uint32_t c, uint8_t *bytes)
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

#endif
