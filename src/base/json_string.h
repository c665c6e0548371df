/* Strings of JSON. */
#ifndef LXM_BASE_JSON_STRING_H
#define LXM_BASE_JSON_STRING_H

#include "base/memory.h"

/* Appends bytes as a string of JSON, with its quotes. A byte that isn't UTF-8 is the lone surrogate
 * U+DC00 + byte, as in Python's surrogateescape. False when memory runs out. */
bool lxm_json_string(lxm_buffer *out, const uint8_t *bytes, size_t length);

#endif
