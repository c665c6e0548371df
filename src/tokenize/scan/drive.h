/*
 * From text to spans, block by block. The including file has defined, for its instruction set,
 *
 *   classify_usual(family, classes, block)      fills class[], or returns true: what isn't ASCII
 *                                               may have a class
 *   classify_wide(family, classes, block)       fills class[], wide, follow, behind; cuts count
 *   put_edges(out, base, begins)                the token_edges of tokens that stand side by side
 *   put_pairs(out, base, begins, ends, open)    the token_edges of tokens with gaps between them
 *
 * Spans are written as the sorted list of their edges: begin, end, begin, end, ... Both put_ write
 * up to SPILL numbers too many and return where the next one goes.
 */
#ifndef LXM_TOKENIZE_SCAN_DRIVE_H
#define LXM_TOKENIZE_SCAN_DRIVE_H

#include "tokenize/scan/block.h"

enum { SPILL = 64, MOST = 2 * BLOCK + SPILL };

typedef token_edges decide_function(carry *c, block *b);

/* What is the same for all blocks of a scan. */
typedef struct scan_job {
    const lxm_family *family;
    int classes;
    decide_function *decide;
    bool gaps; /* not every byte belongs to a token */
} scan_job;

/* A block that is read in place: BLOCK bytes, LOOKAHEAD more behind them. */
INLINE void view_block(block *b, const uint8_t *text, size_t base)
{
    b->text = text + base;
    b->base = (uint32_t)base;
    b->count = BLOCK;
    b->last = b->final = false;
    b->wide = b->follow = b->behind = 0;
}

/* Any block; where it stands too near to the end of the text it is copied to the buffer. */
INLINE void load_block(block *b, const lxm_scan *scan, size_t base, uint8_t *buffer)
{
    size_t left = scan->length - base;
    view_block(b, scan->text, base);
    b->last = left <= BLOCK;
    b->final = scan->final;
    if (UNLIKELY(left < BLOCK + LOOKAHEAD)) {
        memset(buffer, 0, BLOCK + LOOKAHEAD);
        memcpy(buffer, b->text, left);
        b->text = buffer;
        b->count = left < BLOCK ? (uint32_t)left : BLOCK;
    }
}

INLINE uint32_t *put(const scan_job *job, carry *c, uint32_t base, token_edges e, bool open,
                     uint32_t *out)
{
    if (UNLIKELY(c->late)) {
        out[0] = out[1] = c->late_at;
        out += 2;
        c->late = false;
    }
    return job->gaps ? put_pairs(out, base, e.begins, e.ends, open)
                     : put_edges(out, base, e.begins);
}

/* Where few spans are left. Returns NULL when all are used up. */
OUTLINE uint32_t *put_copied(const uint32_t *from, size_t count, uint32_t *out, uint32_t *full)
{
    size_t room = (size_t)(full - out);
    memcpy(out, from, (count < room ? count : room) * sizeof *out);
    return count < room ? out + count : NULL;
}

OUTLINE void finish(lxm_scan *scan, uint32_t *out, size_t limit, bool gaps)
{
    uint32_t *spans = (uint32_t *)(void *)scan->spans;
    bool open = (out - spans) & 1;
    if (scan->final) {
        if (open)
            *out++ = (uint32_t)scan->length;
        limit = scan->length;
    } else if (open) {
        limit = *--out;
    } else if (gaps) {
        while (limit > scan->position && (scan->text[limit] & 0xC0) == 0x80)
            limit--;
    }
    scan->count = (size_t)(out - spans) / 2;
    scan->position = limit;
}

INLINE lxm_status drive(const scan_job *job, lxm_scan *scan)
{
    uint32_t *const spans = (uint32_t *)(void *)scan->spans;
    uint32_t *out = spans + 2 * scan->count, *const full = spans + 2 * scan->capacity;
    const uint8_t *text = scan->text;
    size_t base = scan->position, length = scan->length;
    size_t limit = scan->final ? length : length < LOOKAHEAD ? 0 : length - LOOKAHEAD + 1;
    if (base >= limit || out == full)
        return LXM_OK;
    carry c = {0};
    uint64_t first = !job->gaps;
    if (first)
        *out++ = (uint32_t)base;
    while (base < limit) {
        /* Blocks that are like most: whole, no wide character has a class, with room for their
         * tokens. Such a block may begin and end inside a character. */
        while (LIKELY(!first && length - base >= BLOCK + LOOKAHEAD && full - out >= MOST + 2)) {
            block b;
            view_block(&b, text, base);
            if (classify_usual(job->family, job->classes, &b))
                break;
            b.behind = classes_at(job->family, b.text + BLOCK);
            bool open = (out - spans) & 1;
            out = put(job, &c, b.base, job->decide(&c, &b), open, out);
            base += BLOCK;
        }
        uint8_t buffer[BLOCK + LOOKAHEAD];
        block b;
        load_block(&b, scan, base, buffer);
        classify_wide(job->family, job->classes, &b);
        token_edges e = job->decide(&c, &b);
        uint64_t valid = low_bits(limit - base < b.count ? (uint32_t)(limit - base) : b.count);
        e.begins &= valid & ~first;
        e.ends &= valid;
        first = 0;
        uint32_t copy[MOST + 2];
        bool open = (out - spans) & 1;
        base += b.count;
        if (LIKELY(full - out >= MOST + 2)) {
            out = put(job, &c, b.base, e, open, out);
            continue;
        }
        size_t count = (size_t)(put(job, &c, b.base, e, open, copy) - copy);
        out = put_copied(copy, count, out, full);
        if (!out) {
            scan->count = scan->capacity;
            scan->position = full[-1];
            return LXM_OK;
        }
    }
    finish(scan, out, limit, job->gaps);
    return LXM_OK;
}

#endif
