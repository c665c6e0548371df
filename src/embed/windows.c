#include "base/error.h"
#include "base/memory.h"
#include "lexmill/embed.h"

struct lxm_windows {
    lxm_allocator allocator;
    lxm_window_options options;
    lxm_window_sink sink;
    size_t batch;

    /* the window that is being filled; with targets one id more */
    lxm_buffer held;
    size_t need;
    size_t seen;               /* how many of those that are held stood in the window before */
    size_t skip;               /* ids still to come that lie between two windows */
    lxm_buffer held_documents; /* with `pack`: the number, mod 2^32, of each one's document */
    uint32_t document;
    bool between; /* a document has ended, and the next hasn't begun */

    /* those that wait for the batch to be whole */
    size_t count;
    lxm_buffer inputs, targets, mask, documents;
    uint64_t unused;
};

static lxm_status check(const lxm_window_options *options, size_t batch, lxm_error *error)
{
    size_t bytes;
    if (options->context == 0 || batch == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a window and a batch have at least one id");
    if (!lxm_multiply(options->context, batch, &bytes) ||
        !lxm_multiply(bytes, sizeof(uint32_t), &bytes) || options->context == SIZE_MAX)
        return lxm_fail(error, LXM_ERROR_LIMIT, "a batch of %zu windows of %zu ids is too large",
                        batch, options->context);
    return LXM_OK;
}

lxm_status lxm_windows_new(lxm_windows **out, const lxm_window_options *options, size_t batch,
                           const lxm_window_sink *sink, const lxm_allocator *allocator,
                           lxm_error *error)
{
    *out = NULL;
    lxm_status status = check(options, batch, error);
    if (status)
        return status;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_windows *windows = lxm_new(&a, sizeof *windows);
    if (!windows)
        return lxm_fail_memory(error);
    windows->allocator = a;
    windows->options = *options;
    if (!options->stride)
        windows->options.stride = options->context;
    windows->sink = *sink;
    windows->batch = batch;
    windows->need = options->context + options->targets;
    lxm_buffer_init(&windows->held, &a);
    lxm_buffer_init(&windows->inputs, &a);
    lxm_buffer_init(&windows->targets, &a);
    lxm_buffer_init(&windows->mask, &a);
    lxm_buffer_init(&windows->documents, &a);
    lxm_buffer_init(&windows->held_documents, &a);
    *out = windows;
    return LXM_OK;
}

void lxm_windows_free(lxm_windows *windows)
{
    if (!windows)
        return;
    lxm_buffer_free(&windows->held);
    lxm_buffer_free(&windows->inputs);
    lxm_buffer_free(&windows->targets);
    lxm_buffer_free(&windows->mask);
    lxm_buffer_free(&windows->documents);
    lxm_buffer_free(&windows->held_documents);
    lxm_allocator a = windows->allocator;
    lxm_release(&a, windows);
}

static size_t held_count(const lxm_windows *windows)
{
    return windows->held.length / sizeof(uint32_t);
}

static lxm_status hand_out(lxm_windows *windows, lxm_error *error)
{
    lxm_window_batch batch = {
        .count = windows->count,
        .inputs = (const uint32_t *)(const void *)windows->inputs.data,
        .targets =
            windows->options.targets ? (const uint32_t *)(const void *)windows->targets.data : NULL,
        .mask = windows->options.pad ? windows->mask.data : NULL,
        .documents =
            windows->options.pack ? (const int32_t *)(const void *)windows->documents.data : NULL,
    };
    windows->count = 0;
    windows->inputs.length = windows->targets.length = 0;
    windows->mask.length = windows->documents.length = 0;
    return windows->sink.windows(windows->sink.context, &batch, error);
}

/* Appends `count` numbers and fills up to the context, on the side that is padded. */
static bool append_row(lxm_windows *windows, lxm_buffer *rows, const uint32_t *numbers,
                       size_t count, uint32_t filler)
{
    size_t context = windows->options.context, at = 0;
    if (!lxm_buffer_reserve(rows, context * sizeof *numbers))
        return false;
    uint32_t *row = (uint32_t *)(void *)(rows->data + rows->length);
    size_t before = windows->options.pad_left ? context - count : 0;
    while (at < before)
        row[at++] = filler;
    memcpy(row + at, numbers, count * sizeof *numbers);
    for (at += count; at < context; at++)
        row[at] = filler;
    rows->length += context * sizeof *numbers;
    return true;
}

static bool append_mask(lxm_windows *windows, size_t count)
{
    size_t context = windows->options.context;
    if (!lxm_buffer_reserve(&windows->mask, context))
        return false;
    uint8_t *mask = windows->mask.data + windows->mask.length;
    memset(mask, 0, context);
    memset(mask + (windows->options.pad_left ? context - count : 0), 1, count);
    windows->mask.length += context;
    return true;
}

/* Numbers the documents of a window from 0. */
static bool append_documents(lxm_windows *windows, size_t count)
{
    size_t context = windows->options.context;
    const uint32_t *held = (const uint32_t *)(const void *)windows->held_documents.data;
    if (!append_row(windows, &windows->documents, held, count, UINT32_MAX))
        return false;
    uint32_t *row = (uint32_t *)(void *)(windows->documents.data + windows->documents.length);
    row -= windows->options.pad_left ? count : context;
    uint32_t first = held[0];
    for (size_t i = 0; i < count; i++)
        row[i] -= first;
    return true;
}

/* Adds the window that is held, of which the first `count` ids are there. */
static lxm_status add_window(lxm_windows *windows, size_t count, lxm_error *error)
{
    const uint32_t *ids = (const uint32_t *)(const void *)windows->held.data;
    uint32_t pad = windows->options.pad_id;
    bool done = append_row(windows, &windows->inputs, ids, count, pad);
    if (done && windows->options.targets)
        done = append_row(windows, &windows->targets, ids + 1, count, pad);
    if (done && windows->options.pad)
        done = append_mask(windows, count);
    if (done && windows->options.pack)
        done = append_documents(windows, count);
    if (!done)
        return lxm_fail_memory(error);
    return ++windows->count == windows->batch ? hand_out(windows, error) : LXM_OK;
}

/* Keeps what the next window shares with this one. */
static void advance(lxm_windows *windows)
{
    size_t stride = windows->options.stride, size = sizeof(uint32_t);
    windows->seen = stride < windows->need ? windows->need - stride : 0;
    windows->skip = stride > windows->need ? stride - windows->need : 0;
    memmove(windows->held.data, windows->held.data + (windows->need - windows->seen) * size,
            windows->seen * size);
    windows->held.length = windows->seen * size;
    if (!windows->options.pack)
        return;
    uint8_t *documents = windows->held_documents.data;
    memmove(documents, documents + (windows->need - windows->seen) * size, windows->seen * size);
    windows->held_documents.length = windows->seen * size;
}

/* Holds some more ids, all of one document. */
static bool hold(lxm_windows *windows, const uint32_t *ids, size_t count)
{
    if (!lxm_buffer_append(&windows->held, ids, count * sizeof *ids))
        return false;
    if (!windows->options.pack)
        return true;
    if (!lxm_buffer_reserve(&windows->held_documents, count * sizeof *ids))
        return false;
    uint8_t *to = windows->held_documents.data + windows->held_documents.length;
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * sizeof *ids, &windows->document, sizeof *ids);
    windows->held_documents.length += count * sizeof *ids;
    return true;
}

