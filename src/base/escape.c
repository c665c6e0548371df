#include "base/escape.h"

#include "base/utf8.h"

static char letter_of(uint8_t byte)
{
    switch (byte) {
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\0':
        return '0';
    default:
        return 0;
    }
}

size_t lxm_escape_plain(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        if (bytes[i] < 0x80) {
            if (letter_of(bytes[i]))
                return i;
            i++;
            continue;
        }
        size_t size = lxm_utf8_sequence(bytes + i, length - i);
        if (size == 0)
            return i;
        i += size;
    }
    return i;
}

bool lxm_escape(lxm_buffer *buffer, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0;;) {
        size_t plain = lxm_escape_plain(bytes + i, length - i);
        if (!lxm_buffer_append(buffer, bytes + i, plain))
            return false;
        i += plain;
        if (i == length)
            return true;
        char escape[4] = {'\\', letter_of(bytes[i])};
        size_t size = 2;
        if (!escape[1]) {
            escape[1] = 'x';
            escape[2] = digits[bytes[i] >> 4];
            escape[3] = digits[bytes[i] & 15];
            size = 4;
        }
        if (!lxm_buffer_append(buffer, escape, size))
            return false;
        i++;
    }
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* The byte that an escape stands for, or -1; *size is how long the escape is. */
static int escaped_byte(const uint8_t *bytes, size_t length, size_t *size)
{
    *size = 2;
    if (length < 2)
        return -1;
    switch (bytes[1]) {
    case '\\':
        return '\\';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '0':
        return '\0';
    case 'x':
        break;
    default:
        return -1;
    }
    *size = 4;
    if (length < 4 || digit(bytes[2]) < 0 || digit(bytes[3]) < 0)
        return -1;
    return digit(bytes[2]) << 4 | digit(bytes[3]);
}

size_t lxm_unescape(uint8_t *bytes, size_t length, size_t *bad)
{
    uint8_t *first = memchr(bytes, '\\', length);
    if (!first)
        return length;
    size_t to = (size_t)(first - bytes);
    for (size_t i = to; i < length;) {
        if (bytes[i] != '\\') {
            bytes[to++] = bytes[i++];
            continue;
        }
        size_t size;
        int byte = escaped_byte(bytes + i, length - i, &size);
        if (byte < 0) {
            *bad = i;
            return SIZE_MAX;
        }
        bytes[to++] = (uint8_t)byte;
        i += size;
    }
    return to;
}
