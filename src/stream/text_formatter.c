/* Text form. Tokens: one a line, an empty line between documents. Ids: one document a line. */
#include "base/error.h"
#include "base/escape.h"
#include "stream/formatter.h"

static bool nothing(lxm_formatter *formatter)
{
    (void)formatter;
    return true;
}

/* A token needs no escape where all its bytes are printable ASCII but the backslash. */
static bool is_plain(const uint8_t *bytes, size_t length)
{
    bool plain = true;
    for (size_t i = 0; i < length; i++)
        plain &= bytes[i] >= 0x20 && bytes[i] < 0x80 && bytes[i] != '\\';
    return plain;
}

static bool put_offsets(lxm_formatter *f, const uint64_t *offsets)
{
    if (!lxm_buffer_reserve(&f->out, 64))
        return false;
    uint8_t *p = f->out.data + f->out.length;
    *p++ = '\t';
    p = lxm_format_number(p, offsets[0]);
    *p++ = '\t';
    p = lxm_format_number(p, offsets[1]);
    f->out.length = (size_t)(p - f->out.data);
    return true;
}

static bool separate(lxm_formatter *f)
{
    bool due = f->separate;
    f->separate = false;
    return !due || lxm_buffer_append(&f->out, "\n", 1);
}

static bool append_tokens(lxm_formatter *f, const lxm_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        lxm_span span = tokens->spans[i];
        const uint8_t *bytes = tokens->text + span.begin;
        size_t length = span.end - span.begin;
        if (!lxm_buffer_reserve(&f->out, length + 1))
            return false;
        if (is_plain(bytes, length)) {
            memcpy(f->out.data + f->out.length, bytes, length);
            f->out.length += length;
        } else if (!lxm_escape(&f->out, bytes, length)) {
            return false;
        }
        if (tokens->offsets && f->offsets && !put_offsets(f, tokens->offsets + 2 * i))
            return false;
        if (!lxm_buffer_append(&f->out, "\n", 1))
            return false;
    }
    return true;
}

static lxm_status put_tokens(lxm_formatter *f, const lxm_tokens *tokens, lxm_error *error)
{
    if (tokens->count == 0)
        return LXM_OK;
    return lxm_format_status(separate(f) && append_tokens(f, tokens), error);
}

static lxm_status put_ids(lxm_formatter *f, const lxm_ids *ids, lxm_error *error)
{
    size_t most;
    if (!lxm_multiply(ids->count, 11, &most) || !lxm_buffer_reserve(&f->out, most))
        return lxm_fail_memory(error);
    uint8_t *p = f->out.data + f->out.length;
    for (size_t i = 0; i < ids->count; i++) {
        if (f->in_document)
            *p++ = ' ';
        f->in_document = true;
        p = lxm_format_number(p, ids->ids[i]);
    }
    f->out.length = (size_t)(p - f->out.data);
    return LXM_OK;
}

static lxm_status end_document(lxm_formatter *f, lxm_error *error)
{
    bool good = f->kind == LXM_KIND_IDS ? lxm_buffer_append(&f->out, "\n", 1) : separate(f);
    f->separate = f->kind == LXM_KIND_TOKENS;
    f->in_document = false;
    f->totals.documents++;
    return lxm_format_status(good, error);
}

const lxm_formatter_functions lxm_text_formatter = {
    .begin = nothing,
    .tokens = put_tokens,
    .ids = put_ids,
    .end_document = end_document,
    .flush = nothing,
    .finish = nothing,
};
