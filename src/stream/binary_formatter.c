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

static void put_part(uint8_t *header, uint32_t tag, uint32_t items, uint32_t documents,
                     uint64_t payload)
{
    memset(header, 0, lxm_part_header);
    lxm_put_u32(header, tag);
    lxm_put_u32(header + 4, items);
    lxm_put_u32(header + 8, documents);
    lxm_put_u64(header + 16, payload);
}

static bool put_section(lxm_formatter *f, lxm_buffer *section)
{
    bool good = lxm_buffer_append(&f->out, section->data, section->length) && pad(&f->out);
    section->length = 0;
    return good;
}

/* Room at the end of the output for `bytes` more of the open frame's first section. */
static uint8_t *first_section(lxm_formatter *f, size_t bytes)
{
    size_t header = f->open ? 0 : lxm_part_header;
    if (!lxm_buffer_reserve(&f->out, header + bytes))
        return NULL;
    f->out.length += header;
    f->open += header;
    return f->out.data + f->out.length;
}

static void lengthen(lxm_formatter *f, size_t bytes)
{
    f->out.length += bytes;
    f->open += bytes;
}

static size_t first_length(const lxm_formatter *f)
{
    return f->open ? f->open - lxm_part_header : 0;
}

static bool flush(lxm_formatter *f)
{
    bool tokens = f->kind == LXM_KIND_TOKENS;
    uint32_t items = (uint32_t)((tokens ? f->ends.length : first_length(f)) / 4);
    uint32_t documents = (uint32_t)(f->documents.length / 4);
    if (items == 0 && documents == 0)
        return true;
    size_t payload = lxm_padded(first_length(f)) + lxm_padded(f->ends.length) +
                     lxm_padded(f->documents.length) + f->places.length;
    if (!first_section(f, payload)) /* more than what is still to come */
        return false;
    size_t at = f->out.length - f->open;
    if (!pad(&f->out) || !put_section(f, &f->ends) || !put_section(f, &f->documents) ||
        !put_section(f, &f->places))
        return false;
    put_part(f->out.data + at, lxm_frame_tag, items, documents, payload);
    uint64_t checksum = seal(&f->out, at);
    f->open = 0;
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
    size_t used = first_length(f), items = f->ends.length / 4, n = 0;
    size_t room = lxm_frame_items - items;
    count = count < room ? count : room;
    if (count == 0 || used + (spans[count - 1].end - spans[0].begin) <= lxm_frame_text)
        return count;
    for (; n < count; n++) {
        used += spans[n].end - spans[n].begin;
        if (used > lxm_frame_text && (items || n))
            break;
    }
    return n;
}

/* Notes where tokens end, for which there is room; returns how many bytes they have. */
static size_t append_ends(lxm_formatter *f, const lxm_span *spans, size_t count)
{
    uint8_t *ends = f->ends.data + f->ends.length;
    uint32_t before = (uint32_t)first_length(f), used = before;
    for (size_t i = 0; i < count; i++) {
        used += spans[i].end - spans[i].begin;
        lxm_put_u32(ends + 4 * i, used);
    }
    f->ends.length += 4 * count;
    return used - before;
}

/* Puts what still fits the open frame of items [from, to); *count: how many that is. A frame that
 * takes none is closed. */
typedef bool put_some(lxm_formatter *f, const void *items, size_t from, size_t to, size_t *count);

static bool put_some_tokens(lxm_formatter *f, const void *items, size_t from, size_t to,
                            size_t *count)
{
    const lxm_tokens *tokens = items;
    size_t n = fitting(f, tokens->spans + from, to - from);
    *count = n;
    if (n == 0)
        return flush(f);
    if (!lxm_buffer_reserve(&f->ends, 4 * (size_t)lxm_frame_items))
        return false;
    size_t bytes = append_ends(f, tokens->spans + from, n);
    uint8_t *text = first_section(f, bytes + lxm_copy_slack);
    if (!text || !keep_offsets(f, tokens->offsets ? tokens->offsets + 2 * from : NULL, n))
        return false;
    lxm_copy_tokens(text, tokens, from, n, bytes);
    lengthen(f, bytes);
    return true;
}

static bool put_some_ids(lxm_formatter *f, const void *items, size_t from, size_t to, size_t *count)
{
    const lxm_ids *ids = items;
    size_t n = lxm_frame_items - first_length(f) / 4;
    if (n > to - from)
        n = to - from;
    *count = n;
    uint8_t *room = first_section(f, 4 * n);
    if (!room || !keep_offsets(f, ids->offsets ? ids->offsets + 2 * from : NULL, n))
        return false;
    lxm_put_u32s(room, ids->ids + from, n);
    lengthen(f, 4 * n);
    return true;
}

