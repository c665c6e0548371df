#include "stream/reader.h"

#include "base/error.h"
#include "stream/binary.h"

enum { read_size = 256 * 1024 };

lxm_status lxm_reader_fill(lxm_reader *reader, size_t wanted, lxm_error *error)
{
    lxm_buffer *window = &reader->window;
    if (lxm_reader_waiting(reader) >= wanted || reader->ended)
        return LXM_OK;
    window->length -= reader->begin;
    if (reader->begin && window->length)
        memmove(window->data, window->data + reader->begin, window->length);
    reader->begin = 0;
    while (window->length < wanted && !reader->ended) {
        size_t n;
        if (!lxm_buffer_reserve(window, read_size))
            return lxm_fail_memory(error);
        lxm_status status = lxm_input_read(reader->input, window->data + window->length,
                                           window->capacity - window->length, &n, error);
        if (status)
            return status;
        window->length += n;
        reader->ended = n == 0;
    }
    return LXM_OK;
}

lxm_status lxm_reader_reserve(lxm_reader *reader, size_t items, lxm_error *error)
{
    const lxm_allocator *a = &reader->allocator;
    if (items <= reader->capacity)
        return LXM_OK;
    lxm_release(a, reader->spans);
    lxm_release(a, reader->ids);
    lxm_release(a, reader->offsets);
    reader->capacity = 0;
    reader->spans = NULL;
    reader->ids = NULL;
    if (reader->kind == LXM_KIND_TOKENS)
        reader->spans = lxm_allocate(a, items, sizeof *reader->spans);
    else
        reader->ids = lxm_allocate(a, items, sizeof *reader->ids);
    reader->offsets = lxm_allocate(a, items, 2 * sizeof *reader->offsets);
    if ((!reader->spans && !reader->ids) || !reader->offsets)
        return lxm_fail_memory(error);
    reader->capacity = items;
    return LXM_OK;
}

/* A magic number with a damaged first byte is no text either. */
static bool begins_binary(const lxm_reader *reader)
{
    const uint8_t *bytes = reader->window.data;
    size_t waiting = lxm_reader_waiting(reader);
    return waiting > 0 && (bytes[0] == (uint8_t)LXM_STREAM_MAGIC[0] ||
                           (waiting >= 8 && memcmp(bytes + 1, LXM_STREAM_MAGIC + 1, 7) == 0));
}

static lxm_status recognise(lxm_reader *reader, lxm_error *error)
{
    lxm_status status = lxm_reader_fill(reader, 8, error);
    if (status)
        return status;
    if (begins_binary(reader)) {
        reader->next = lxm_reader_next_binary;
        return lxm_reader_open_binary(reader, error);
    }
    reader->kind = reader->kind ? reader->kind : LXM_KIND_TOKENS;
    reader->next = reader->kind == LXM_KIND_IDS ? lxm_reader_next_ids : lxm_reader_next_tokens;
    return lxm_reader_reserve(reader, lxm_reader_items, error);
}

lxm_status lxm_reader_new(lxm_reader **out, lxm_input *input, lxm_kind kind,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_reader *reader = lxm_new(&a, sizeof *reader);
    if (!reader)
        return lxm_fail_memory(error);
    reader->allocator = a;
    reader->input = input;
    reader->kind = kind;
    reader->line = 1;
    lxm_buffer_init(&reader->window, &a);
    lxm_buffer_init(&reader->ends, &a);
    lxm_status status = recognise(reader, error);
    if (status) {
        lxm_reader_free(reader);
        return status;
    }
    *out = reader;
    return LXM_OK;
}

void lxm_reader_free(lxm_reader *reader)
{
    if (!reader)
        return;
    lxm_buffer_free(&reader->window);
    lxm_buffer_free(&reader->ends);
    lxm_release(&reader->allocator, reader->spans);
    lxm_release(&reader->allocator, reader->ids);
    lxm_release(&reader->allocator, reader->offsets);
    lxm_release(&reader->allocator, reader->settings);
    lxm_allocator a = reader->allocator;
    lxm_release(&a, reader);
}

lxm_status lxm_reader_next(lxm_reader *reader, lxm_block *block, bool *more, lxm_error *error)
{
    *block = (lxm_block){0};
    *more = false;
    return reader->next(reader, block, more, error);
}

lxm_status lxm_reader_next_documents(lxm_reader *reader, lxm_block *block, const uint32_t **ends,
                                     size_t *count, bool *more, lxm_error *error)
{
    lxm_status status;
    *block = (lxm_block){0};
    *more = false;
    reader->ends.length = 0;
    if (lxm_reader_is_binary(reader)) {
        status = lxm_reader_next_frame(reader, block, more, error);
    } else {
        status = reader->next(reader, block, more, error);
        uint32_t end = (uint32_t)(block->tokens.count + block->ids.count);
        if (!status && block->end_document && !lxm_buffer_append(&reader->ends, &end, sizeof end))
            status = lxm_fail_memory(error);
    }
    *ends = (const uint32_t *)(const void *)reader->ends.data;
    *count = reader->ends.length / sizeof **ends;
    return status;
}

lxm_kind lxm_reader_kind(const lxm_reader *reader)
{
    return reader->kind;
}

bool lxm_reader_is_binary(const lxm_reader *reader)
{
    return reader->next == lxm_reader_next_binary;
}

bool lxm_reader_has_offsets(const lxm_reader *reader)
{
    return reader->has_offsets;
}

uint64_t lxm_reader_fingerprint(const lxm_reader *reader)
{
    return reader->fingerprint;
}

const char *lxm_reader_settings(const lxm_reader *reader)
{
    return reader->settings ? reader->settings : "";
}
