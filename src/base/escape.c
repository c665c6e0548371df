#include "base/escape.h"

#include "base/utf8.h"

const char lxm_escape_letters[256] = {
    ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\0'] = '0'};

static size_t without_letters(const uint8_t *bytes, size_t length)
{
    enum { block = 32 };
    size_t i = 0;
    for (; length - i >= block; i += block) {
        uint8_t found = 0;
        for (size_t k = 0; k < block; k++) /* without a branch, for the compiler's vectors */
            found |=
                (uint8_t)((bytes[i + k] == '\\') | (bytes[i + k] == '\n') | (bytes[i + k] == '\r') |
                          (bytes[i + k] == '\t') | (bytes[i + k] == '\0'));
        if (found)
            break;
    }
    while (i < length && !lxm_escape_letters[bytes[i]])
        i++;
    return i;
}

static size_t plain_short(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        if (bytes[i] < 0x80) {
            if (lxm_escape_letters[bytes[i]])
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

size_t lxm_escape_plain(const uint8_t *bytes, size_t length)
{
    enum { part = 256 }; /* not the whole, which bad bytes would make quadratic */
    size_t i = 0;
    if (length < part)
        return plain_short(bytes, length);
    while (length - i >= part) {
        size_t plain = without_letters(bytes + i, part);
        size_t valid = lxm_utf8_valid(bytes + i, plain);
        i += valid;
        /* a character that the part's end cuts stands at the start of the next one */
        if (plain < part || valid == 0)
            return i;
    }
    return i + plain_short(bytes + i, length - i);
}

/* The bytes at the start that letters stand for; *done: how many there were. */
static bool append_letters(lxm_buffer *buffer, const uint8_t *bytes, size_t length, size_t *done)
{
    size_t n = 0;
    while (n < length && lxm_escape_letters[bytes[n]])
        n++;
    *done = n;
    if (n == 0 || !lxm_buffer_reserve(buffer, 2 * n))
        return n == 0;
    uint8_t *out = buffer->data + buffer->length;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = '\\';
        out[2 * i + 1] = (uint8_t)lxm_escape_letters[bytes[i]];
    }
    buffer->length += 2 * n;
    return true;
}

static bool append_byte(lxm_buffer *buffer, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    return lxm_buffer_append(buffer, escape, sizeof escape);
}

bool lxm_escape(lxm_buffer *buffer, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0;;) {
        size_t n = lxm_escape_plain(bytes + i, length - i);
        if (!lxm_buffer_append(buffer, bytes + i, n))
            return false;
        i += n;
        if (i == length)
            return true;
        if (!append_letters(buffer, bytes + i, length - i, &n) ||
            (n == 0 && !append_byte(buffer, bytes[i])))
            return false;
        i += n + (n == 0);
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
