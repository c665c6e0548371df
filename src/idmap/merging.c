#include "idmap/merging.h"

#include "base/cpu.h"
#include "idmap/merging_kernel.h"

enum {
    most_in_row = 60,
    rows_at_once = 8,
    place_bits = 6,
    no_pair = (int)(LXM_NO_RANK << place_bits),
    queue_count = 4,
    least_in_lanes = 2, /* fewer are sooner done in rows */
};

void lxm_merges_find_order(lxm_merges *merges, size_t count)
{
    size_t rank = 0;
    merges->first = count ? merges->results[0] : 0;
    while (rank < count && merges->results[rank] == merges->first + rank)
        rank++;
    merges->linear = rank == count;
}

/* ---- few ---- */

/* The symbols of a token, from place 1 on, between two sentinels. A pair's rank stands with its
 * left symbol, above its place, so that the lowest says where it is. */
typedef struct row {
    uint64_t alive; /* a bit a symbol that is left, and a sentinel */
    uint32_t ids[most_in_row + 2], ranks[most_in_row + 1];
} row;

static inline uint32_t ranked(uint32_t rank, unsigned at)
{
    return rank << place_bits | at;
}

static inline __attribute__((always_inline)) uint32_t lowest(const row *r, size_t width)
{
    uint32_t a = r->ranks[1], b = r->ranks[2], c = r->ranks[3], d = r->ranks[4];
    for (size_t i = 5; i <= width; i += 4) {
        const uint32_t *next = r->ranks + i;
        a = next[0] < a ? next[0] : a;
        b = next[1] < b ? next[1] : b;
        c = next[2] < c ? next[2] : c;
        d = next[3] < d ? next[3] : d;
    }
    a = a < b ? a : b;
    c = c < d ? c : d;
    return a < c ? a : c;
}

static inline __attribute__((always_inline)) void fill(const lxm_merges *merges, row *r,
                                                       const lxm_mapping *m, size_t width)
{
    unsigned n = (unsigned)m->count;
    r->alive = ((uint64_t)4 << n) - 1;
    r->ids[0] = r->ids[n + 1] = lxm_merge_sentinel;
    memcpy(r->ids + 1, m->ids, n * sizeof *m->ids);
    for (unsigned i = 1; i < n; i++)
        r->ranks[i] = ranked(lxm_merge_first_rank(merges, m, i - 1), i);
    for (unsigned i = n; i <= width; i++)
        r->ranks[i] = no_pair;
}

/* Merges the lowest pair, without a branch on which it is. Where there is none nothing is changed
 * that matters: place 0 has no pair. */
static inline __attribute__((always_inline)) bool step(const lxm_merges *merges, row *r,
                                                       size_t width)
{
    uint32_t low = lowest(r, width);
    bool found = low < no_pair;
    low = found ? low : 0;
    unsigned at = low & ((1u << place_bits) - 1);
    unsigned next = at + 1 + (unsigned)__builtin_ctzll(r->alive >> at >> 1);
    unsigned beyond = next + 1 + (unsigned)__builtin_ctzll(r->alive >> next >> 1);
    uint64_t ahead = r->alive & (((uint64_t)1 << at) - 1);
    unsigned before = 63 - (unsigned)__builtin_clzll(ahead | 1);
    uint32_t id = lxm_merge_result(merges, low >> place_bits);
    r->alive &= ~((uint64_t)found << next);
    r->ids[at] = id;
    r->ranks[next] = no_pair;
    r->ranks[at] = ranked(lxm_pairs_rank(&merges->pairs, id, r->ids[beyond]), at);
    r->ranks[before] = ranked(lxm_pairs_rank(&merges->pairs, r->ids[before], id), before);
    return found;
}

static void take(const row *r, lxm_mapping *m)
{
    uint64_t left = r->alive & ~(uint64_t)1;
    const uint64_t last = (uint64_t)2 << m->count;
    m->count = 0;
    while (left != last) {
        m->ids[m->count] = r->ids[__builtin_ctzll(left)];
        left &= left - 1;
        if (m->ends)
            m->ends[m->count] = m->ends[__builtin_ctzll(left) - 2];
        m->count++;
    }
}

/* Of several tokens, each of at most `width` symbols, one merge is done after the other's: what
 * they wait for is fetched side by side. */
static inline __attribute__((always_inline)) void
merge_rows(const lxm_merges *merges, lxm_mapping *const *m, size_t count, size_t width)
{
    row rows[rows_at_once];
    bool found = true;
    for (size_t i = 0; i < count; i++)
        fill(merges, &rows[i], m[i], width);
    while (found) {
        found = false;
        for (size_t i = 0; i < count; i++)
            found |= step(merges, &rows[i], width);
    }
    for (size_t i = 0; i < count; i++)
        take(&rows[i], m[i]);
}

static void merge_few(const lxm_merges *merges, lxm_mapping *const *m, size_t count, size_t width)
{
    for (size_t at = 0, n; at < count; at += n) {
        n = count - at < rows_at_once ? count - at : rows_at_once;
        if (width <= 8)
            merge_rows(merges, m + at, n, 8);
        else if (width <= 16)
            merge_rows(merges, m + at, n, 16);
        else if (width <= 32)
            merge_rows(merges, m + at, n, 32);
        else
            merge_rows(merges, m + at, n, most_in_row);
    }
}

/* ---- many ---- */

/* Symbols in a list; a pair stands with its left symbol. */
typedef struct symbol {
    uint32_t id, rank, previous, next;
} symbol;

