/*
 * One thread's way from pre-tokens to ids: what the cache knows is copied, what it doesn't the
 * model works out. The keys of a batch are made, and their places in the cache fetched, before the
 * first is looked at.
 */
#include "base/error.h"
#include "idmap/cache.h"
#include "idmap/mapper.h"
#include "idmap/model.h"

enum {
    batch = 64,
    slack = 4, /* an entry's ids are copied four at a time */
};

struct lxm_mapper {
    lxm_allocator allocator;
    const lxm_vocab *vocab;
    lxm_cache cache;
    uint32_t *ids, *ends;
    uint64_t *offsets;
    size_t count, capacity, ends_capacity, offsets_capacity;
    lxm_buffer scratch;
};

lxm_status lxm_mapper_new(lxm_mapper **out, const lxm_vocab *vocab,
                          const lxm_mapper_options *options, const lxm_allocator *allocator,
                          lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_mapper *mapper = lxm_new(&a, sizeof *mapper);
    if (!mapper)
        return lxm_fail_memory(error);
    mapper->allocator = a;
    mapper->vocab = vocab;
    lxm_buffer_init(&mapper->scratch, &a);
    size_t size = options ? options->cache_size : LXM_CACHE_SIZE;
    lxm_status status = lxm_cache_init(&mapper->cache, vocab->model->map ? size : 0, &a, error);
    if (status) {
        lxm_mapper_free(mapper);
        return status;
    }
    *out = mapper;
    return LXM_OK;
}

void lxm_mapper_free(lxm_mapper *mapper)
{
    if (!mapper)
        return;
    lxm_allocator a = mapper->allocator;
    lxm_cache_free(&mapper->cache);
    lxm_release(&a, mapper->ids);
    lxm_release(&a, mapper->ends);
    lxm_release(&a, mapper->offsets);
    lxm_buffer_free(&mapper->scratch);
    lxm_release(&a, mapper);
}

/* ---- room ---- */

static bool grow(const lxm_allocator *a, void *array, size_t *capacity, size_t need, size_t size)
{
    void **pointer = array;
    if (need <= *capacity)
        return true;
    if (need < *capacity + *capacity / 2)
        need = *capacity + *capacity / 2;
    void *grown = lxm_resize(a, *pointer, need, size);
    if (!grown)
        return false;
    *pointer = grown;
    *capacity = need;
    return true;
}

static bool reserve_ids(lxm_mapper *m, size_t extra)
{
    size_t need;
    return lxm_add(m->count, extra, &need) &&
           grow(&m->allocator, &m->ids, &m->capacity, need, sizeof *m->ids);
}

static bool reserve_offsets(lxm_mapper *m, size_t extra)
{
    size_t need;
    return lxm_add(m->count, extra, &need) &&
           grow(&m->allocator, &m->offsets, &m->offsets_capacity, need, 2 * sizeof *m->offsets);
}

/* ---- one token, whatever it takes ---- */

/* Where the ids from `first` on stand, which came from one token; ends NULL: their tokens' own
 * lengths say it. */
static bool place(lxm_mapper *m, size_t first, size_t length, const uint64_t *offsets,
                  const uint32_t *ends)
{
    size_t count = m->count - first;
    if (!reserve_offsets(m, 0))
        return false;
    uint64_t *out = m->offsets + 2 * first, begin = offsets[0];
    bool changed = offsets[1] - offsets[0] != length;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = ends ? offsets[0] + ends[i]
                            : begin + lxm_token_table_length(&m->vocab->table, m->ids[first + i]);
        out[2 * i] = changed ? offsets[0] : begin;
        out[2 * i + 1] = changed ? offsets[1] : end;
        begin = end;
    }
    return true;
}

static lxm_status map_anew(lxm_mapper *m, const uint8_t *token, size_t length, bool ends,
                           lxm_error *error)
{
    lxm_mapping mapping = {.token = token,
                           .length = length,
                           .ids = m->ids + m->count,
                           .ends = ends ? m->ends : NULL,
                           .scratch = &m->scratch};
    lxm_status status = m->vocab->model->map(m->vocab, &mapping, error);
    if (!status)
        m->count += mapping.count;
    return status;
}

/* Room for what a token may come to, with `behind` ids more. */
static bool reserve(lxm_mapper *m, size_t length, size_t behind, bool ends)
{
    size_t room;
    if (!lxm_add(length, behind + 1, &room) || !reserve_ids(m, room))
        return false;
    return !ends || grow(&m->allocator, &m->ends, &m->ends_capacity, length + 1, sizeof *m->ends);
}

