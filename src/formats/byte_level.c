#include "formats/byte_level.h"

#include "base/utf8.h"

enum { shifted = 0x100, shifted_count = 68 };

static bool stands_for_itself(unsigned byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
}

/* The byte of a code point, or -1. */
static int byte_of(uint32_t code_point)
{
    if (code_point < shifted)
        return stands_for_itself(code_point) ? (int)code_point : -1;
    if (code_point >= shifted + shifted_count)
        return -1;
    unsigned left = code_point - shifted;
    if (left < 33)
        return (int)left;
    if (left < 67)
        return (int)(127 + left - 33);
    return 173;
}

lxm_byte_level_result lxm_byte_level_decode(lxm_buffer *bytes, const char *text, size_t length)
{
    const uint8_t *p = (const uint8_t *)text;
    if (!lxm_buffer_reserve(bytes, length))
        return LXM_BYTE_LEVEL_MEMORY;
    for (size_t i = 0, size; i < length; i += size) {
        int byte = byte_of(lxm_utf8_decode(p + i, &size));
        if (byte < 0)
            return LXM_BYTE_LEVEL_LITERAL;
        bytes->data[bytes->length++] = (uint8_t)byte;
    }
    return LXM_BYTE_LEVEL_DONE;
}

static uint32_t code_point_of(uint8_t byte)
{
    if (stands_for_itself(byte))
        return byte;
    if (byte < 33)
        return (uint32_t)shifted + byte;
    return byte == 173 ? shifted + shifted_count - 1 : shifted + 33u + byte - 127;
}

bool lxm_byte_level_encode(lxm_buffer *text, const uint8_t *bytes, size_t length)
{
    size_t most;
    if (!lxm_multiply(length, 2, &most) || !lxm_add(most, 4, &most) ||
        !lxm_buffer_reserve(text, most))
        return false;
    for (size_t i = 0; i < length; i++)
        text->length += lxm_utf8_encode(code_point_of(bytes[i]), text->data + text->length);
    return true;
}
