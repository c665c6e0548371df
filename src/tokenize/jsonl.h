/*
 * JSON Lines: one line, one JSON object (RFC 8259), of which one string is the document.
 *
 * A line is checked whole before anything of it is used. What isn't the field is checked and
 * skipped, not kept: numbers have any size, and of members with one name the last counts.
 */
#ifndef LXM_TOKENIZE_JSONL_H
#define LXM_TOKENIZE_JSONL_H

#include "base/memory.h"

enum { lxm_json_depth = 2048 }; /* deepest nesting of objects and arrays */

/* A field: names of members, outermost first. */
typedef struct lxm_json_path {
    char *names; /* one behind the other, each with a NUL behind it */
    size_t *lengths;
    size_t count;
    lxm_allocator allocator;
} lxm_json_path;

/* "a.b" is member b of the object a; \. is a dot in a name, \\ a backslash. */
lxm_status lxm_json_path_init(lxm_json_path *path, const char *field,
                              const lxm_allocator *allocator, lxm_error *error);
void lxm_json_path_free(lxm_json_path *path);

/* A string in a line, as it stands between its quotes: line[begin, end). */
typedef struct lxm_json_string {
    size_t begin, end;
    bool escaped; /* there are backslashes in it */
} lxm_json_string;

/* Finds the field. LXM_ERROR_FORMAT with the offset in the line where that isn't an object, has no
 * such field, or the field is no string. With `utf8` LXM_ERROR_UTF8 for what isn't, and half of a
 * surrogate pair is no JSON; without, it is decoded as U+FFFD. */
lxm_status lxm_json_find(const lxm_json_path *path, const uint8_t *line, size_t length, bool utf8,
                         lxm_json_string *found, lxm_error *error);

/* Decodes what lxm_json_find has found sound, from raw[*at] on; `capacity` is 4 at least. Returns
 * how many bytes that gave: 0 at the end. */
size_t lxm_json_decode(const uint8_t *raw, size_t length, size_t *at, uint8_t *bytes,
                       size_t capacity);

/* Where in `raw` the decoded byte number `decoded` comes from. */
size_t lxm_json_source(const uint8_t *raw, size_t length, uint64_t decoded);

#endif
