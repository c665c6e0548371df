/* Drops white space where a text begins, or ends, or both. */
#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/step.h"
#include "tokenize/unicode.h"

/* Length of the white space that stands at the start. */
static size_t leading(const uint8_t *text, size_t length)
{
    size_t at = 0, size;
    while (at < length && lxm_unicode_kind(lxm_utf8_decode(text + at, &size)) == LXM_KIND_SPACE)
        at += size;
    return at;
}

/* Where the white space begins that stands at the end of text[begin, length). */
static size_t trailing(const uint8_t *text, size_t begin, size_t length)
{
    while (length > begin) {
        size_t at = length - 1, size;
        while (at > begin && (text[at] & 0xC0) == 0x80)
            at--;
        if (lxm_unicode_kind(lxm_utf8_decode(text + at, &size)) != LXM_KIND_SPACE)
            break;
        length = at;
    }
    return length;
}

/* Something follows what was held: it isn't at the end. */
static lxm_status release(lxm_stage *stage, lxm_error *error)
{
    size_t length = stage->held.length;
    lxm_status status =
        lxm_stage_copy(stage, stage->held.data, length, 0, length, &stage->held_alignment, error);
    stage->held.length = 0;
    lxm_alignment_clear(&stage->held_alignment);
    return status;
}

static lxm_status hold(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                       const lxm_alignment *alignment, lxm_error *error)
{
    if (length - begin > stage->most - stage->held.length)
        return lxm_fail_at(error, LXM_ERROR_LIMIT, lxm_alignment_source(alignment, begin),
                           "more than %zu bytes of white space, which is dropped where the text "
                           "ends, go on here: raise --max-token",
                           stage->most);
    if (!lxm_alignment_append_part(&stage->held_alignment, stage->held.length, alignment, length,
                                   begin, length) ||
        !lxm_buffer_append(&stage->held, text + begin, length - begin))
        return lxm_fail_memory(error);
    return LXM_OK;
}

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    const lxm_step *step = stage->step;
    size_t begin = step->left && !stage->started ? leading(text, length) : 0;
    if (begin == length)
        return LXM_OK;
    stage->started = true;
    size_t end = step->right ? trailing(text, begin, length) : length;
    lxm_status status = LXM_OK;
    if (end > begin && stage->held.length)
        status = release(stage, error);
    if (!status && end > begin)
        status = lxm_stage_copy(stage, text, length, begin, end, alignment, error);
    if (!status && end < length)
        status = hold(stage, text, length, end, alignment, error);
    return status;
}

static lxm_status end(lxm_stage *stage, lxm_error *error)
{
    (void)error;
    stage->held.length = 0;
    lxm_alignment_clear(&stage->held_alignment);
    return LXM_OK;
}

static bool divides(const lxm_step *step)
{
    (void)step;
    return true;
}

const lxm_step_kind lxm_step_strip = {"strip", push, end, divides};
