#include "stream/formatter.h"

#include "base/error.h"
#include "stream/binary.h"

enum { spool_memory = 1 << 20 };

void lxm_formatter_init(lxm_formatter *formatter, const lxm_stream_options *options,
                        const lxm_allocator *allocator)
{
    static const lxm_formatter_functions *const functions[] = {
        &lxm_text_formatter, &lxm_binary_formatter, &lxm_jsonl_formatter};
    *formatter = (lxm_formatter){
        .functions = options->sink ? &lxm_sink_formatter : functions[options->format],
        .allocator = *allocator,
        .kind = options->kind,
        .offsets = options->offsets,
        .fingerprint = options->fingerprint,
        .settings = options->settings ? options->settings : "",
    };
    lxm_buffer_init(&formatter->out, allocator);
    lxm_buffer_init(&formatter->ends, allocator);
    lxm_buffer_init(&formatter->documents, allocator);
    lxm_buffer_init(&formatter->places, allocator);
    lxm_spool_init(&formatter->spool, spool_memory, NULL, allocator);
}

void lxm_formatter_free(lxm_formatter *formatter)
{
    lxm_buffer_free(&formatter->out);
    lxm_buffer_free(&formatter->ends);
    lxm_buffer_free(&formatter->documents);
    lxm_buffer_free(&formatter->places);
    lxm_spool_free(&formatter->spool);
}

lxm_status lxm_format_status(bool good, lxm_error *error)
{
    return good ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_format_documents_of_tokens(lxm_formatter *formatter, const lxm_tokens *tokens,
                                          const uint32_t *ends, size_t count, lxm_error *error)
{
    const lxm_formatter_functions *functions = formatter->functions;
    lxm_status status = LXM_OK;
    size_t from = 0;
    if (functions->documents_of_tokens)
        return functions->documents_of_tokens(formatter, tokens, ends, count, error);
    for (size_t i = 0; !status && i <= count; i++) {
        size_t to = i < count ? ends[i] : tokens->count;
        const lxm_tokens some = lxm_some_tokens(tokens, from, to);
        if (to > from)
            status = functions->tokens(formatter, &some, error);
        if (!status && i < count)
            status = functions->end_document(formatter, error);
        from = to;
    }
    return status;
}

lxm_status lxm_format_documents_of_ids(lxm_formatter *formatter, const lxm_ids *ids,
                                       const uint32_t *ends, size_t count, lxm_error *error)
{
    const lxm_formatter_functions *functions = formatter->functions;
    lxm_status status = LXM_OK;
    size_t from = 0;
    if (functions->documents_of_ids)
        return functions->documents_of_ids(formatter, ids, ends, count, error);
    for (size_t i = 0; !status && i <= count; i++) {
        size_t to = i < count ? ends[i] : ids->count;
        const lxm_ids some = lxm_some_ids(ids, from, to);
        if (to > from)
            status = functions->ids(formatter, &some, error);
        if (!status && i < count)
            status = functions->end_document(formatter, error);
        from = to;
    }
    return status;
}

/* Takes the frames of another formatter into the totals. */
static void count_frames(lxm_formatter *formatter, const lxm_formatter *from)
{
    const uint8_t *p = from->out.data;
    for (uint64_t i = 0; i < from->totals.frames; i++) {
        uint64_t checksum = lxm_get_u64(p + lxm_part_checked);
        formatter->totals.checksum =
            lxm_hash(&checksum, sizeof checksum, formatter->totals.checksum);
        p += lxm_part_header + lxm_get_u64(p + 16);
    }
    formatter->totals.frames += from->totals.frames;
    formatter->totals.items += from->totals.items;
    formatter->totals.bytes += from->totals.bytes;
}

lxm_status lxm_formatter_lead(lxm_formatter *formatter, lxm_formatter *next, lxm_error *error)
{
    if (!formatter->functions->flush(formatter) || !next->functions->flush(next))
        return lxm_fail_memory(error);
    count_frames(formatter, next);
    if (next->totals.documents || next->out.length) {
        if (formatter->separate && !lxm_buffer_append(&formatter->out, "\n", 1))
            return lxm_fail_memory(error);
        formatter->separate = next->separate;
    }
    /* ids of the document under way go on */
    if (formatter->in_document && formatter->kind == LXM_KIND_IDS &&
        formatter->functions == &lxm_text_formatter && next->out.length &&
        next->out.data[0] != '\n' && !lxm_buffer_append(&formatter->out, " ", 1))
        return lxm_fail_memory(error);
    formatter->in_document =
        next->in_document || (formatter->in_document && next->totals.documents == 0);
    formatter->totals.documents += next->totals.documents;
    next->separate = next->in_document = false;
    next->totals = (lxm_totals){0};
    return LXM_OK;
}

void lxm_copy_tokens(uint8_t *text, const lxm_tokens *tokens, size_t from, size_t count,
                     size_t bytes)
{
    if (count == 0)
        return;
    const lxm_span *spans = tokens->spans + from;
    size_t begin = spans[0].begin, readable = spans[count - 1].end;
    if (bytes == readable - begin) { /* no gaps: one piece of text */
        memcpy(text, tokens->text + begin, bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t length = spans[i].end - spans[i].begin;
        const uint8_t *token = tokens->text + spans[i].begin;
        bool fixed =
            length <= lxm_copy_slack && spans[i].begin + (size_t)lxm_copy_slack <= readable;
        if (fixed) /* a fixed length is far cheaper */
            memcpy(text, token, lxm_copy_slack);
        else
            memcpy(text, token, length);
        text += length;
    }
}

uint8_t *lxm_format_number(uint8_t *text, uint64_t number)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    uint8_t digits[20];
    size_t at = sizeof digits;
    while (number >= 100) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * number, 2);
    } else {
        digits[--at] = (uint8_t)('0' + number);
    }
    memcpy(text, digits + at, sizeof digits - at);
    return text + (sizeof digits - at);
}
