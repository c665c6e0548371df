/* clang-format off */
/*
 * The binary form of a stream. All numbers are little-endian; every part is a multiple of 8 bytes.
 *
 *   header   magic 89 4C 58 4D 0D 0A 1A 0A, u32 version (2), u8 kind (1 tokens, 2 ids), u8 id width
 *            (4; 0 for tokens), u16 flags (1: offsets), u64 fingerprint of the vocabulary
 *            (0: unknown), u32 length of settings, u32 0, u64 checksum; then the settings (UTF-8),
 *            padded with zeros
 *   frame    u32 0x4D415246 ("FRAM"), u32 items, u32 document ends, u32 0, u64 payload bytes, u64 0,
 *            u64 checksum; then the payload, each section padded with zeros:
 *              bytes                the tokens' text, one after another; not for ids
 *              u32 x items          where each token ends in the text; or the ids
 *              u32 x document ends  how many of the frame's items stand before each
 *              u64 x 2 x items      with flag 1 alone: begin and end in the document
 *   trailer  as a frame with 0x4C494154 ("TAIL"), no items; payload: u64 frames, u64 items,
 *            u64 documents, u64 payload bytes of all frames, u64 checksum over the frames' checksums
 *            in order: c = XXH3(frame's checksum, seed c), from 0
 *
 * A checksum is XXH3-64 of what follows it, seeded with XXH3-64 of what stands before it in the
 * same part. A frame holds at most 16,384 items and 256 KiB of text, or one longer token.
 *
 * What a frame has most of, text or ids, comes first, so that it is written where it stays.
 */
/* clang-format on */
#ifndef LXM_STREAM_BINARY_H
#define LXM_STREAM_BINARY_H

#include "base/hash.h"
#include "base/memory.h"

#define LXM_STREAM_MAGIC "\x89LXM\r\n\x1a\n"

enum {
    lxm_stream_version = 2,
    lxm_frame_tag = 0x4D415246,
    lxm_trailer_tag = 0x4C494154,
    lxm_flag_offsets = 1,
    lxm_part_header = 40,  /* bytes of a header, frame header or trailer header */
    lxm_part_checked = 32, /* of those, what stands before the checksum */
    lxm_trailer_payload = 40,
    lxm_frame_items = 16384,
    lxm_frame_text = 256 * 1024,
};

static inline void lxm_put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline void lxm_put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t lxm_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t lxm_get_u64(const uint8_t *p)
{
    return lxm_get_u32(p) | (uint64_t)lxm_get_u32(p + 4) << 32;
}

/* `count` numbers in a row. */
static inline void lxm_put_u32s(uint8_t *p, const uint32_t *values, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, values, 4 * count);
#else
    for (size_t i = 0; i < count; i++)
        lxm_put_u32(p + 4 * i, values[i]);
#endif
}

static inline size_t lxm_padded(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

static inline uint64_t lxm_part_checksum(const uint8_t *header, const uint8_t *payload,
                                         size_t length)
{
    return lxm_hash(payload, length, lxm_hash(header, lxm_part_checked, 0));
}

#endif
