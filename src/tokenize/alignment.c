#include "tokenize/alignment.h"

void lxm_alignment_init(lxm_alignment *alignment, const lxm_allocator *allocator)
{
    *alignment = (lxm_alignment){.allocator = *allocator};
}

void lxm_alignment_free(lxm_alignment *alignment)
{
    if (alignment->list)
        lxm_release(&alignment->allocator, alignment->list);
    alignment->list = NULL;
    alignment->count = alignment->capacity = 0;
}

void lxm_alignment_clear(lxm_alignment *alignment)
{
    alignment->count = 0;
}

/* Whether source bytes that gave nothing lie behind the last entry, which would seem to be its. */
static bool leaves_gap(const lxm_alignment *alignment, uint64_t source)
{
    return alignment->count > 0 && alignment->list[alignment->count - 1].whole &&
           alignment->end < source;
}

static bool reserve(lxm_alignment *alignment, size_t extra)
{
    size_t capacity = alignment->capacity, need;
    if (capacity - alignment->count >= extra)
        return true;
    if (!lxm_multiply(2, capacity, &capacity) || !lxm_add(alignment->count, extra, &need))
        return false;
    capacity = capacity < 16 ? 16 : capacity;
    capacity = capacity < need ? need : capacity;
    lxm_aligned *list = lxm_resize(&alignment->allocator, alignment->list, capacity, sizeof *list);
    if (!list)
        return false;
    alignment->list = list;
    alignment->capacity = capacity;
    return true;
}

bool lxm_alignment_add_entry(lxm_alignment *alignment, size_t text, uint64_t source, uint64_t end,
                             bool whole)
{
    if (!reserve(alignment, 2))
        return false;
    if (leaves_gap(alignment, source))
        alignment->list[alignment->count++] = (lxm_aligned){text, alignment->end, false};
    alignment->list[alignment->count++] = (lxm_aligned){text, source, whole};
    alignment->end = end;
    return true;
}

bool lxm_alignment_append(lxm_alignment *alignment, const lxm_alignment *more, size_t shift)
{
    if (more->count == 0)
        return true;
    /* only the first may continue, or leave a gap behind, what was there before */
    const lxm_aligned *first = more->list;
    uint64_t end = more->count > 1 ? first[1].source : more->end;
    if (!lxm_alignment_add(alignment, shift + first->text, first->source, end, first->whole) ||
        !reserve(alignment, more->count - 1))
        return false;
    lxm_aligned *list = alignment->list + alignment->count;
    for (size_t i = 1; i < more->count; i++)
        list[i - 1] = (lxm_aligned){shift + first[i].text, first[i].source, first[i].whole};
    alignment->count += more->count - 1;
    alignment->end = more->end;
    return true;
}

/* The entry that covers a byte of text, searched from entry `from` on. */
static size_t covering(const lxm_alignment *alignment, size_t from, size_t text)
{
    while (from + 1 < alignment->count && alignment->list[from + 1].text <= text)
        from++;
    return from;
}

/* The same, by bisection. */
static size_t find(const lxm_alignment *alignment, size_t text)
{
    size_t low = 0, high = alignment->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (alignment->list[middle].text <= text)
            low = middle;
        else
            high = middle;
    }
    return covering(alignment, low, text);
}

void lxm_alignment_drop(lxm_alignment *alignment, size_t length)
{
    if (alignment->count == 0 || length == 0)
        return;
    size_t first = covering(alignment, 0, length);
    lxm_aligned *list = alignment->list;
    if (!list[first].whole)
        list[first].source += length - list[first].text;
    list[first].text = length;
    alignment->count -= first;
    for (size_t i = 0; i < alignment->count; i++) {
        list[i] = list[first + i];
        list[i].text -= length;
    }
}

static uint64_t source_end(const lxm_alignment *alignment, size_t entry, size_t end)
{
    const lxm_aligned *a = &alignment->list[entry];
    if (!a->whole)
        return a->source + (end - a->text);
    return entry + 1 < alignment->count ? a[1].source : alignment->end;
}

uint64_t lxm_alignment_source(const lxm_alignment *alignment, size_t text)
{
    if (alignment->count == 0)
        return alignment->end;
    const lxm_aligned *a = &alignment->list[covering(alignment, 0, text)];
    return a->whole ? a->source : a->source + (text - a->text);
}

void lxm_alignment_map(const lxm_alignment *alignment, const lxm_span *spans, size_t count,
                       uint64_t *offsets)
{
    size_t entry = 0;
    for (size_t i = 0; i < count; i++) {
        entry = covering(alignment, entry, spans[i].begin);
        const lxm_aligned *a = &alignment->list[entry];
        offsets[2 * i] = a->whole ? a->source : a->source + (spans[i].begin - a->text);
        entry = covering(alignment, entry, spans[i].end - 1);
        offsets[2 * i + 1] = source_end(alignment, entry, spans[i].end);
    }
}

void lxm_alignment_range(const lxm_alignment *alignment, size_t begin, size_t end, uint64_t *source,
                         uint64_t *source_to)
{
    const lxm_aligned *a = &alignment->list[find(alignment, begin)];
    *source = a->whole ? a->source : a->source + (begin - a->text);
    *source_to = source_end(alignment, find(alignment, end - 1), end);
}

bool lxm_alignment_append_part(lxm_alignment *alignment, size_t text, const lxm_alignment *other,
                               size_t length, size_t begin, size_t end)
{
    if (begin == end)
        return true;
    for (size_t i = find(other, begin); i < other->count && other->list[i].text < end; i++) {
        const lxm_aligned *a = &other->list[i];
        size_t next = i + 1 < other->count ? a[1].text : length;
        size_t from = a->text > begin ? a->text : begin, to = next < end ? next : end;
        if (from >= to)
            continue;
        uint64_t source = a->whole ? a->source : a->source + (from - a->text);
        if (!lxm_alignment_add(alignment, text + (from - begin), source, source_end(other, i, to),
                               a->whole))
            return false;
    }
    return true;
}
