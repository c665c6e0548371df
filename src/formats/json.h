/* Writing JSON that Jansson holds. */
#ifndef LXM_FORMATS_JSON_H
#define LXM_FORMATS_JSON_H

#include <jansson.h>

#include "base/memory.h"

/* Appends the text of a value (`flags`: Jansson's); false when memory runs out or `json` is NULL.
 */
bool lxm_json_append(lxm_buffer *buffer, const json_t *json, size_t flags);

#endif
