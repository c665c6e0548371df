/* Writing JSON that Jansson holds. */
#ifndef LXM_FORMATS_JSON_H
#define LXM_FORMATS_JSON_H

#include <jansson.h>

#include "base/memory.h"

/* Appends the text of a value (`flags`: Jansson's); false when memory runs out or `json` is NULL.
 */
bool lxm_json_append(lxm_buffer *buffer, const json_t *json, size_t flags);

/* A string for people to read: bytes that aren't UTF-8, as names of files may hold, are escaped,
 * and with them what a token stream escapes. NULL where memory runs out. */
json_t *lxm_json_text(const char *text, const lxm_allocator *allocator);

#endif
