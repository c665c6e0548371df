/* JSON Lines: {"tokens":[...]} or {"ids":[...]}, and "offsets":[[begin,end],...] if asked for. */
#include <stdio.h>

#include "base/error.h"
#include "base/json_string.h"
#include "stream/formatter.h"

static bool nothing(lxm_formatter *formatter)
{
    (void)formatter;
    return true;
}

static bool put(lxm_buffer *out, const char *text)
{
    return lxm_buffer_append(out, text, strlen(text));
}

static bool put_number(lxm_buffer *out, uint64_t number)
{
    if (!lxm_buffer_reserve(out, 20))
        return false;
    out->length = (size_t)(lxm_format_number(out->data + out->length, number) - out->data);
    return true;
}

/* The comma before an item, or what stands before the first. */
static bool lead(lxm_formatter *f)
{
    bool first = !f->in_document;
    f->in_document = true;
    if (!first)
        return put(&f->out, ",");
    return put(&f->out, f->kind == LXM_KIND_IDS ? "{\"ids\":[" : "{\"tokens\":[");
}

static lxm_status keep_offsets(lxm_formatter *f, const uint64_t *offsets, size_t count,
                               lxm_error *error)
{
    if (!f->offsets || !offsets)
        return LXM_OK;
    f->places.length = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = f->spool.length + f->places.length == 0;
        if (!put(&f->places, first ? "[" : ",[") || !put_number(&f->places, offsets[2 * i]) ||
            !put(&f->places, ",") || !put_number(&f->places, offsets[2 * i + 1]) ||
            !put(&f->places, "]"))
            return lxm_fail_memory(error);
    }
    return lxm_spool_write(&f->spool, f->places.data, f->places.length, error);
}

static lxm_status put_tokens(lxm_formatter *f, const lxm_tokens *tokens, lxm_error *error)
{
    for (size_t i = 0; i < tokens->count; i++) {
        lxm_span span = tokens->spans[i];
        if (!lead(f) || !lxm_json_string(&f->out, tokens->text + span.begin, span.end - span.begin))
            return lxm_fail_memory(error);
    }
    f->totals.items += tokens->count;
    return keep_offsets(f, tokens->offsets, tokens->count, error);
}

static lxm_status put_ids(lxm_formatter *f, const lxm_ids *ids, lxm_error *error)
{
    for (size_t i = 0; i < ids->count; i++)
        if (!lead(f) || !put_number(&f->out, ids->ids[i]))
            return lxm_fail_memory(error);
    f->totals.items += ids->count;
    return keep_offsets(f, ids->offsets, ids->count, error);
}

/* The offsets, which a long document may have more of than memory holds. */
static lxm_status put_kept(lxm_formatter *f, lxm_error *error)
{
    char bytes[4096];
    if (f->output) {
        lxm_status status = lxm_output_write(f->output, f->out.data, f->out.length, error);
        f->out.length = 0;
        return status ? status : lxm_spool_drain(&f->spool, f->output, error);
    }
    for (uint64_t at = 0; at < f->spool.length;) {
        uint64_t left = f->spool.length - at;
        size_t n = left < sizeof bytes ? (size_t)left : sizeof bytes;
        lxm_status status = lxm_spool_read(&f->spool, at, bytes, n, error);
        if (status)
            return status;
        if (!lxm_buffer_append(&f->out, bytes, n))
            return lxm_fail_memory(error);
        at += n;
    }
    return lxm_spool_clear(&f->spool, error);
}

static lxm_status end_document(lxm_formatter *f, lxm_error *error)
{
    const char *empty = f->kind == LXM_KIND_IDS ? "{\"ids\":[" : "{\"tokens\":[";
    lxm_status status = LXM_OK;
    bool good = (f->in_document || put(&f->out, empty)) && put(&f->out, "]");
    if (good && f->offsets) {
        good = put(&f->out, ",\"offsets\":[");
        status = good ? put_kept(f, error) : LXM_OK;
        good = good && put(&f->out, "]");
    }
    f->in_document = false;
    f->totals.documents++;
    good = good && put(&f->out, "}\n");
    return status ? status : lxm_format_status(good, error);
}

const lxm_formatter_functions lxm_jsonl_formatter = {
    .begin = nothing,
    .tokens = put_tokens,
    .ids = put_ids,
    .end_document = end_document,
    .flush = nothing,
    .finish = nothing,
};
