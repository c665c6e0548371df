/* Sets each ideograph apart by spaces, as BERT's normaliser does. */
#include "base/utf8.h"
#include "tokenize/step.h"
#include "tokenize/unicode.h"

static bool is_ideograph(const uint8_t *text, size_t *size)
{
    lxm_kind kind = lxm_unicode_kind(lxm_utf8_decode(text, size));
    return kind == LXM_KIND_IDEOGRAPH || kind == LXM_KIND_IDEOGRAPH_VACANT;
}

static lxm_status set_apart(lxm_stage *stage, const uint8_t *text, size_t length, size_t at,
                            size_t size, const lxm_alignment *alignment, lxm_error *error)
{
    uint64_t source, end;
    lxm_alignment_range(alignment, at, at + size, &source, &end);
    lxm_status status = lxm_stage_put(stage, " ", 1, source, source, error);
    if (!status)
        status = lxm_stage_copy(stage, text, length, at, at + size, alignment, error);
    return status ? status : lxm_stage_put(stage, " ", 1, end, end, error);
}

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t at = 0, size; !status && at < length;) {
        size_t begin = at;
        while (at < length && !is_ideograph(text + at, &size))
            at += size;
        if (at > begin)
            status = lxm_stage_copy(stage, text, length, begin, at, alignment, error);
        if (!status && at < length) {
            status = set_apart(stage, text, length, at, size, alignment, error);
            at += size;
        }
    }
    return status;
}

static bool divides(const lxm_step *step)
{
    (void)step;
    return true;
}

const lxm_step_kind lxm_step_ideographs = {"ideographs", push, NULL, divides};
