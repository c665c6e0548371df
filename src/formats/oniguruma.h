/* Patterns of Oniguruma, which Hugging Face's tokenizers use, as patterns of PCRE2. */
#ifndef LXM_FORMATS_ONIGURUMA_H
#define LXM_FORMATS_ONIGURUMA_H

#include "base/memory.h"

/* Appends what means the same to PCRE2 with UTF and UCP. What the two engines may take differently
 * is LXM_ERROR_UNSUPPORTED, by name, with its offset in the pattern. */
lxm_status lxm_oniguruma_translate(lxm_buffer *out, const char *pattern, lxm_error *error);

/* Appends a pattern for a text as it stands. */
lxm_status lxm_oniguruma_quote(lxm_buffer *out, const char *text, size_t length, lxm_error *error);

#endif
