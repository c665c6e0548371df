/* Filling an lxm_error. Each returns the status it was given, so that a call can `return` it. */
#ifndef LXM_BASE_ERROR_H
#define LXM_BASE_ERROR_H

#include "lexmill/error.h"

/* Code and message; no position. */
lxm_status lxm_fail(lxm_error *error, lxm_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a byte offset. */
lxm_status lxm_fail_at(lxm_error *error, lxm_status code, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* LXM_ERROR_IO from errno: "WHAT: strerror". */
lxm_status lxm_fail_io(lxm_error *error, int system, const char *what);

/* LXM_ERROR_MEMORY. */
lxm_status lxm_fail_memory(lxm_error *error);

/* Bytes as they may stand in a message: control characters and bad UTF-8 escaped, cut with "..."
 * after about `capacity` bytes. Returns `text`. */
const char *lxm_printable(char *text, size_t capacity, const void *bytes, size_t length);

#endif
