#include "idmap/template.h"

#include <inttypes.h>

#include "base/error.h"
#include "idmap/vocab.h"

static const uint64_t nowhere[2 * lxm_template_most];

lxm_ids lxm_template_before(const lxm_vocab *vocab)
{
    const lxm_template *t = &vocab->template;
    return (lxm_ids){t->before, t->wanted ? t->before_count : 0, nowhere};
}

lxm_ids lxm_template_after(const lxm_vocab *vocab)
{
    const lxm_template *t = &vocab->template;
    return (lxm_ids){t->after, t->wanted ? t->after_count : 0, nowhere};
}

static lxm_status check(const lxm_vocab *vocab, const uint32_t *ids, size_t count, lxm_error *error)
{
    size_t length;
    for (size_t i = 0; i < count; i++)
        if (!lxm_vocab_token(vocab, ids[i], &length))
            return lxm_fail(
                error, LXM_ERROR_FORMAT,
                "the template (post_processor) names id %" PRIu32 ", which has no token", ids[i]);
    return LXM_OK;
}

lxm_status lxm_vocab_use_template(lxm_vocab *vocab, lxm_error *error)
{
    lxm_template *t = &vocab->template;
    if (t->refused[0])
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the template (post_processor) can't be done: %s", t->refused);
    if (!t->stated)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the vocabulary states no template: only a tokenizer.json with a "
                        "post_processor that adds tokens does");
    lxm_status status = check(vocab, t->before, t->before_count, error);
    if (!status)
        status = check(vocab, t->after, t->after_count, error);
    if (!status)
        t->wanted = true;
    return status;
}