static lxm_status push(lxm_windows *windows, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    while (!status && count > 0) {
        size_t n = windows->skip < count ? windows->skip : count;
        windows->skip -= n;
        windows->unused += n;
        ids += n;
        count -= n;
        size_t room = windows->need - held_count(windows);
        n = room < count ? room : count;
        if (!hold(windows, ids, n))
            return lxm_fail_memory(error);
        ids += n;
        count -= n;
        if (n == room) {
            status = add_window(windows, windows->options.context, error);
            advance(windows);
        }
    }
    return status;
}

/* With `pack`: ends the document before the one that begins. */
static lxm_status begin_document(lxm_windows *windows, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!windows->between)
        return LXM_OK;
    if (windows->options.has_eot)
        status = push(windows, &windows->options.eot_id, 1, error);
    windows->document++;
    windows->between = false;
    return status;
}

lxm_status lxm_windows_push(lxm_windows *windows, const uint32_t *ids, size_t count,
                            lxm_error *error)
{
    lxm_status status = count ? begin_document(windows, error) : LXM_OK;
    return status ? status : push(windows, ids, count, error);
}

/* What is held makes a padded window, or none. */
static lxm_status end_windows(lxm_windows *windows, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t held = held_count(windows), pairs = held ? held - windows->options.targets : 0;
    if (windows->options.pad && held > windows->seen && pairs > 0)
        status = add_window(windows, pairs, error);
    else
        windows->unused += held - windows->seen;
    windows->held.length = windows->held_documents.length = 0;
    windows->seen = windows->skip = 0;
    return status;
}

lxm_status lxm_windows_end_document(lxm_windows *windows, lxm_error *error)
{
    if (!windows->options.pack)
        return end_windows(windows, error);
    lxm_status status = begin_document(windows, error);
    windows->between = true;
    return status;
}

lxm_status lxm_windows_finish(lxm_windows *windows, lxm_error *error)
{
    lxm_status status = windows->options.pack ? end_windows(windows, error) : LXM_OK;
    return status || !windows->count ? status : hand_out(windows, error);
}

uint64_t lxm_windows_unused(const lxm_windows *windows)
{
    return windows->unused;
}
