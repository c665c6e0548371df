#include "idmap/merging.h"

enum { few = 40 };

static inline size_t lowest(const uint32_t *ranks, size_t count)
{
    size_t at = 0;
    uint32_t low = ranks[0];
    for (size_t i = 1; i < count; i++) {
        bool less = ranks[i] < low;
        low = less ? ranks[i] : low;
        at = less ? i : at;
    }
    return at;
}

static inline uint32_t first_rank(const lxm_merges *merges, const lxm_mapping *m, size_t i)
{
    if (merges->bytes)
        return merges->bytes[m->token[i] * (size_t)256 + m->token[i + 1]];
    return lxm_pairs_rank(&merges->pairs, m->ids[i], m->ids[i + 1]);
}

static void merge_few(const lxm_merges *merges, lxm_mapping *m)
{
    const lxm_pairs *pairs = &merges->pairs;
    uint32_t ranks[few], *ids = m->ids;
    size_t n = m->count;
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = first_rank(merges, m, i);
    while (n > 1) {
        size_t at = lowest(ranks, n - 1);
        if (ranks[at] == LXM_NO_RANK)
            break;
        ids[at] = merges->results[ranks[at]];
        n--;
        for (size_t i = at + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            ranks[i - 1] = ranks[i];
        }
        if (m->ends)
            memmove(m->ends + at, m->ends + at + 1, (n - at) * sizeof *m->ends);
        if (at > 0)
            ranks[at - 1] = lxm_pairs_rank(pairs, ids[at - 1], ids[at]);
        if (at + 1 < n)
            ranks[at] = lxm_pairs_rank(pairs, ids[at], ids[at + 1]);
    }
    m->count = n;
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
    left->id = merges->results[left->rank];
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

bool lxm_merge_symbols(const lxm_merges *merges, lxm_mapping *mapping)
{
    if (mapping->count > few)
        return merge_many(merges, mapping);
    merge_few(merges, mapping);
    return true;
}
