/*
 * Hand-written scanners: each yields what PCRE2 yields for the pattern of its preset, many times
 * faster. Only the classes of characters differ where the Unicode versions do (unicode.h).
 */
#ifndef LXM_TOKENIZE_SCAN_SCAN_H
#define LXM_TOKENIZE_SCAN_SCAN_H

#include "base/cpu.h"
#include "tokenize/scanner.h"

/* The scanner of a preset, the best that a set of lxm_cpu allows; NULL where a preset has none.
 * Static, no workspace, no context. */
const lxm_scanner *lxm_scanner_for_preset(const char *name, unsigned cpu);

#endif
