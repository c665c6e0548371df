/*
 * sentencepiece's marks for spaces: each space becomes a mark, and one may go before the first
 * word. With `words`, any white space parts words, and each word has one mark before it.
 */
#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/step.h"
#include "tokenize/unicode.h"

static bool begins_with(const uint8_t *text, size_t length, const char *mark)
{
    size_t size = strlen(mark);
    return length >= size && memcmp(text, mark, size) == 0;
}

static lxm_status put_mark(lxm_stage *stage, const lxm_alignment *alignment, size_t begin,
                           size_t end, lxm_error *error)
{
    const char *mark = stage->step->content;
    uint64_t source, source_end;
    lxm_alignment_range(alignment, begin, end ? end : begin + 1, &source, &source_end);
    return lxm_stage_put(stage, mark, strlen(mark), source, end ? source_end : source, error);
}

/* Before the first character, which is text[0]. */
static lxm_status begin(lxm_stage *stage, const uint8_t *text, size_t length,
                        const lxm_alignment *alignment, lxm_error *error)
{
    const lxm_step *step = stage->step;
    bool due = step->prepend == LXM_PREPEND_ALWAYS ||
               (step->prepend == LXM_PREPEND_FIRST && alignment->list[0].source == 0);
    stage->started = true;
    if (!due || text[0] == ' ' || begins_with(text, length, step->content))
        return LXM_OK;
    return put_mark(stage, alignment, 0, 0, error);
}

static lxm_status mark_spaces(lxm_stage *stage, const uint8_t *text, size_t length,
                              const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = stage->started ? LXM_OK : begin(stage, text, length, alignment, error);
    for (size_t at = 0; !status && at < length;) {
        const uint8_t *space = memchr(text + at, ' ', length - at);
        size_t end = space ? (size_t)(space - text) : length;
        if (end > at)
            status = lxm_stage_copy(stage, text, length, at, end, alignment, error);
        if (!status && space)
            status = put_mark(stage, alignment, end, end + 1, error);
        at = end + 1;
    }
    return status;
}

static lxm_status mark_words(lxm_stage *stage, const uint8_t *text, size_t length,
                             const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t at = 0, size; !status && at < length;) {
        size_t from = at;
        for (; at < length; at += size)
            if (lxm_unicode_kind(lxm_utf8_decode(text + at, &size)) == LXM_KIND_SPACE)
                break;
        if (at > from && !stage->inside &&
            !begins_with(text + from, at - from, stage->step->content))
            status = put_mark(stage, alignment, from, 0, error);
        if (!status && at > from)
            status = lxm_stage_copy(stage, text, length, from, at, alignment, error);
        stage->inside = at == length;
        at += at < length ? size : 0;
    }
    return status;
}

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    return stage->step->words ? mark_words(stage, text, length, alignment, error)
                              : mark_spaces(stage, text, length, alignment, error);
}

static bool divides(const lxm_step *step)
{
    (void)step;
    return true;
}

const lxm_step_kind lxm_step_metaspace = {"metaspace", push, NULL, divides};
