/*
 * One thread's way from pre-tokens to ids: what the cache knows is copied, what it doesn't the
 * model works out. The keys of a batch are made, and their places in the cache fetched, before the
 * first is looked at.
 */
#include "base/error.h"
#include "idmap/cache.h"
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

/* Appends one id of a token that the model doesn't see, or what is kept of a longer one. */
static bool map_known(lxm_mapper *m, const uint8_t *token, size_t length, bool cached)
{
    uint32_t outside = lxm_vocab_find_outside(m->vocab, token, length);
    if (outside != LXM_NO_ID) {
        m->ids[m->count++] = outside;
        return true;
    }
    if (!cached || length > lxm_cache_long)
        return false;
    const lxm_cache_line *line = lxm_cache_find_line(&m->cache, token, length);
    if (!line)
        return false;
    memcpy(m->ids + m->count, line->ids, sizeof line->ids);
    m->count += line->count;
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

/* What the first look into the cache didn't find. Room for `behind` ids more stays behind it. */
static lxm_status map_slowly(lxm_mapper *m, const lxm_tokens *tokens, size_t index, size_t behind,
                             lxm_error *error)
{
    const lxm_span *span = &tokens->spans[index];
    const uint8_t *token = tokens->text + span->begin;
    size_t length = span->end - span->begin, first = m->count, room;
    bool offsets = tokens->offsets != NULL, ends = offsets && !m->vocab->exact;
    if (length == 0)
        return LXM_OK;
    if (!lxm_add(length, behind + 2 * lxm_cache_long_ids, &room) || !reserve_ids(m, room) ||
        (ends && !grow(&m->allocator, &m->ends, &m->ends_capacity, length + 1, sizeof *m->ends)))
        return lxm_fail_memory(error);
    bool known = map_known(m, token, length, m->cache.entries && !ends);
    lxm_status status = known ? LXM_OK : map_anew(m, token, length, ends, error);
    if (status) {
        if (status == LXM_ERROR_TOKEN && error)
            error->offset = index;
        return status;
    }
    if (!known)
        lxm_cache_put(&m->cache, token, length, m->ids + first, m->count - first);
    if (offsets) {
        uint32_t whole = (uint32_t)length;
        const uint32_t *where = m->count - first == 1 ? &whole : ends ? m->ends : NULL;
        if (!place(m, first, length, tokens->offsets + 2 * index, where))
            return lxm_fail_memory(error);
    }
    return LXM_OK;
}

/* ---- many ---- */

typedef struct look_up {
    lxm_cache_key key;
    lxm_cache_entry *set;
} look_up;

static inline void prepare(const lxm_mapper *m, const lxm_tokens *tokens, size_t first, size_t n,
                           look_up *ups)
{
    /* the spans are in order: the text reaches to the end of the last */
    size_t end = tokens->spans[tokens->count - 1].end;
    const lxm_span *spans = tokens->spans + first;
    for (size_t i = 0; i < n; i++) {
        size_t begin = spans[i].begin;
        ups[i].key = lxm_cache_key_of(tokens->text + begin, spans[i].end - begin, end - begin);
        ups[i].set = lxm_cache_set(&m->cache, &ups[i].key);
        __builtin_prefetch(ups[i].set);
    }
}

/* A batch; with offsets only where the tokens' own lengths say where they stand. */
static inline lxm_status map_batch(lxm_mapper *m, const lxm_tokens *tokens, size_t first, size_t n,
                                   bool offsets, lxm_error *error)
{
    look_up ups[batch];
    prepare(m, tokens, first, n, ups);
    uint32_t *out = m->ids + m->count;
    for (size_t i = 0; i < n; i++) {
        lxm_cache_entry *entry = ups[i].set;
        if (__builtin_expect(!lxm_cache_is(entry, &ups[i].key), 0)) {
            if (lxm_cache_is(entry + 1, &ups[i].key)) {
                lxm_cache_promote(entry);
            } else {
                m->count = (size_t)(out - m->ids);
                lxm_status status = map_slowly(m, tokens, first + i, slack * batch, error);
                if (status)
                    return status;
                out = m->ids + m->count;
                continue;
            }
        }
        memcpy(out, entry->ids, slack * sizeof *out);
        out += entry->count;
        if (offsets) {
            size_t before = (size_t)(out - m->ids) - entry->count, index = first + i;
            m->count = (size_t)(out - m->ids);
            const lxm_span *span = &tokens->spans[index];
            uint32_t length = span->end - span->begin;
            if (!place(m, before, length, tokens->offsets + 2 * index,
                       entry->count == 1 ? &length : NULL))
                return lxm_fail_memory(error);
        }
    }
    m->count = (size_t)(out - m->ids);
    return LXM_OK;
}

static lxm_status map_cached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < tokens->count; i += batch) {
        size_t left = tokens->count - i, n = left < batch ? left : batch;
        if (!reserve_ids(m, slack * (batch + 1)))
            return lxm_fail_memory(error);
        status = tokens->offsets ? map_batch(m, tokens, i, n, true, error)
                                 : map_batch(m, tokens, i, n, false, error);
    }
    return status;
}

static lxm_status map_uncached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < tokens->count; i++)
        status = map_slowly(m, tokens, i, 0, error);
    return status;
}

lxm_status lxm_mapper_map(lxm_mapper *mapper, const lxm_tokens *tokens, lxm_ids *ids,
                          lxm_error *error)
{
    lxm_mapper *m = mapper;
    lxm_status status;
    *ids = (lxm_ids){NULL, 0, NULL};
    m->count = 0;
    if (tokens->count == 0)
        return LXM_OK;
    if (!m->vocab->model->map) {
        if (!reserve_ids(m, tokens->count))
            return lxm_fail_memory(error);
        status = lxm_vocab_encode(m->vocab, tokens, m->ids, error);
        if (!status)
            *ids = (lxm_ids){m->ids, tokens->count, tokens->offsets};
        return status;
    }
    bool cached = m->cache.entries && (!tokens->offsets || m->vocab->exact);
    status = cached ? map_cached(m, tokens, error) : map_uncached(m, tokens, error);
    if (!status)
        *ids = (lxm_ids){m->ids, m->count, tokens->offsets ? m->offsets : NULL};
    return status;
}
