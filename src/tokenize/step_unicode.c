/* The forms of UAX #15, case, marks and clean-up: what an lxm_normalizer does. */
#include "tokenize/step.h"

#include "base/error.h"

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    lxm_normalizer *z = stage->normalizer;
    lxm_status status = lxm_normalizer_push(z, text, 0, 0, 0, error);
    for (size_t i = 0; !status && i < alignment->count; i++) {
        const lxm_aligned *a = &alignment->list[i];
        size_t end = i + 1 < alignment->count ? a[1].text : length;
        if (end == a->text)
            continue;
        uint64_t source, source_end;
        lxm_alignment_range(alignment, a->text, end, &source, &source_end);
        status = lxm_normalizer_append(z, text + a->text, end - a->text, source, source_end, error);
    }
    return status;
}

static lxm_status end(lxm_stage *stage, lxm_error *error)
{
    return lxm_normalizer_end(stage->normalizer, error);
}

static bool divides(const lxm_step *step)
{
    (void)step;
    return true;
}

const lxm_step_kind lxm_step_unicode = {"unicode", push, end, divides};
