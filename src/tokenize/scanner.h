/*
 * The scanner slot: what finds the tokens of a subject. PCRE2 is one scanner and runs any pattern;
 * the others are hand-written for one preset each, and equal to PCRE2 on its pattern.
 */
#ifndef LXM_TOKENIZE_SCANNER_H
#define LXM_TOKENIZE_SCANNER_H

#include "base/memory.h"
#include "lexmill/tokenize.h"

/*
 * A subject is text between two special tokens or document ends. It may come in parts: `text`
 * then holds the part that isn't decided yet, behind at least `context` bytes of what came before.
 *
 * A scan looks for tokens from `position` on and appends them to `spans`. It returns when
 *   - `spans` is full: count == capacity;
 *   - the text is used up: position == length;
 *   - what stands at `position` can't be decided before more text comes (never if `final`).
 * In every case all that lies before `position` is decided. A token is never empty, and a token
 * that is found depends on the text and on the position of the one before, on nothing else.
 */
typedef struct lxm_scan {
    const uint8_t *text; /* valid UTF-8, cut between characters */
    size_t length;       /* under 4 GiB */
    size_t position;
    bool first; /* text[0] is the start of the subject */
    bool final; /* text[length] is its end */
    lxm_span *spans;
    size_t count, capacity;
} lxm_scan;

typedef struct lxm_scanner lxm_scanner;

/* What is compiled from a pattern or chosen for a preset: immutable and shared. */
struct lxm_scanner {
    lxm_status (*scan)(const lxm_scanner *scanner, void *workspace, lxm_scan *scan,
                       lxm_error *error);
    /* One thread's memory for `scan`; both may be NULL where it needs none. */
    lxm_status (*workspace_new)(const lxm_scanner *scanner, void **workspace,
                                const lxm_allocator *allocator, lxm_error *error);
    void (*workspace_free)(const lxm_scanner *scanner, void *workspace);
    void (*free)(lxm_scanner *scanner); /* NULL for a static one */
    size_t context;                     /* bytes before `position` that a scan may look at */
};

/* Compiles a pattern for PCRE2. */
typedef struct lxm_pattern_options {
    const char *pattern;
    bool split;
    uint32_t match_limit;
} lxm_pattern_options;
lxm_status lxm_pattern_new(lxm_scanner **scanner, const lxm_pattern_options *options,
                           const lxm_allocator *allocator, lxm_error *error);

/* Whether a pattern may match nothing at all; true where PCRE2 can't tell. */
lxm_status lxm_pattern_matches_empty(const char *pattern, bool *empty,
                                     const lxm_allocator *allocator, lxm_error *error);

#endif
