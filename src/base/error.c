#define _POSIX_C_SOURCE 200809L
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

const char *lxm_status_name(lxm_status status)
{
    static const char *const names[] = {
        "no error",
        "out of memory",
        "wrong argument",
        "input or output failed",
        "not the expected format",
        "not UTF-8",
        "bad pattern",
        "limit exceeded",
        "token not in the vocabulary",
        "id out of range",
        "made for another vocabulary",
        "not supported",
    };
    size_t index = (size_t)status;
    return index < sizeof names / sizeof *names ? names[index] : "unknown status";
}

const char *lxm_version(void)
{
    return LXM_VERSION;
}

static void fill(lxm_error *error, lxm_status code, int system, uint64_t offset, const char *format,
                 va_list arguments)
{
    if (!error)
        return;
    error->code = code;
    error->system = system;
    error->offset = offset;
    error->line = 0;
    error->path = NULL;
    if (vsnprintf(error->message, sizeof error->message, format, arguments) < 0)
        error->message[0] = '\0';
}

lxm_status lxm_fail(lxm_error *error, lxm_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, 0, LXM_NO_OFFSET, format, arguments);
    va_end(arguments);
    return code;
}

lxm_status lxm_fail_at(lxm_error *error, lxm_status code, uint64_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, 0, offset, format, arguments);
    va_end(arguments);
    return code;
}

lxm_status lxm_fail_io(lxm_error *error, int system, const char *what)
{
    char reason[128];
    if (strerror_r(system, reason, sizeof reason))
        snprintf(reason, sizeof reason, "error %d", system);
    lxm_fail(error, LXM_ERROR_IO, "%s: %s", what, reason);
    if (error)
        error->system = system;
    return LXM_ERROR_IO;
}

lxm_status lxm_fail_memory(lxm_error *error)
{
    return lxm_fail(error, LXM_ERROR_MEMORY, "out of memory");
}

const char *lxm_printable(char *text, size_t capacity, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    size_t used = 0, i = 0;
    while (i < length && used + 12 < capacity) {
        size_t size = lxm_utf8_sequence(p + i, length - i);
        if (size == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            used += (size_t)snprintf(text + used, capacity - used, "\\x%02X", p[i]);
            i++;
            continue;
        }
        memcpy(text + used, p + i, size);
        used += size;
        i += size;
    }
    snprintf(text + used, capacity - used, "%s", i < length ? "..." : "");
    return text;
}
