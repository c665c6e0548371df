#include "base/error.h"
#include "stream/binary.h"
#include "stream/reader.h"

enum { longest_settings = 1 << 20 };

static lxm_status fail(const lxm_reader *reader, size_t at, const char *what, lxm_error *error)
{
    return lxm_fail_at(error, LXM_ERROR_FORMAT, reader->position + at, "%s", what);
}

/* Waits for a part of which the header says how long it is; memory grows with what arrives. */
static lxm_status wait_for(lxm_reader *reader, size_t length, lxm_error *error)
{
    lxm_status status = lxm_reader_fill(reader, length, error);
    if (!status && lxm_reader_waiting(reader) < length)
        return fail(reader, lxm_reader_waiting(reader),
                    "the binary stream is cut short: its producer didn't finish", error);
    return status;
}

static lxm_status check_sum(lxm_reader *reader, size_t length, lxm_error *error)
{
    const uint8_t *part = reader->window.data + reader->begin;
    uint64_t sum = lxm_part_checksum(part, part + lxm_part_header, length - lxm_part_header);
    if (sum != lxm_get_u64(part + lxm_part_checked))
        return fail(reader, 0, "the binary stream is damaged: a checksum is wrong", error);
    return LXM_OK;
}

static lxm_status check_header(lxm_reader *reader, const uint8_t *header, lxm_error *error)
{
    static const char *const names[] = {"?", "tokens", "ids"};
    if (memcmp(header, LXM_STREAM_MAGIC, 8) != 0)
        return fail(reader, 0, "neither text nor a stream of this program", error);
    uint32_t version = lxm_get_u32(header + 8);
    unsigned kind = header[12];
    if (version != lxm_stream_version)
        return lxm_fail_at(error, LXM_ERROR_UNSUPPORTED, 8,
                           "version %u of the binary stream: this program reads version %d",
                           version, lxm_stream_version);
    if (kind != LXM_KIND_TOKENS && kind != LXM_KIND_IDS)
        return fail(reader, 12, "a binary stream of an unknown kind", error);
    if (reader->kind == 0)
        reader->kind = (lxm_kind)kind;
    if (kind != (unsigned)reader->kind)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 12, "a stream of %s where %s are expected",
                           names[kind], names[reader->kind]);
    if (header[13] != (kind == LXM_KIND_IDS ? 4 : 0) || header[14] > lxm_flag_offsets || header[15])
        return lxm_fail_at(error, LXM_ERROR_UNSUPPORTED, 13,
                           "a binary stream with an id width or flags that are not known");
    if (lxm_get_u32(header + 24) > longest_settings)
        return fail(reader, 24, "the header of the binary stream is damaged", error);
    return LXM_OK;
}

lxm_status lxm_reader_open_binary(lxm_reader *reader, lxm_error *error)
{
    lxm_status status = wait_for(reader, lxm_part_header, error);
    if (!status)
        status = check_header(reader, reader->window.data, error);
    if (status)
        return status;
    size_t settings = lxm_get_u32(reader->window.data + 24);
    size_t length = lxm_part_header + lxm_padded(settings);
    status = wait_for(reader, length, error);
    if (!status)
        status = check_sum(reader, length, error);
    if (status)
        return status;
    const uint8_t *header = reader->window.data;
    reader->has_offsets = header[14] & lxm_flag_offsets;
    reader->fingerprint = lxm_get_u64(header + 16);
    reader->settings = lxm_allocate(&reader->allocator, settings + 1, 1);
    if (!reader->settings)
        return lxm_fail_memory(error);
    memcpy(reader->settings, header + lxm_part_header, settings);
    reader->settings[settings] = '\0';
    lxm_reader_skip(reader, length);
    return LXM_OK;
}

/* The trailer, and nothing behind it. */
static lxm_status check_trailer(lxm_reader *reader, const uint8_t *payload, size_t length,
                                lxm_error *error)
{
    if (length != lxm_trailer_payload || lxm_get_u64(payload) != reader->frames ||
        lxm_get_u64(payload + 8) != reader->items ||
        lxm_get_u64(payload + 16) != reader->documents ||
        lxm_get_u64(payload + 24) != reader->bytes || lxm_get_u64(payload + 32) != reader->checksum)
        return fail(reader, 0, "the binary stream is damaged: its trailer doesn't fit its frames",
                    error);
    lxm_reader_skip(reader, lxm_part_header + length);
    lxm_status status = lxm_reader_fill(reader, 1, error);
    if (!status && lxm_reader_waiting(reader))
        return fail(reader, 0, "bytes behind the end of the binary stream", error);
    return status;
}

/* Positions of the frame's sections behind its text. */
static size_t documents_at(const lxm_reader *reader)
{
    return reader->items_at + lxm_padded(4 * reader->frame_items);
}

static size_t offsets_at(const lxm_reader *reader)
{
    return documents_at(reader) + lxm_padded(4 * reader->frame_documents);
}

/* Finds the sections; false where the payload hasn't the room. */
static bool find_sections(lxm_reader *reader, size_t payload)
{
    reader->items_at = 0;
    size_t tail = offsets_at(reader) + (reader->has_offsets ? 16 * reader->frame_items : 0);
    if (tail > payload)
        return false;
    reader->items_at = payload - tail;
    return true;
}