/* A token without the cache. *lasts: the bytes alone decide what it becomes. */
static lxm_status map_token(lxm_mapper *m, const lxm_tokens *tokens, size_t index, size_t behind,
                            bool *lasts, lxm_error *error)
{
    const lxm_span *span = &tokens->spans[index];
    const uint8_t *token = tokens->text + span->begin;
    size_t length = span->end - span->begin, first = m->count;
    bool offsets = tokens->offsets != NULL, ends = offsets && !m->vocab->exact;
    *lasts = false;
    if (length == 0)
        return LXM_OK;
    if (!reserve(m, length, behind, ends))
        return lxm_fail_memory(error);
    uint32_t outside = lxm_vocab_find_outside(m->vocab, token, length);
    lxm_status status = LXM_OK;
    *lasts = outside == LXM_NO_ID;
    if (outside != LXM_NO_ID && !tokens->plain)
        m->ids[m->count++] = outside;
    else
        status = map_anew(m, token, length, ends, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = index;
    if (status || !offsets)
        return status;
    uint32_t whole = (uint32_t)length;
    const uint32_t *where = m->count - first == 1 ? &whole : ends ? m->ends : NULL;
    return place(m, first, length, tokens->offsets + 2 * index, where) ? LXM_OK
                                                                       : lxm_fail_memory(error);
}

/* ---- many ---- */

/* A token on its way through the cache. */
typedef struct look_up {
    lxm_cache_key key;
    lxm_cache_entry *set;
} look_up;

/* A batch of tokens. Entries stay as they are until all ids are copied. */
typedef struct group {
    const lxm_tokens *tokens;
    size_t first, count;
    look_up ups[batch];
    const lxm_cache_entry *entries[batch]; /* not of what was missed */
    uint8_t missed[batch], second[batch];  /* indices: not found at first; found in second place */
    size_t missed_count, second_count;
    lxm_cache_place places[batch]; /* of what was missed, in that order */
    size_t starts[batch + 1];      /* of its ids */
    size_t ends[batch];
} group;

/* Makes the keys and has the sets fetched. */
static inline void prepare(const lxm_mapper *m, group *g)
{
    /* the spans are in order: the text reaches to the end of the last */
    const lxm_tokens *tokens = g->tokens;
    size_t end = tokens->spans[tokens->count - 1].end;
    const lxm_span *spans = tokens->spans + g->first;
    for (size_t i = 0; i < g->count; i++) {
        size_t begin = spans[i].begin;
        look_up *up = &g->ups[i];
        up->key = lxm_cache_key_of(tokens->text + begin, spans[i].end - begin, end - begin);
        up->set = lxm_cache_set(&m->cache, &up->key);
        __builtin_prefetch(up->set);
    }
}

/* Finds entries without a branch on what is found. */
static inline void resolve(group *g)
{
    size_t missed = 0, second = 0;
    for (size_t i = 0; i < g->count; i++) {
        const look_up *up = &g->ups[i];
        bool first = lxm_cache_is(up->set, &up->key);
        bool other = lxm_cache_is(up->set + 1, &up->key);
        g->entries[i] = up->set + other;
        g->missed[missed] = g->second[second] = (uint8_t)i;
        missed += !(first | other);
        second += other;
    }
    g->missed_count = missed;
    g->second_count = second;
}

static inline const uint8_t *token_of(const group *g, size_t i, size_t *length)
{
    const lxm_span *span = &g->tokens->spans[g->first + i];
    *length = span->end - span->begin;
    return g->tokens->text + span->begin;
}

/* Has the lines fetched of what has no entry. */
static inline void find_places(const lxm_mapper *m, group *g)
{
    for (size_t k = 0; k < g->missed_count; k++) {
        size_t length;
        const uint8_t *token = token_of(g, g->missed[k], &length);
        g->places[k] = lxm_cache_place_of(&m->cache, token, length);
        if (g->places[k].line)
            __builtin_prefetch(g->places[k].line);
    }
}

/* Copies the ids of entries [from, to). There is room for all of the group's. */
static inline bool copy_hits(lxm_mapper *m, const group *g, size_t from, size_t to, bool offsets)
{
    uint32_t *out = m->ids + m->count;
    for (size_t i = from; i < to; i++) {
        const lxm_cache_entry *entry = g->entries[i];
        memcpy(out, entry->ids, slack * sizeof *out);
        out += entry->count;
        if (!offsets)
            continue;
        size_t first = m->count, length, index = g->first + i;
        uint32_t whole;
        token_of(g, i, &length);
        whole = (uint32_t)length;
        m->count = (size_t)(out - m->ids);
        if (!place(m, first, length, g->tokens->offsets + 2 * index,
                   entry->count == 1 ? &whole : NULL))
            return false;
    }
    m->count = (size_t)(out - m->ids);
    return true;
}

static lxm_status map_missed(lxm_mapper *m, group *g, size_t k, bool offsets, lxm_error *error)
{
    size_t i = g->missed[k], first = m->count;
    lxm_status status = LXM_OK;
    g->starts[k] = g->ends[k] = first;
    if (!lxm_cache_has_line(&g->places[k])) {
        bool lasts;
        status = map_token(m, g->tokens, g->first + i, slack * batch + lxm_cache_long_ids, &lasts,
                           error);
        g->ends[k] = lasts ? m->count : first;
        return status;
    }
    const lxm_cache_line *line = g->places[k].line;
    if (!reserve_ids(m, slack * batch + 2 * lxm_cache_long_ids))
        return lxm_fail_memory(error);
    memcpy(m->ids + m->count, line->ids, sizeof line->ids);
    m->count += line->count;
    if (offsets) {
        size_t length;
        token_of(g, i, &length);
        uint32_t whole = (uint32_t)length;
        if (!place(m, first, length, g->tokens->offsets + 2 * (g->first + i),
                   line->count == 1 ? &whole : NULL))
            return lxm_fail_memory(error);
    }
    return LXM_OK;
}

/* Puts what is new into the cache, and what was found in second place into the first. */
static inline void settle(lxm_mapper *m, const group *g)
{
    for (size_t k = 0; k < g->second_count; k++) {
        const look_up *up = &g->ups[g->second[k]];
        if (lxm_cache_is(up->set + 1, &up->key))
            lxm_cache_promote(up->set);
    }
    for (size_t k = 0; k < g->missed_count; k++) {
        size_t length;
        const uint8_t *token = token_of(g, g->missed[k], &length);
        if (g->ends[k] > g->starts[k])
            lxm_cache_put(&m->cache, token, length, m->ids + g->starts[k],
                          g->ends[k] - g->starts[k]);
    }
}

static inline lxm_status map_group(lxm_mapper *m, group *g, bool offsets, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t at = 0;
    prepare(m, g);
    resolve(g);
    find_places(m, g);
    for (size_t k = 0; k < g->missed_count; k++) {
        if (!copy_hits(m, g, at, g->missed[k], offsets))
            return lxm_fail_memory(error);
        status = map_missed(m, g, k, offsets, error);
        if (status)
            return status;
        at = g->missed[k] + (size_t)1;
    }
    if (!copy_hits(m, g, at, g->count, offsets))
        return lxm_fail_memory(error);
    settle(m, g);
    return LXM_OK;
}

static lxm_status map_cached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    group g = {.tokens = tokens};
    for (size_t i = 0; !status && i < tokens->count; i += batch) {
        size_t left = tokens->count - i;
        g.first = i;
        g.count = left < batch ? left : batch;
        if (!reserve_ids(m, slack * (batch + 1)))
            return lxm_fail_memory(error);
        status = tokens->offsets ? map_group(m, &g, true, error) : map_group(m, &g, false, error);
    }
    return status;
}

