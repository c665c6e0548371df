/*
 * The way GPT-2's files write bytes as visible characters: 33-126, 161-172 and 174-255 stand for
 * themselves as code points, the other 68 bytes, in order, are U+0100 and up.
 */
#ifndef LXM_FORMATS_BYTE_LEVEL_H
#define LXM_FORMATS_BYTE_LEVEL_H

#include "base/memory.h"

typedef enum lxm_byte_level_result {
    LXM_BYTE_LEVEL_DONE,
    LXM_BYTE_LEVEL_LITERAL, /* a character in it stands for no byte */
    LXM_BYTE_LEVEL_MEMORY
} lxm_byte_level_result;

/* Appends the bytes that a text of valid UTF-8 stands for. */
lxm_byte_level_result lxm_byte_level_decode(lxm_buffer *bytes, const char *text, size_t length);

/* Appends the characters that bytes stand as; false when memory runs out. */
bool lxm_byte_level_encode(lxm_buffer *text, const uint8_t *bytes, size_t length);

#endif