/* That the frame's numbers agree with each other and rise. */
static bool is_sound(lxm_reader *reader, size_t payload)
{
    size_t items = reader->frame_items, text = 0, before = 0;
    if (!find_sections(reader, payload))
        return false;
    const uint8_t *p = reader->frame + reader->items_at;
    if (reader->kind == LXM_KIND_TOKENS)
        for (size_t i = 0; i < items; i++) {
            size_t end = lxm_get_u32(p + 4 * i);
            if (end <= text)
                return false;
            text = end;
        }
    for (size_t i = 0; i < reader->frame_documents; i++) {
        size_t at = lxm_get_u32(reader->frame + documents_at(reader) + 4 * i);
        if (at < before || at > items)
            return false;
        before = at;
    }
    return lxm_padded(text) == reader->items_at;
}

/* Turns the frame's items into the block arrays. */
static void unpack(lxm_reader *reader)
{
    const uint8_t *p = reader->frame + reader->items_at;
    uint32_t begin = 0;
    for (size_t i = 0; i < reader->frame_items; i++) {
        uint32_t value = lxm_get_u32(p + 4 * i);
        if (reader->kind == LXM_KIND_IDS) {
            reader->ids[i] = value;
        } else {
            reader->spans[i] = (lxm_span){begin, value};
            begin = value;
        }
    }
    if (reader->has_offsets)
        for (size_t i = 0; i < 2 * reader->frame_items; i++)
            reader->offsets[i] = lxm_get_u64(reader->frame + offsets_at(reader) + 8 * i);
}

static lxm_status open_frame(lxm_reader *reader, size_t payload, lxm_error *error)
{
    const uint8_t *header = reader->window.data + reader->begin;
    uint64_t checksum = lxm_get_u64(header + lxm_part_checked);
    reader->frame = header + lxm_part_header;
    reader->frame_length = lxm_part_header + payload;
    reader->frame_items = lxm_get_u32(header + 4);
    reader->frame_documents = lxm_get_u32(header + 8);
    if (!is_sound(reader, payload))
        return fail(reader, 0, "the binary stream is damaged: a frame contradicts itself", error);
    /* a frame may have document ends alone: its arrays are there all the same */
    lxm_status status =
        lxm_reader_reserve(reader, reader->frame_items + !reader->frame_items, error);
    if (status)
        return status;
    unpack(reader);
    reader->item = reader->document = 0;
    reader->frames++;
    reader->documents += reader->frame_documents;
    reader->bytes += payload;
    reader->checksum = lxm_hash(&checksum, sizeof checksum, reader->checksum);
    return LXM_OK;
}

/* The next frame, or the trailer, after which *more is false. */
static lxm_status next_part(lxm_reader *reader, bool *more, lxm_error *error)
{
    lxm_reader_skip(reader, reader->frame_length);
    reader->frame_length = 0;
    lxm_status status = wait_for(reader, lxm_part_header, error);
    if (status)
        return status;
    const uint8_t *header = reader->window.data + reader->begin;
    uint32_t tag = lxm_get_u32(header);
    uint64_t payload = lxm_get_u64(header + 16);
    if ((tag != lxm_frame_tag && tag != lxm_trailer_tag) || payload > UINT32_MAX / 2)
        return fail(reader, 0, "the binary stream is damaged: no frame where one should be", error);
    status = wait_for(reader, lxm_part_header + (size_t)payload, error);
    if (!status)
        status = check_sum(reader, lxm_part_header + (size_t)payload, error);
    if (status)
        return status;
    *more = tag == lxm_frame_tag;
    if (*more)
        return open_frame(reader, (size_t)payload, error);
    header = reader->window.data + reader->begin;
    return check_trailer(reader, header + lxm_part_header, (size_t)payload, error);
}

/* Opens the next frame where this one is read. */
static lxm_status need_frame(lxm_reader *reader, bool *more, lxm_error *error)
{
    *more = true;
    if (reader->item < reader->frame_items || reader->document < reader->frame_documents)
        return LXM_OK;
    return next_part(reader, more, error);
}

static size_t document_end(const lxm_reader *reader, size_t document)
{
    return lxm_get_u32(reader->frame + documents_at(reader) + 4 * document);
}

/* The frame's items from the next up to `to`. */
static void take(lxm_reader *reader, size_t to, lxm_block *block)
{
    size_t from = reader->item;
    const uint64_t *offsets = reader->has_offsets ? reader->offsets + 2 * from : NULL;
    block->position = reader->items;
    if (reader->kind == LXM_KIND_TOKENS)
        block->tokens = (lxm_tokens){reader->frame, reader->spans + from, to - from, offsets};
    else
        block->ids = (lxm_ids){reader->ids + from, to - from, offsets};
    reader->item = to;
    reader->items += to - from;
}

lxm_status lxm_reader_next_binary(lxm_reader *reader, lxm_block *block, bool *more,
                                  lxm_error *error)
{
    lxm_status status = need_frame(reader, more, error);
    if (status || !*more)
        return status;
    block->end_document = reader->document < reader->frame_documents;
    size_t to = block->end_document ? document_end(reader, reader->document) : reader->frame_items;
    reader->document += block->end_document;
    take(reader, to, block);
    return LXM_OK;
}

lxm_status lxm_reader_next_frame(lxm_reader *reader, lxm_block *block, bool *more, lxm_error *error)
{
    lxm_status status = need_frame(reader, more, error);
    if (status || !*more)
        return status;
    size_t count = reader->frame_documents - reader->document;
    if (!lxm_buffer_reserve(&reader->ends, 4 * count))
        return lxm_fail_memory(error);
    uint32_t *ends = (uint32_t *)(void *)reader->ends.data;
    for (size_t i = 0; i < count; i++)
        ends[i] = (uint32_t)(document_end(reader, reader->document + i) - reader->item);
    reader->ends.length = 4 * count;
    reader->document += count;
    take(reader, reader->frame_items, block);
    return LXM_OK;
}
