/* Puts something in the place of a string, or of runs of a character. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/step.h"
#include "tokenize/unicode.h"

static lxm_status put_content(lxm_stage *stage, uint64_t source, uint64_t end, lxm_error *error)
{
    const char *content = stage->step->content;
    return lxm_stage_put(stage, content, strlen(content), source, end, error);
}

/* ---- a string ---- */

/* Where the pattern begins in text[begin, length), or, at the end, may begin. */
static size_t find(const lxm_step *step, const uint8_t *text, size_t begin, size_t length)
{
    size_t size = strlen(step->pattern);
    const uint8_t *found = memmem(text + begin, length - begin, step->pattern, size);
    if (found)
        return (size_t)(found - text);
    size_t at = length - begin < size ? begin : length - size + 1;
    while (at < length && memcmp(text + at, step->pattern, length - at) != 0)
        at++;
    return at;
}

/* Returns through *used how much of the text is dealt with. */
static lxm_status replace(lxm_stage *stage, const uint8_t *text, size_t length,
                          const lxm_alignment *alignment, size_t *used, lxm_error *error)
{
    size_t size = strlen(stage->step->pattern), at = 0;
    for (;;) {
        uint64_t source, end;
        size_t next = find(stage->step, text, at, length);
        lxm_status status = LXM_OK;
        if (next > at)
            status = lxm_stage_copy(stage, text, length, at, next, alignment, error);
        *used = at = next;
        if (status || length - at < size)
            return status;
        lxm_alignment_range(alignment, at, at + size, &source, &end);
        status = put_content(stage, source, end, error);
        if (status)
            return status;
        at += size;
    }
}

static lxm_status hold(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                       const lxm_alignment *alignment, lxm_error *error)
{
    if (!lxm_alignment_append_part(&stage->held_alignment, stage->held.length, alignment, length,
                                   begin, length) ||
        !lxm_buffer_append(&stage->held, text + begin, length - begin))
        return lxm_fail_memory(error);
    return LXM_OK;
}

static lxm_status push_string(lxm_stage *stage, const uint8_t *text, size_t length,
                              const lxm_alignment *alignment, lxm_error *error)
{
    size_t used;
    if (stage->held.length == 0) {
        lxm_status status = replace(stage, text, length, alignment, &used, error);
        return status ? status : hold(stage, text, length, used, alignment, error);
    }
    lxm_status status = hold(stage, text, length, 0, alignment, error);
    if (!status)
        status = replace(stage, stage->held.data, stage->held.length, &stage->held_alignment, &used,
                         error);
    if (status)
        return status;
    lxm_alignment_drop(&stage->held_alignment, used);
    stage->held.length -= used;
    memmove(stage->held.data, stage->held.data + used, stage->held.length);
    if (stage->held.length == 0)
        lxm_alignment_clear(&stage->held_alignment);
    return LXM_OK;
}

static lxm_status release(lxm_stage *stage, lxm_error *error)
{
    size_t length = stage->held.length;
    lxm_status status =
        lxm_stage_copy(stage, stage->held.data, length, 0, length, &stage->held_alignment, error);
    stage->held.length = 0;
    lxm_alignment_clear(&stage->held_alignment);
    return status;
}

/* ---- runs of a character ---- */

/* Size of the character at the start where it belongs to a run, or 0. */
static size_t member(const lxm_step *step, const uint8_t *text, size_t *size)
{
    uint32_t c = lxm_utf8_decode(text, size);
    if (!step->pattern)
        return lxm_unicode_kind(c) == LXM_KIND_SPACE ? *size : 0;
    return memcmp(text, step->pattern, *size) == 0 && !step->pattern[*size] ? *size : 0;
}

static lxm_status end_run(lxm_stage *stage, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (stage->count >= stage->step->least)
        status = put_content(stage, stage->source, stage->source_end, error);
    else if (stage->held.length)
        status = release(stage, error);
    stage->held.length = stage->count = 0;
    lxm_alignment_clear(&stage->held_alignment);
    return status;
}

/* What a run that is too short to be replaced consists of has to be known. */
static lxm_status add_to_run(lxm_stage *stage, const uint8_t *text, size_t at, size_t size,
                             const lxm_alignment *alignment, lxm_error *error)
{
    uint64_t source;
    lxm_alignment_range(alignment, at, at + size, &source, &stage->source_end);
    if (stage->count == 0)
        stage->source = source;
    if (stage->count >= stage->step->least)
        return LXM_OK;
    stage->count++;
    return hold(stage, text, at + size, at, alignment, error);
}

static lxm_status push_runs(lxm_stage *stage, const uint8_t *text, size_t length,
                            const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t at = 0, size; !status && at < length;) {
        if (member(stage->step, text + at, &size)) {
            status = add_to_run(stage, text, at, size, alignment, error);
            at += size;
            continue;
        }
        size_t begin = at;
        while (at < length && !member(stage->step, text + at, &size))
            at += size;
        if (stage->count)
            status = end_run(stage, error);
        if (!status)
            status = lxm_stage_copy(stage, text, length, begin, at, alignment, error);
    }
    return status;
}

/* ---- both ---- */

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    return stage->step->least ? push_runs(stage, text, length, alignment, error)
                              : push_string(stage, text, length, alignment, error);
}

static lxm_status end(lxm_stage *stage, lxm_error *error)
{
    if (stage->step->least)
        return stage->count ? end_run(stage, error) : LXM_OK;
    return stage->held.length ? release(stage, error) : LXM_OK;
}

/* What comes for spaces has to begin a token as they do. */
static bool divides(const lxm_step *step)
{
    const char *content = step->content;
    bool marks = content[0] == ' ' || strncmp(content, "\xE2\x96\x81", 3) == 0;
    if (step->pattern && !strchr(step->pattern, ' '))
        return true;
    return (!step->pattern || strcmp(step->pattern, " ") == 0) && marks;
}

const lxm_step_kind lxm_step_replace = {"replace", push, end, divides};
