#include "base/json_string.h"

#include <stdio.h>

#include "base/utf8.h"

static bool put(lxm_buffer *out, const char *text)
{
    return lxm_buffer_append(out, text, strlen(text));
}

static bool put_character(lxm_buffer *out, const uint8_t *bytes, size_t size)
{
    char escape[8];
    if (size == 0)
        snprintf(escape, sizeof escape, "\\udc%02x", bytes[0]);
    else if (bytes[0] == '"' || bytes[0] == '\\')
        snprintf(escape, sizeof escape, "\\%c", bytes[0]);
    else if (bytes[0] == '\n')
        snprintf(escape, sizeof escape, "\\n");
    else if (bytes[0] == '\t')
        snprintf(escape, sizeof escape, "\\t");
    else if (bytes[0] == '\r')
        snprintf(escape, sizeof escape, "\\r");
    else if (bytes[0] < 0x20 || bytes[0] == 0x7F)
        snprintf(escape, sizeof escape, "\\u%04x", bytes[0]);
    else
        return lxm_buffer_append(out, bytes, size);
    return put(out, escape);
}

bool lxm_json_string(lxm_buffer *out, const uint8_t *bytes, size_t length)
{
    if (!put(out, "\""))
        return false;
    for (size_t i = 0; i < length;) {
        size_t size = lxm_utf8_sequence(bytes + i, length - i);
        if (!put_character(out, bytes + i, size))
            return false;
        i += size ? size : 1;
    }
    return put(out, "\"");
}
