#include "tokenize/step.h"

#include "base/error.h"

void lxm_step_free(lxm_step *step, const lxm_allocator *allocator)
{
    lxm_charsmap_free(&step->charsmap, allocator);
    lxm_release(allocator, step->pattern);
    lxm_release(allocator, step->content);
    *step = (lxm_step){.kind = NULL};
}

lxm_status lxm_stage_init(lxm_stage *stage, const lxm_step *step, size_t most,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *stage = (lxm_stage){.step = step, .most = most, .allocator = *allocator};
    lxm_buffer_init(&stage->out, allocator);
    lxm_buffer_init(&stage->held, allocator);
    lxm_alignment_init(&stage->out_alignment, allocator);
    lxm_alignment_init(&stage->held_alignment, allocator);
    stage->text = &stage->out;
    stage->alignment = &stage->out_alignment;
    if (step->kind != &lxm_step_unicode)
        return LXM_OK;
    stage->normalizer = lxm_new(allocator, sizeof *stage->normalizer);
    if (!stage->normalizer)
        return lxm_fail_memory(error);
    lxm_normalizer_init(stage->normalizer, &step->unicode, most, allocator);
    stage->text = &stage->normalizer->text;
    stage->alignment = &stage->normalizer->alignment;
    return LXM_OK;
}

void lxm_stage_free(lxm_stage *stage)
{
    if (stage->normalizer)
        lxm_normalizer_free(stage->normalizer);
    lxm_release(&stage->allocator, stage->normalizer);
    lxm_buffer_free(&stage->out);
    lxm_buffer_free(&stage->held);
    lxm_alignment_free(&stage->out_alignment);
    lxm_alignment_free(&stage->held_alignment);
}

void lxm_stage_reset(lxm_stage *stage, bool started)
{
    stage->started = started;
    stage->inside = false;
    stage->count = 0;
    stage->out.length = stage->held.length = 0;
    lxm_alignment_clear(&stage->out_alignment);
    lxm_alignment_clear(&stage->held_alignment);
    stage->cluster = (lxm_cluster){.length = 0};
    if (stage->normalizer)
        lxm_normalizer_reset(stage->normalizer);
}

static void clear(lxm_stage *stage)
{
    stage->out.length = 0;
    lxm_alignment_clear(&stage->out_alignment);
}

lxm_status lxm_stage_push(lxm_stage *stage, const uint8_t *text, size_t length,
                          const lxm_alignment *alignment, lxm_error *error)
{
    clear(stage);
    return stage->step->kind->push(stage, text, length, alignment, error);
}

lxm_status lxm_stage_end(lxm_stage *stage, lxm_error *error)
{
    clear(stage);
    return stage->step->kind->end ? stage->step->kind->end(stage, error) : LXM_OK;
}

lxm_status lxm_stage_put(lxm_stage *stage, const void *text, size_t length, uint64_t source,
                         uint64_t source_end, lxm_error *error)
{
    size_t at = stage->out.length;
    if (length == 0)
        return LXM_OK;
    if (!lxm_buffer_append(&stage->out, text, length) ||
        !lxm_alignment_add(&stage->out_alignment, at, source, source_end, true))
        return lxm_fail_memory(error);
    return LXM_OK;
}

lxm_status lxm_stage_copy(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                          size_t end, const lxm_alignment *alignment, lxm_error *error)
{
    size_t at = stage->out.length;
    if (!lxm_buffer_append(&stage->out, text + begin, end - begin) ||
        !lxm_alignment_append_part(&stage->out_alignment, at, alignment, length, begin, end))
        return lxm_fail_memory(error);
    return LXM_OK;
}
