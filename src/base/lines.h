#ifndef LXM_BASE_LINES_H
#define LXM_BASE_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Newlines in a text. */
uint64_t lxm_count_lines(const uint8_t *bytes, size_t length);

#endif
