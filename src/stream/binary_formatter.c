#include "base/error.h"
#include "stream/binary.h"
#include "stream/formatter.h"

static bool pad(lxm_buffer *out)
{
    static const uint8_t zeros[8];
    return lxm_buffer_append(out, zeros, lxm_padded(out->length) - out->length);
}

/* Fills in the checksum of the part that begins at `begin` of the output. */
static uint64_t seal(lxm_buffer *out, size_t begin)
{
    uint8_t *part = out->data + begin;
    uint64_t checksum =
        lxm_part_checksum(part, part + lxm_part_header, out->length - begin - lxm_part_header);
    lxm_put_u64(part + lxm_part_checked, checksum);
    return checksum;
}

static bool begin(lxm_formatter *f)
{
    uint8_t header[lxm_part_header] = {0};
    size_t length = strlen(f->settings), at = f->out.length;
    if (length > UINT32_MAX)
        return false;
    memcpy(header, LXM_STREAM_MAGIC, 8);
    lxm_put_u32(header + 8, lxm_stream_version);
    header[12] = (uint8_t)f->kind;
    header[13] = f->kind == LXM_KIND_IDS ? 4 : 0;
    header[14] = f->offsets ? lxm_flag_offsets : 0;
    lxm_put_u64(header + 16, f->fingerprint);
    lxm_put_u32(header + 24, (uint32_t)length);
    if (!lxm_buffer_append(&f->out, header, sizeof header) ||
        !lxm_buffer_append(&f->out, f->settings, length) || !pad(&f->out))
        return false;
    seal(&f->out, at);
    return true;
}

static bool put_part(lxm_formatter *f, uint32_t tag, uint32_t items, uint32_t documents,
                     uint64_t payload)
{
    uint8_t header[lxm_part_header] = {0};
    lxm_put_u32(header, tag);
    lxm_put_u32(header + 4, items);
    lxm_put_u32(header + 8, documents);
    lxm_put_u64(header + 16, payload);
    return lxm_buffer_append(&f->out, header, sizeof header);
}

static bool put_section(lxm_formatter *f, lxm_buffer *section)
{
    bool good = lxm_buffer_append(&f->out, section->data, section->length) && pad(&f->out);
    section->length = 0;
    return good;
}

static bool flush(lxm_formatter *f)
{
    uint32_t items = (uint32_t)(f->items.length / 4);
    uint32_t documents = (uint32_t)(f->documents.length / 4);
    if (items == 0 && documents == 0)
        return true;
    size_t payload = lxm_padded(f->items.length) + lxm_padded(f->documents.length) +
                     f->places.length + lxm_padded(f->text.length);
    size_t at = f->out.length;
    if (!lxm_buffer_reserve(&f->out, lxm_part_header + payload) ||
        !put_part(f, lxm_frame_tag, items, documents, payload) || !put_section(f, &f->items) ||
        !put_section(f, &f->documents) || !put_section(f, &f->places) || !put_section(f, &f->text))
        return false;
    uint64_t checksum = seal(&f->out, at);
    f->totals.checksum = lxm_hash(&checksum, sizeof checksum, f->totals.checksum);
    f->totals.frames++;
    f->totals.items += items;
    f->totals.bytes += payload;
    return true;
}

static bool keep_offsets(lxm_formatter *f, const uint64_t *offsets, size_t count)
{
    static const uint64_t unknown[2];
    if (!f->offsets)
        return true;
    if (offsets)
        return lxm_buffer_append(&f->places, offsets, 16 * count);
    for (size_t i = 0; i < count; i++)
        if (!lxm_buffer_append(&f->places, unknown, sizeof unknown))
            return false;
    return true;
}

