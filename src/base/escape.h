/* How a token stands on a line: \\, \n, \r, \t, \0 and \xHH (a byte that is not valid UTF-8). */
#ifndef LXM_BASE_ESCAPE_H
#define LXM_BASE_ESCAPE_H

#include "base/memory.h"

/* Length of the longest prefix that stands for itself. */
size_t lxm_escape_plain(const uint8_t *bytes, size_t length);

/* What stands behind the backslash for a byte that is escaped by a letter; 0 for all others. */
extern const char lxm_escape_letters[256];

/* Appends the escaped form; false when memory runs out. */
bool lxm_escape(lxm_buffer *buffer, const uint8_t *bytes, size_t length);

/* Undoes it in place: returns the new length, or SIZE_MAX for an escape that is none of the above,
 * with its position in *bad. */
size_t lxm_unescape(uint8_t *bytes, size_t length, size_t *bad);

#endif
