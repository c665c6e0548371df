#include "tokenize/joined.h"

#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/tokenizer.h"
#include "tokenize/unicode.h"

enum {
    most_texts = 1024,
    most_text = 4096, /* bytes of one, and how many are enough together: */
    enough = 32768,
    most_joined = enough + most_text,
};

struct lxm_joined {
    lxm_allocator allocator;
    lxm_tokenizer tokenizer; /* the same with offsets, and with no limit to characters */
    size_t most;             /* bytes of a text, which is under that limit */
    lxm_segmenter *segmenter;
    lxm_lines_sink *sink;
    void *context;
    lxm_buffer text;
    uint32_t newlines[most_texts]; /* where the texts end in it */
    size_t count, ended;           /* those, and how many of them have */
    uint32_t ends[most_texts];
};

/* ---- what can be joined ---- */

static bool has_space(const lxm_special *special)
{
    for (size_t i = 0, size; i < special->length; i += size)
        if (lxm_unicode_kind(lxm_utf8_decode(special->bytes + i, &size)) == LXM_KIND_SPACE)
            return true;
    return special->lstrip || special->rstrip;
}

static bool have_spaces(const lxm_specials *specials)
{
    for (size_t i = 0; i < specials->count; i++)
        if (has_space(&specials->list[i]))
            return true;
    return false;
}

static bool can_join(const lxm_tokenizer *t)
{
    if (!t->parted || t->metaspace || t->options.offsets || t->max_token < most_joined ||
        t->options.prefix_space || have_spaces(&t->specials) ||
        have_spaces(&t->normalized_specials))
        return false;
    for (size_t i = 0; i < t->step_count; i++)
        if (t->steps[i].kind != &lxm_step_unicode && t->steps[i].kind != &lxm_step_ideographs)
            return false;
    return true;
}

bool lxm_joined_can(const lxm_joined *joined, const void *text, size_t length)
{
    return length <= joined->most && lxm_utf8_valid(text, length) == length;
}

/* ---- tokens ---- */

static lxm_status tokens_found(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_joined *j = context;
    lxm_tokens found = *tokens;
    size_t count = 0;
    found.offsets = NULL;
    for (size_t i = 0; i < tokens->count; i++)
        for (; tokens->offsets[2 * i + 1] > j->newlines[j->ended]; j->ended++)
            j->ends[count++] = (uint32_t)i;
    return j->sink(j->context, &found, j->ends, count, error);
}

/* The texts that nothing comes behind. */
static lxm_status end_texts(void *context, lxm_error *error)
{
    lxm_joined *j = context;
    const lxm_tokens none = {.text = j->text.data, .plain = true};
    size_t count = j->count - j->ended;
    memset(j->ends, 0, count * sizeof *j->ends);
    j->ended = j->count;
    return j->sink(j->context, &none, j->ends, count, error);
}

lxm_status lxm_joined_new(lxm_joined **out, const lxm_tokenizer *tokenizer, lxm_lines_sink *sink,
                          void *context, const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    if (!can_join(tokenizer))
        return LXM_OK;
    lxm_joined *joined = lxm_new(allocator, sizeof *joined);
    if (!joined)
        return lxm_fail_memory(error);
    size_t most = tokenizer->options.max_characters;
    joined->allocator = *allocator;
    joined->tokenizer = *tokenizer;
    joined->tokenizer.options.offsets = true;
    joined->tokenizer.options.max_characters = 0;
    joined->most = most && most < most_text ? most : most_text;
    joined->sink = sink;
    joined->context = context;
    lxm_buffer_init(&joined->text, allocator);
    lxm_token_sink own = {tokens_found, end_texts, joined};
    lxm_status status =
        lxm_segmenter_new(&joined->segmenter, &joined->tokenizer, &own, allocator, error);
    if (status)
        lxm_joined_free(joined);
    else
        *out = joined;
    return status;
}

void lxm_joined_free(lxm_joined *joined)
{
    if (!joined)
        return;
    lxm_allocator a = joined->allocator;
    lxm_segmenter_free(joined->segmenter);
    lxm_buffer_free(&joined->text);
    lxm_release(&a, joined);
}

void lxm_joined_clear(lxm_joined *joined)
{
    joined->count = joined->ended = joined->text.length = 0;
}

lxm_status lxm_joined_add(lxm_joined *joined, const void *text, size_t length, lxm_error *error)
{
    lxm_joined *j = joined;
    if (!lxm_buffer_reserve(&j->text, length + 1)) {
        lxm_joined_clear(j);
        return lxm_fail_memory(error);
    }
    lxm_buffer_append(&j->text, text, length);
    j->newlines[j->count++] = (uint32_t)j->text.length;
    lxm_buffer_append(&j->text, "\n", 1);
    return j->count < most_texts && j->text.length < enough ? LXM_OK : lxm_joined_flush(j, error);
}

lxm_status lxm_joined_flush(lxm_joined *joined, lxm_error *error)
{
    lxm_joined *j = joined;
    if (j->count == 0)
        return LXM_OK;
    lxm_status status = lxm_segmenter_push(j->segmenter, j->text.data, j->text.length, error);
    if (!status)
        status = lxm_segmenter_end_document(j->segmenter, error);
    if (status)
        lxm_segmenter_reset(j->segmenter);
    lxm_joined_clear(j);
    return status;
}
