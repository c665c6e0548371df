/* JSON Lines: from a line to the tokens of its document. */
#ifndef LXM_PIPELINE_JSON_LINES_H
#define LXM_PIPELINE_JSON_LINES_H

#include "lexmill/pipeline.h"
#include "tokenize/jsonl.h"

/* A line that is longer is bad: it has to be held in memory. */
enum { lxm_longest_line = 1 << 30 };

typedef struct lxm_json_lines {
    lxm_json_path path;
    bool wanted; /* documents are JSON Lines at all */
    bool utf8;   /* lines must be UTF-8; otherwise the segmenter deals with what isn't */
    bool skip_bad;
} lxm_json_lines;

/* What became of some lines. */
typedef struct lxm_line_count {
    uint64_t lines, bad;
    uint64_t first_bad; /* number of the line, from 1 */
} lxm_line_count;

lxm_status lxm_json_lines_init(lxm_json_lines *json, const lxm_tokenize_run_options *options,
                               lxm_invalid invalid, const lxm_allocator *allocator,
                               lxm_error *error);
void lxm_json_lines_free(lxm_json_lines *json);

/* Whether there is nothing but white space: such a line is no document. */
bool lxm_json_is_blank(const uint8_t *line, size_t length);

/* Appends a string that lxm_json_find has found sound, of which `raw` is the text; false when
 * memory runs out. */
bool lxm_json_append_string(lxm_buffer *out, const uint8_t *raw, const lxm_json_string *string);

/* Segments the document of a line; the offset of an error is one in the line. *skipped: the line
 * was bad, and nothing has come of it. */
lxm_status lxm_json_lines_push(const lxm_json_lines *json, lxm_segmenter *segmenter,
                               const uint8_t *line, size_t length, bool *skipped, lxm_error *error);

#endif