/* Notes documents that end in the open frame, up to item `last`: ends[i] items stand before the
 * end of document i, `put` before this moment. Returns how many it noted, which are no more than
 * the frame takes; with that many it is closed. */
static size_t put_ends(lxm_formatter *f, const uint32_t *ends, size_t count, size_t last,
                       size_t put, bool *good)
{
    size_t items = (f->kind == LXM_KIND_TOKENS ? f->ends.length : first_length(f)) / 4, n = 0;
    size_t room = lxm_frame_items - f->documents.length / 4;
    count = count < room ? count : room;
    *good = lxm_buffer_reserve(&f->documents, 4 * count);
    if (!*good)
        return 0;
    uint8_t *out = f->documents.data + f->documents.length;
    for (; n < count && ends[n] <= last; n++)
        lxm_put_u32(out + 4 * n, (uint32_t)(items - (put - ends[n])));
    f->documents.length += 4 * n;
    f->totals.documents += n;
    *good = n < room || flush(f);
    return n;
}

/* A frame of ids that is full is closed at once; a document that ends there ends in the next. */
static bool is_full(const lxm_formatter *f)
{
    return f->kind == LXM_KIND_IDS && first_length(f) / 4 == lxm_frame_items;
}

static lxm_status put_documents(lxm_formatter *f, put_some *put_items, const void *items,
                                size_t item_count, const uint32_t *ends, size_t count,
                                lxm_error *error)
{
    size_t put = 0, ended = 0, n;
    bool good = true;
    while (good && (put < item_count || ended < count)) {
        if (ended < count && ends[ended] <= put) {
            ended += put_ends(f, ends + ended, count - ended, put, put, &good);
            continue;
        }
        /* no more than the frame can take the ends of */
        size_t room = lxm_frame_items - f->documents.length / 4;
        size_t to = count - ended > room ? ends[ended + room - 1] : item_count;
        good = put_items(f, items, put, to, &n);
        put += n;
        if (good && is_full(f)) {
            if (ended < count)
                ended += put_ends(f, ends + ended, count - ended, put - 1, put, &good);
            good = good && flush(f);
        }
    }
    return lxm_format_status(good, error);
}

static lxm_status put_tokens(lxm_formatter *f, const lxm_tokens *tokens, lxm_error *error)
{
    return put_documents(f, put_some_tokens, tokens, tokens->count, NULL, 0, error);
}

static lxm_status put_ids(lxm_formatter *f, const lxm_ids *ids, lxm_error *error)
{
    return put_documents(f, put_some_ids, ids, ids->count, NULL, 0, error);
}

static lxm_status documents_of_tokens(lxm_formatter *f, const lxm_tokens *tokens,
                                      const uint32_t *ends, size_t count, lxm_error *error)
{
    return put_documents(f, put_some_tokens, tokens, tokens->count, ends, count, error);
}

static lxm_status documents_of_ids(lxm_formatter *f, const lxm_ids *ids, const uint32_t *ends,
                                   size_t count, lxm_error *error)
{
    return put_documents(f, put_some_ids, ids, ids->count, ends, count, error);
}

static lxm_status end_document(lxm_formatter *f, lxm_error *error)
{
    static const uint32_t now = 0;
    bool good;
    put_ends(f, &now, 1, 0, 0, &good);
    return lxm_format_status(good, error);
}

static bool finish(lxm_formatter *f)
{
    uint8_t trailer[lxm_part_header + lxm_trailer_payload];
    uint8_t *payload = trailer + lxm_part_header;
    if (!flush(f))
        return false;
    put_part(trailer, lxm_trailer_tag, 0, 0, lxm_trailer_payload);
    lxm_put_u64(payload, f->totals.frames);
    lxm_put_u64(payload + 8, f->totals.items);
    lxm_put_u64(payload + 16, f->totals.documents);
    lxm_put_u64(payload + 24, f->totals.bytes);
    lxm_put_u64(payload + 32, f->totals.checksum);
    size_t at = f->out.length;
    if (!lxm_buffer_append(&f->out, trailer, sizeof trailer))
        return false;
    seal(&f->out, at);
    return true;
}

const lxm_formatter_functions lxm_binary_formatter = {
    .begin = begin,
    .tokens = put_tokens,
    .ids = put_ids,
    .end_document = end_document,
    .documents_of_tokens = documents_of_tokens,
    .documents_of_ids = documents_of_ids,
    .flush = flush,
    .finish = finish,
};
