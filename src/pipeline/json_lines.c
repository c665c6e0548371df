#include "pipeline/json_lines.h"

#include "base/error.h"
#include "tokenize/segmenter.h"

lxm_status lxm_json_lines_init(lxm_json_lines *json, const lxm_tokenize_run_options *options,
                               lxm_invalid invalid, const lxm_allocator *allocator,
                               lxm_error *error)
{
    *json = (lxm_json_lines){.wanted = options->documents == LXM_DOCUMENTS_JSONL,
                             .utf8 = invalid == LXM_INVALID_ERROR,
                             .skip_bad = options->skip_bad};
    if (!json->wanted && (options->field || options->skip_bad))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a field, and bad lines to skip, are what JSON Lines have: use -d jsonl");
    if (!json->wanted)
        return LXM_OK;
    return lxm_json_path_init(&json->path, options->field ? options->field : "text", allocator,
                              error);
}

void lxm_json_lines_free(lxm_json_lines *json)
{
    if (json->wanted)
        lxm_json_path_free(&json->path);
}

/* Files from Windows begin with a byte order mark, which RFC 8259 allows to leave out. */
static size_t mark_length(const uint8_t *line, size_t length)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    return length >= sizeof mark && memcmp(line, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

bool lxm_json_is_blank(const uint8_t *line, size_t length)
{
    size_t i = mark_length(line, length);
    while (i < length && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
        i++;
    return i == length;
}

/* Decodes and pushes a string piece by piece. */
static lxm_status push_escaped(lxm_segmenter *segmenter, const uint8_t *raw, size_t length,
                               lxm_error *error)
{
    uint8_t bytes[32768];
    lxm_status status = LXM_OK;
    size_t n = 1;
    for (size_t at = 0; !status && n > 0;) {
        n = lxm_json_decode(raw, length, &at, bytes, sizeof bytes);
        status = lxm_segmenter_push(segmenter, bytes, n, error);
    }
    return status;
}

static lxm_status push_object(const lxm_json_lines *json, lxm_segmenter *segmenter,
                              const uint8_t *line, size_t length, bool *skipped, lxm_error *error)
{
    lxm_json_string text;
    lxm_status status = lxm_json_find(&json->path, line, length, json->utf8, &text, error);
    *skipped = json->skip_bad && (status == LXM_ERROR_FORMAT || status == LXM_ERROR_UTF8);
    if (status)
        return *skipped ? LXM_OK : status;
    const uint8_t *raw = line + text.begin;
    size_t size = text.end - text.begin;
    lxm_segmenter_begin_part(segmenter, 0);
    status = text.escaped ? push_escaped(segmenter, raw, size, error)
                          : lxm_segmenter_push(segmenter, raw, size, error);
    if (!status)
        status = lxm_segmenter_end_document(segmenter, error);
    if (status && error && error->offset != LXM_NO_OFFSET)
        error->offset = text.begin + lxm_json_source(raw, size, error->offset);
    return status;
}

lxm_status lxm_json_lines_push(const lxm_json_lines *json, lxm_segmenter *segmenter,
                               const uint8_t *line, size_t length, bool *skipped, lxm_error *error)
{
    size_t mark = mark_length(line, length);
    lxm_status status = push_object(json, segmenter, line + mark, length - mark, skipped, error);
    if (status && error && error->offset != LXM_NO_OFFSET)
        error->offset += mark;
    return status;
}