/* How many of the tokens still fit the frame. */
static size_t fitting(const lxm_formatter *f, const lxm_span *spans, size_t count)
{
    size_t room = lxm_frame_items - f->items.length / 4, used = f->text.length, n = 0;
    if (count > room)
        count = room;
    for (; n < count; n++) {
        used += spans[n].end - spans[n].begin;
        if (used > lxm_frame_text)
            break;
    }
    return n == 0 && f->items.length == 0 ? 1 : n;
}

static bool append_tokens(lxm_formatter *f, const lxm_tokens *tokens, size_t from, size_t count)
{
    const lxm_span *spans = tokens->spans + from;
    size_t bytes = 0, used = f->text.length;
    if (!lxm_buffer_reserve(&f->items, 4 * count))
        return false;
    uint8_t *ends = f->items.data + f->items.length;
    for (size_t i = 0; i < count; i++) {
        bytes += spans[i].end - spans[i].begin;
        lxm_put_u32(ends + 4 * i, (uint32_t)(used + bytes));
    }
    if (!lxm_buffer_reserve(&f->text, bytes + lxm_copy_slack))
        return false;
    lxm_copy_tokens(f->text.data + used, tokens, from, count);
    f->items.length += 4 * count;
    f->text.length += bytes;
    return keep_offsets(f, tokens->offsets ? tokens->offsets + 2 * from : NULL, count);
}

static lxm_status put_tokens(lxm_formatter *f, const lxm_tokens *tokens, lxm_error *error)
{
    for (size_t i = 0; i < tokens->count;) {
        size_t n = fitting(f, tokens->spans + i, tokens->count - i);
        if (n == 0) {
            if (!flush(f))
                return lxm_fail_memory(error);
            continue;
        }
        if (!append_tokens(f, tokens, i, n))
            return lxm_fail_memory(error);
        i += n;
    }
    return LXM_OK;
}

static lxm_status put_ids(lxm_formatter *f, const lxm_ids *ids, lxm_error *error)
{
    for (size_t i = 0; i < ids->count;) {
        size_t n = lxm_frame_items - f->items.length / 4;
        if (n > ids->count - i)
            n = ids->count - i;
        if (!lxm_buffer_reserve(&f->items, 4 * n))
            return lxm_fail_memory(error);
        for (size_t k = 0; k < n; k++)
            lxm_put_u32(f->items.data + f->items.length + 4 * k, ids->ids[i + k]);
        f->items.length += 4 * n;
        if (!keep_offsets(f, ids->offsets ? ids->offsets + 2 * i : NULL, n))
            return lxm_fail_memory(error);
        i += n;
        if (f->items.length / 4 == lxm_frame_items && !flush(f))
            return lxm_fail_memory(error);
    }
    return LXM_OK;
}

static lxm_status end_document(lxm_formatter *f, lxm_error *error)
{
    uint8_t items[4];
    lxm_put_u32(items, (uint32_t)(f->items.length / 4));
    bool good = lxm_buffer_append(&f->documents, items, sizeof items);
    if (good && f->documents.length / 4 == lxm_frame_items)
        good = flush(f);
    f->totals.documents++;
    return lxm_format_status(good, error);
}

static bool finish(lxm_formatter *f)
{
    uint8_t payload[lxm_trailer_payload];
    if (!flush(f))
        return false;
    size_t at = f->out.length;
    lxm_put_u64(payload, f->totals.frames);
    lxm_put_u64(payload + 8, f->totals.items);
    lxm_put_u64(payload + 16, f->totals.documents);
    lxm_put_u64(payload + 24, f->totals.bytes);
    lxm_put_u64(payload + 32, f->totals.checksum);
    if (!put_part(f, lxm_trailer_tag, 0, 0, sizeof payload) ||
        !lxm_buffer_append(&f->out, payload, sizeof payload))
        return false;
    seal(&f->out, at);
    return true;
}

const lxm_formatter_functions lxm_binary_formatter = {
    .begin = begin,
    .tokens = put_tokens,
    .ids = put_ids,
    .end_document = end_document,
    .flush = flush,
    .finish = finish,
};
