/*
 * From text to spans, block by block. The including file has defined, for its instruction set,
 *
 *   classify(family, classes, block)            fills class[], wide, follow; cuts count
 *   put_edges(out, base, begins)                the token_edges of tokens that stand side by side
 *   put_pairs(out, base, begins, ends, open)    the token_edges of tokens with gaps between them
 *
 * Spans are written as the sorted list of their edges: begin, end, begin, end, ... Both put_ write
 * up to SPILL numbers too many and return where the next one goes.
 */
#ifndef LXM_TOKENIZE_SCAN_DRIVE_H
#define LXM_TOKENIZE_SCAN_DRIVE_H

#include "tokenize/scan/block.h"

enum { SPILL = 16, MOST = 2 * BLOCK + SPILL };

typedef token_edges decide_function(carry *c, block *b);

/* What is the same for all blocks of a scan. */
typedef struct scan_job {
    const lxm_family *family;
    int classes;
    decide_function *decide;
    bool gaps; /* not every byte belongs to a token */
} scan_job;

/* The subject's next block; where it stands too near to the end of the text to be read in place it
 * is copied to the buffer. */
INLINE void load_block(block *b, const lxm_scan *scan, size_t base, uint8_t *buffer)
{
    size_t left = scan->length - base;
    b->text = scan->text + base;
    b->base = (uint32_t)base;
    b->count = BLOCK;
    b->last = left <= BLOCK;
    b->final = scan->final;
    if (UNLIKELY(left < BLOCK + LOOKAHEAD)) {
        memset(buffer, 0, BLOCK + LOOKAHEAD);
        memcpy(buffer, b->text, left);
        b->text = buffer;
        b->count = left < BLOCK ? (uint32_t)left : BLOCK;
    }
}

INLINE uint32_t *put(const scan_job *job, carry *c, const block *b, token_edges e, bool open,
                     uint32_t *out)
{
    if (UNLIKELY(c->late)) {
        out[0] = out[1] = c->late_at;
        out += 2;
        c->late = false;
    }
    return job->gaps ? put_pairs(out, b->base, e.begins, e.ends, open)
                     : put_edges(out, b->base, e.begins);
}

/* Where few spans are left. Returns NULL when all are used up. */
OUTLINE uint32_t *put_copied(const uint32_t *from, size_t count, uint32_t *out, uint32_t *full)
{
    size_t room = (size_t)(full - out);
    memcpy(out, from, (count < room ? count : room) * sizeof *out);
    return count < room ? out + count : NULL;
}

INLINE size_t finish(const scan_job *job, lxm_scan *scan, uint32_t *out, size_t limit)
{
    bool open = ((const uint32_t *)(const void *)scan->spans - out) & 1;
    if (scan->final) {
        if (open)
            *out++ = (uint32_t)scan->length;
        limit = scan->length;
    } else if (open) {
        limit = *--out;
    } else if (job->gaps) {
        while (limit > scan->position && (scan->text[limit] & 0xC0) == 0x80)
            limit--;
    }
    scan->count = (size_t)(out - (uint32_t *)(void *)scan->spans) / 2;
    return limit;
}

INLINE lxm_status drive(const scan_job *job, lxm_scan *scan)
{
    uint32_t *spans = (uint32_t *)(void *)scan->spans, *out = spans + 2 * scan->count;
    uint32_t *const full = spans + 2 * scan->capacity;
    size_t limit = scan->final                ? scan->length
                   : scan->length < LOOKAHEAD ? 0
                                              : scan->length - LOOKAHEAD + 1;
    if (scan->position >= limit || out == full)
        return LXM_OK;
    uint8_t buffer[BLOCK + LOOKAHEAD];
    uint64_t first = !job->gaps;
    carry c = {0};
    block b;
    if (first)
        *out++ = (uint32_t)scan->position;
    for (size_t base = scan->position; base < limit; base += b.count) {
        load_block(&b, scan, base, buffer);
        classify(job->family, job->classes, &b);
        token_edges e = job->decide(&c, &b);
        uint64_t valid = low_bits(limit - base < b.count ? (uint32_t)(limit - base) : b.count);
        e.begins &= valid & ~first;
        e.ends &= valid;
        first = 0;
        bool open = (out - spans) & 1;
        if (LIKELY((size_t)(full - out) >= MOST + 2)) {
            out = put(job, &c, &b, e, open, out);
            continue;
        }
        uint32_t copy[MOST + 2];
        size_t count = (size_t)(put(job, &c, &b, e, open, copy) - copy);
        out = put_copied(copy, count, out, full);
        if (!out) {
            scan->count = scan->capacity;
            scan->position = full[-1];
            return LXM_OK;
        }
    }
    scan->position = finish(job, scan, out, limit);
    return LXM_OK;
}

#endif
