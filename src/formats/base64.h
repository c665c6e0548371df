/* Base64 (RFC 4648, section 4), without line ends. */
#ifndef LXM_FORMATS_BASE64_H
#define LXM_FORMATS_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Groups of four digits, '=' in the place of the last one or two; returns the bytes written, or 0
 * where it is anything else. `out` holds 3/4 of the length. */
size_t lxm_base64_decode(const uint8_t *text, size_t length, uint8_t *out);

#endif