/* A heap of rank << 32 | index of the left symbol: the lowest first. */
typedef struct heap {
    uint64_t *items;
    size_t count;
} heap;

static void sink(heap *h, size_t at)
{
    uint64_t item = h->items[at];
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->items[child + 1] < h->items[child])
            child++;
        if (h->items[child] >= item)
            break;
        h->items[at] = h->items[child];
    }
    h->items[at] = item;
}

static void push(heap *h, uint64_t item)
{
    size_t at = h->count++;
    for (; at > 0 && h->items[(at - 1) / 2] > item; at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = item;
}

static uint64_t pop(heap *h)
{
    uint64_t first = h->items[0];
    h->items[0] = h->items[--h->count];
    if (h->count)
        sink(h, 0);
    return first;
}

static void look_up(const lxm_pairs *pairs, symbol *symbols, heap *h, uint32_t at)
{
    symbol *left = &symbols[at];
    left->rank = LXM_NO_RANK;
    if (left->next != UINT32_MAX)
        left->rank = lxm_pairs_rank(pairs, left->id, symbols[left->next].id);
    if (left->rank != LXM_NO_RANK)
        push(h, (uint64_t)left->rank << 32 | at);
}

static void merge_at(const lxm_merges *merges, symbol *symbols, heap *h, uint32_t at)
{
    symbol *left = &symbols[at], *right = &symbols[left->next];
    left->id = lxm_merge_result(merges, left->rank);
    left->next = right->next;
    right->rank = LXM_NO_RANK; /* what the heap still has of it is void */
    if (left->next != UINT32_MAX)
        symbols[left->next].previous = at;
    look_up(&merges->pairs, symbols, h, at);
    if (left->previous != UINT32_MAX)
        look_up(&merges->pairs, symbols, h, left->previous);
}

/* Each merge takes one item off the heap and puts at most two on it. */
static bool merge_many(const lxm_merges *merges, lxm_mapping *m)
{
    size_t n = m->count;
    m->scratch->length = 0;
    if (n >= UINT32_MAX || !lxm_buffer_reserve(m->scratch, n * (sizeof(symbol) + 16)))
        return false;
    heap h = {(uint64_t *)(void *)m->scratch->data, 0};
    symbol *symbols = (symbol *)(void *)(m->scratch->data + 16 * n);
    for (uint32_t i = 0; i < n; i++)
        symbols[i] = (symbol){m->ids[i], LXM_NO_RANK, i - 1, i + 1 < n ? i + 1 : UINT32_MAX};
    for (uint32_t i = 0; i < n; i++)
        look_up(&merges->pairs, symbols, &h, i);
    while (h.count) {
        uint64_t item = pop(&h);
        if (symbols[(uint32_t)item].rank == item >> 32)
            merge_at(merges, symbols, &h, (uint32_t)item);
    }
    m->count = 0;
    for (uint32_t at = 0; at != UINT32_MAX; at = symbols[at].next) {
        uint32_t end = symbols[at].next == UINT32_MAX ? (uint32_t)n : symbols[at].next;
        if (m->ends)
            m->ends[m->count] = m->ends[end - 1];
        m->ids[m->count++] = symbols[at].id;
    }
    return true;
}

/* ---- all ---- */

/* Tokens that wait for others of about their length. */
typedef struct queue {
    lxm_mapping *waiting[lxm_merge_lanes];
    size_t count, width;
} queue;

static void flush(const lxm_merges *merges, queue *q, bool lanes)
{
#ifdef LXM_MERGING_AVX512
    if (lanes && q->count >= least_in_lanes && q->width <= lxm_merge_lane_symbols) {
        lxm_merge_lanes_avx512(merges, q->waiting, q->count, q->width);
        q->count = 0;
    }
#else
    (void)lanes;
#endif
    merge_few(merges, q->waiting, q->count, q->width);
    q->count = 0;
}

/* What is left of the shorter goes with the longer, where there are lanes for all. */
static void flush_all(const lxm_merges *merges, queue *queues, bool lanes)
{
    for (size_t i = 0; i < queue_count; i++) {
        queue *q = &queues[i], *longer = q + 1;
        if (lanes && i < queue_count - 2 && longer->count &&
            q->count + longer->count <= lxm_merge_lanes) {
            memcpy(longer->waiting + longer->count, q->waiting, q->count * sizeof *q->waiting);
            longer->count += q->count;
        } else {
            flush(merges, q, lanes);
        }
    }
}

bool lxm_merge_symbols(const lxm_merges *merges, lxm_mapping *mappings, size_t count)
{
    static const size_t widths[queue_count] = {8, 16, lxm_merge_lane_symbols, most_in_row};
    bool lanes = lxm_cpu_features() & LXM_CPU_AVX512;
    queue queues[queue_count];
    for (size_t i = 0; i < queue_count; i++) {
        queues[i].width = widths[i];
        queues[i].count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        lxm_mapping *m = &mappings[i];
        size_t n = m->count;
        queue *q = &queues[(n > widths[0]) + (n > widths[1]) + (n > widths[2])];
        if (n > most_in_row && !merge_many(merges, m))
            return false;
        if (n < 2 || n > most_in_row)
            continue;
        q->waiting[q->count++] = m;
        if (q->count == lxm_merge_lanes)
            flush(merges, q, lanes);
    }
    flush_all(merges, queues, lanes);
    return true;
}
