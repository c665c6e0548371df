/*
 * Where text came from. Entries are in order of text; each says how the text from its position to
 * that of the next came about: byte for byte from `source` on, or as a whole from what lies
 * between its source and that of the next entry.
 */
#ifndef LXM_TOKENIZE_ALIGNMENT_H
#define LXM_TOKENIZE_ALIGNMENT_H

#include "base/memory.h"
#include "lexmill/tokenize.h"

typedef struct lxm_aligned {
    size_t text;
    uint64_t source;
    bool whole; /* not byte for byte */
} lxm_aligned;

typedef struct lxm_alignment {
    lxm_aligned *list;
    size_t count, capacity;
    uint64_t end; /* source position behind the last byte of text */
    lxm_allocator allocator;
} lxm_alignment;

void lxm_alignment_init(lxm_alignment *alignment, const lxm_allocator *allocator);
void lxm_alignment_free(lxm_alignment *alignment);
void lxm_alignment_clear(lxm_alignment *alignment);

/* Adds an entry of its own; false when memory runs out. */
bool lxm_alignment_add_entry(lxm_alignment *alignment, size_t text, uint64_t source, uint64_t end,
                             bool whole);

/* Whether text that follows byte for byte needs no entry of its own. */
static inline bool lxm_alignment_continues(const lxm_alignment *alignment, size_t text,
                                           uint64_t source)
{
    if (alignment->count == 0)
        return false;
    const lxm_aligned *last = &alignment->list[alignment->count - 1];
    return !last->whole && source - last->source == text - last->text;
}

/* Says that text from `text` on came from [source, end); false when memory runs out. */
static inline bool lxm_alignment_add(lxm_alignment *alignment, size_t text, uint64_t source,
                                     uint64_t end, bool whole)
{
    if (whole || !lxm_alignment_continues(alignment, text, source))
        return lxm_alignment_add_entry(alignment, text, source, end, whole);
    alignment->end = end;
    return true;
}

/* Appends another whose text stands `shift` bytes further on. */
bool lxm_alignment_append(lxm_alignment *alignment, const lxm_alignment *more, size_t shift);

/* Appends that of text[begin, end) of another text of `length` bytes, which stands at `text`. */
bool lxm_alignment_append_part(lxm_alignment *alignment, size_t text, const lxm_alignment *other,
                               size_t length, size_t begin, size_t end);

/* Where text[begin, end), which isn't empty, came from. */
void lxm_alignment_range(const lxm_alignment *alignment, size_t begin, size_t end, uint64_t *source,
                         uint64_t *source_end);

/* Forgets the first `length` bytes of text. */
void lxm_alignment_drop(lxm_alignment *alignment, size_t length);

/* The source ranges of spans, which are in order; `offsets` holds 2 x count. */
void lxm_alignment_map(const lxm_alignment *alignment, const lxm_span *spans, size_t count,
                       uint64_t *offsets);

/* The source position of one byte of text. */
uint64_t lxm_alignment_source(const lxm_alignment *alignment, size_t text);

#endif
