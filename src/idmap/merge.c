#include "idmap/merge.h"

#include "base/error.h"
#include "base/file.h"

enum { number_size = 10, header_size = 3 * number_size };

static size_t put_number(uint8_t *bytes, uint64_t number)
{
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[size++] = (uint8_t)(number | 0x80);
    bytes[size++] = (uint8_t)number;
    return size;
}

bool lxm_record_append(lxm_buffer *buffer, const lxm_record *record)
{
    uint8_t header[header_size];
    size_t size = put_number(header, record->length);
    size += put_number(header + size, record->count);
    size += put_number(header + size, record->first);
    return lxm_buffer_append(buffer, header, size) &&
           lxm_buffer_append(buffer, record->token, record->length);
}

/* Takes a number off the front of the buffer; false where there is none. */
static bool take_number(lxm_source *source, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (source->used == source->buffer.length)
            return false;
        uint8_t byte = source->buffer.data[source->used++];
        *number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* Makes sure that the buffer holds `need` unread bytes, or all that are left. */
static lxm_status fill(lxm_source *source, size_t need, lxm_error *error)
{
    lxm_buffer *buffer = &source->buffer;
    size_t unread = buffer->length - source->used;
    if (unread >= need || source->at == source->end)
        return LXM_OK;
    memmove(buffer->data, buffer->data + source->used, unread);
    buffer->length = unread;
    source->used = 0;
    if (!lxm_buffer_reserve(buffer, need - unread))
        return lxm_fail_memory(error);
    uint64_t left = source->end - source->at;
    size_t room = buffer->capacity - unread, n = room < left ? room : (size_t)left;
    lxm_status status = lxm_read_at(source->fd, source->at, buffer->data + unread, n, error);
    source->at += n;
    buffer->length += n;
    return status;
}

static lxm_status advance_file(lxm_source *source, bool *more, lxm_error *error)
{
    lxm_status status = fill(source, header_size, error);
    lxm_record *record = &source->record;
    uint64_t length;
    *more = source->used < source->buffer.length;
    if (status || !*more)
        return status;
    bool good = take_number(source, &length) && take_number(source, &record->count) &&
                take_number(source, &record->first);
    if (!good || length > source->buffer.length - source->used + (source->end - source->at))
        return lxm_fail(error, LXM_ERROR_FORMAT, "a temporary file was changed by someone else");
    status = fill(source, (size_t)length, error);
    record->length = (size_t)length;
    record->token = source->buffer.data + source->used;
    source->used += record->length;
    return status;
}

static lxm_status advance(lxm_source *source, bool *more, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (source->table) {
        const lxm_token_table *table = source->table;
        *more = source->next < table->size;
        if (*more) {
            uint32_t id = source->entries[source->next++].id;
            source->record =
                (lxm_record){lxm_token_table_bytes(table, id), lxm_token_table_length(table, id),
                             table->counts[id], source->base + id};
        }
    } else {
        status = advance_file(source, more, error);
    }
    if (!status && *more)
        source->prefix = lxm_bytes_prefix(source->record.token, source->record.length);
    return status;
}

static int compare(const lxm_source *a, const lxm_source *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return lxm_bytes_compare(a->record.token, a->record.length, b->record.token, b->record.length);
}

static void push(lxm_merge *merge, lxm_source *source)
{
    size_t at = merge->heap_count++;
    for (; at > 0; at = (at - 1) / 2) {
        lxm_source *parent = merge->heap[(at - 1) / 2];
        if (compare(parent, source) <= 0)
            break;
        merge->heap[at] = parent;
    }
    merge->heap[at] = source;
}

static lxm_source *pop(lxm_merge *merge)
{
    lxm_source *top = merge->heap[0], *last = merge->heap[--merge->heap_count];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < merge->heap_count) {
        if (child + 1 < merge->heap_count &&
            compare(merge->heap[child + 1], merge->heap[child]) < 0)
            child++;
        if (compare(last, merge->heap[child]) <= 0)
            break;
        merge->heap[at] = merge->heap[child];
        at = child;
    }
    merge->heap[at] = last;
    return top;
}

static lxm_status push_next(lxm_merge *merge, lxm_source *source, lxm_error *error)
{
    bool more;
    lxm_status status = advance(source, &more, error);
    if (!status && more)
        push(merge, source);
    return status;
}

lxm_status lxm_merge_next(lxm_merge *merge, lxm_record *record, bool *more, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (merge->taken)
        status = push_next(merge, merge->taken, error);
    merge->taken = NULL;
    *more = !status && merge->heap_count > 0;
    if (!*more)
        return status;
    merge->taken = pop(merge);
    *record = merge->taken->record;
    while (!status && merge->heap_count && compare(merge->heap[0], merge->taken) == 0) {
        lxm_source *same = pop(merge);
        record->count += same->record.count;
        if (same->record.first < record->first)
            record->first = same->record.first;
        status = push_next(merge, same, error);
    }
    return status;
}

lxm_status lxm_merge_init(lxm_merge *merge, size_t most_sources, const lxm_allocator *allocator,
                          lxm_error *error)
{
    *merge = (lxm_merge){.allocator = *allocator, .most_sources = most_sources};
    merge->sources = lxm_allocate(allocator, most_sources, sizeof *merge->sources);
    merge->heap = lxm_allocate(allocator, most_sources, sizeof *merge->heap);
    return merge->sources && merge->heap ? LXM_OK : lxm_fail_memory(error);
}

void lxm_merge_free(lxm_merge *merge)
{
    for (size_t i = 0; i < merge->source_count; i++)
        lxm_buffer_free(&merge->sources[i].buffer);
    lxm_release(&merge->allocator, merge->sources);
    lxm_release(&merge->allocator, merge->heap);
    *merge = (lxm_merge){0};
}

static lxm_status add_source(lxm_merge *merge, const lxm_source *source, lxm_error *error)
{
    lxm_source *added = &merge->sources[merge->source_count++];
    *added = *source;
    return push_next(merge, added, error);
}

lxm_status lxm_merge_add_table(lxm_merge *merge, const lxm_token_table *table,
                               const lxm_entry *entries, uint64_t base, lxm_error *error)
{
    lxm_source source = {.table = table, .entries = entries, .base = base, .fd = -1};
    lxm_buffer_init(&source.buffer, &merge->allocator);
    return add_source(merge, &source, error);
}

lxm_status lxm_merge_add_file(lxm_merge *merge, int fd, uint64_t begin, uint64_t end, size_t buffer,
                              lxm_error *error)
{
    lxm_source source = {.fd = fd, .at = begin, .end = end};
    lxm_buffer_init(&source.buffer, &merge->allocator);
    if (!lxm_buffer_reserve(&source.buffer, buffer))
        return lxm_fail_memory(error);
    return add_source(merge, &source, error);
}
