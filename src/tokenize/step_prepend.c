/* Puts something before a text that isn't empty. */
#include "tokenize/step.h"

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = LXM_OK;
    uint64_t source = alignment->list[0].source;
    const char *content = stage->step->content;
    if (!stage->started)
        status = lxm_stage_put(stage, content, strlen(content), source, source, error);
    stage->started = true;
    return status ? status : lxm_stage_copy(stage, text, length, 0, length, alignment, error);
}

static bool divides(const lxm_step *step)
{
    (void)step;
    return true;
}

const lxm_step_kind lxm_step_prepend = {"prepend", push, NULL, divides};