static lxm_status map_uncached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    bool lasts;
    for (size_t i = 0; !status && i < tokens->count; i++)
        status = map_token(m, tokens, i, 0, &lasts, error);
    return status;
}

/* The word level: an id a token. */
static lxm_status map_words(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    size_t n = tokens->count;
    if (!reserve_ids(m, n) || (tokens->offsets && !reserve_offsets(m, n)))
        return lxm_fail_memory(error);
    lxm_status status = lxm_vocab_encode(m->vocab, tokens, m->ids + m->count, error);
    if (status)
        return status;
    if (tokens->offsets)
        memcpy(m->offsets + 2 * m->count, tokens->offsets, 2 * n * sizeof *m->offsets);
    m->count += n;
    return LXM_OK;
}

void lxm_mapper_clear(lxm_mapper *mapper)
{
    mapper->count = 0;
}

lxm_status lxm_mapper_append(lxm_mapper *mapper, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_mapper *m = mapper;
    if (tokens->count == 0)
        return LXM_OK;
    if (!m->vocab->model->map)
        return map_words(m, tokens, error);
    bool cached = m->cache.entries && (!tokens->offsets || m->vocab->exact);
    return cached ? map_cached(m, tokens, error) : map_uncached(m, tokens, error);
}

lxm_status lxm_mapper_append_ids(lxm_mapper *mapper, const lxm_ids *ids, lxm_error *error)
{
    lxm_mapper *m = mapper;
    if (ids->count == 0)
        return LXM_OK;
    if (!reserve_ids(m, ids->count) || !reserve_offsets(m, ids->count))
        return lxm_fail_memory(error);
    memcpy(m->ids + m->count, ids->ids, ids->count * sizeof *m->ids);
    memcpy(m->offsets + 2 * m->count, ids->offsets, 2 * ids->count * sizeof *m->offsets);
    m->count += ids->count;
    return LXM_OK;
}

lxm_ids lxm_mapper_ids(const lxm_mapper *mapper, bool offsets)
{
    return (lxm_ids){mapper->ids, mapper->count, offsets ? mapper->offsets : NULL};
}

lxm_status lxm_mapper_map(lxm_mapper *mapper, const lxm_tokens *tokens, lxm_ids *ids,
                          lxm_error *error)
{
    *ids = (lxm_ids){NULL, 0, NULL};
    lxm_mapper_clear(mapper);
    lxm_status status = lxm_mapper_append(mapper, tokens, error);
    if (!status)
        *ids = lxm_mapper_ids(mapper, tokens->offsets != NULL);
    return status;
}
