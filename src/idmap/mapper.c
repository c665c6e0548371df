/*
 * One thread's way from pre-tokens to ids: what the cache knows is copied, what it doesn't the
 * model works out. The keys of a batch are made, and their places in the cache fetched, before the
 * first is looked at.
 */
#include "base/error.h"
#include "idmap/cache_near.h"
#include "idmap/mapper.h"
#include "idmap/model.h"

enum {
    batch = lxm_cache_batch,
    promoted = 8,                /* one of so many */
    slack = lxm_cache_short_ids, /* ids are copied so many at a time */
};

/* A batch of tokens. The cache stays as it is until all ids are copied. */
typedef struct group {
    const lxm_tokens *tokens;
    size_t first, count;
    lxm_cache_looks looks; /* the ids are the cache's, or among the mapper's fresh ones */
    /* Of what the near table missed, by its place there: */
    size_t far_count, rest_count;
    uint32_t far[batch + 1];  /* what was found in the far table */
    uint32_t rest[batch + 1]; /* what wasn't; in the end, what nothing had */
    uint64_t store_hashes[batch];
    bool lasts[batch]; /* the bytes of the rest alone decide what it becomes */
    lxm_mapping mappings[batch + 1];
    uint32_t indices[batch + 1]; /* of the mappings' tokens */
} group;

struct lxm_mapper {
    lxm_allocator allocator;
    const lxm_vocab *vocab;
    lxm_cache cache;
    group *group; /* NULL: there is no cache */
    uint32_t *ids, *ends;
    uint64_t *offsets;
    uint32_t *fresh; /* ids of a batch that the cache hasn't */
    size_t count, capacity, ends_capacity, offsets_capacity, fresh_capacity;
    lxm_buffer scratch;
    uint32_t *documents; /* where documents end, in tokens, which are to become ids */
    size_t document_count;
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
    size = vocab->model->map ? size : 0;
    lxm_status status = lxm_cache_init(&mapper->cache, size, &a, error);
    if (!status && size && !(mapper->group = lxm_allocate(&a, 1, sizeof *mapper->group)))
        status = lxm_fail_memory(error);
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
    lxm_release(&a, mapper->group);
    lxm_release(&a, mapper->ids);
    lxm_release(&a, mapper->ends);
    lxm_release(&a, mapper->offsets);
    lxm_release(&a, mapper->fresh);
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

/* Where `count` ids from `first` on stand, which came from one token; ends NULL: their tokens' own
 * lengths say it. */
static bool place(lxm_mapper *m, size_t first, size_t count, size_t length, const uint64_t *offsets,
                  const uint32_t *ends)
{
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

/* Maps a token that nothing is known of to `ids`, where there is room for `length` + 1. */
static lxm_status map_anew(lxm_mapper *m, const lxm_tokens *tokens, size_t index, uint32_t *ids,
                           uint32_t *ends, size_t *count, lxm_error *error)
{
    const lxm_span *span = &tokens->spans[index];
    lxm_mapping mapping = {.token = tokens->text + span->begin,
                           .length = span->end - span->begin,
                           .ids = ids,
                           .ends = ends,
                           .scratch = &m->scratch};
    *count = 0;
    if (mapping.length == 0)
        return LXM_OK;
    *count = 1;
    *ids = lxm_vocab_find_outside(m->vocab, mapping.token, mapping.length);
    if (*ids != LXM_NO_ID && !tokens->plain)
        return LXM_OK;
    lxm_status status = m->vocab->model->map(m->vocab, &mapping, error);
    *count = mapping.count;
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = index;
    return status;
}

/* A token without the cache. */
static lxm_status map_token(lxm_mapper *m, const lxm_tokens *tokens, size_t index, lxm_error *error)
{
    size_t length = tokens->spans[index].end - tokens->spans[index].begin, first = m->count, count;
    bool offsets = tokens->offsets != NULL, ends = offsets && !m->vocab->exact;
    if (!reserve_ids(m, length + 1) ||
        (ends && !grow(&m->allocator, &m->ends, &m->ends_capacity, length + 1, sizeof *m->ends)))
        return lxm_fail_memory(error);
    lxm_status status =
        map_anew(m, tokens, index, m->ids + m->count, ends ? m->ends : NULL, &count, error);
    m->count += count;
    if (status || !offsets)
        return status;
    uint32_t whole = (uint32_t)length;
    const uint32_t *where = count == 1 ? &whole : ends ? m->ends : NULL;
    if (!place(m, first, count, length, tokens->offsets + 2 * index, where))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* ---- many ---- */

/* Token `i` of the group. */
static inline const uint8_t *token_of(const group *g, size_t i, size_t *length)
{
    const lxm_span *span = &g->tokens->spans[g->first + i];
    *length = span->end - span->begin;
    return g->tokens->text + span->begin;
}

static inline lxm_cache_key key_of(const group *g, size_t missed)
{
    return (lxm_cache_key){{g->looks.words[0][missed], g->looks.words[1][missed]}};
}

static lxm_status map_all(const lxm_vocab *vocab, lxm_mapping *mappings, size_t count,
                          size_t *failed, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (vocab->model->map_all)
        return vocab->model->map_all(vocab, mappings, count, failed, error);
    for (size_t i = 0; !status && i < count; i++) {
        status = vocab->model->map(vocab, &mappings[i], error);
        *failed = i;
    }
    return status;
}

/* Looks in the far table for what the near one hasn't. */
static inline void look_far(const lxm_cache *cache, group *g)
{
    lxm_cache_looks *looks = &g->looks;
    size_t found = 0, rest = 0;
    for (size_t k = 0; k < looks->missed; k++)
        __builtin_prefetch(lxm_cache_far(cache, looks->hashes[k]));
    for (size_t k = 0; k < looks->missed; k++) {
        const lxm_cache_key key = key_of(g, k);
        const lxm_cache_entry *set = lxm_cache_far(cache, looks->hashes[k]);
        bool second = lxm_cache_is(&set[1], &key), hit = lxm_cache_is(&set[0], &key) | second;
        looks->ids[looks->indices[k]] = set[second].ids;
        looks->counts[looks->indices[k]] = lxm_cache_count(&set[second]);
        g->far[found] = g->rest[rest] = (uint32_t)k;
        found += hit;
        rest += !hit;
    }
    g->far_count = found;
    g->rest_count = rest;
}

/* And then in the store. */
static inline void look_into_store(const lxm_cache *cache, group *g)
{
    lxm_cache_looks *looks = &g->looks;
    size_t rest = 0, length;
    for (size_t k = 0; k < g->rest_count; k++) {
        const uint8_t *token = token_of(g, looks->indices[g->rest[k]], &length);
        g->store_hashes[k] = lxm_cache_store_hash(cache, token, length, looks->hashes[g->rest[k]]);
        __builtin_prefetch(lxm_cache_slots(cache, g->store_hashes[k]));
    }
    for (size_t k = 0; k < g->rest_count; k++)
        lxm_cache_expect_record(cache, g->store_hashes[k]);
    for (size_t k = 0; k < g->rest_count; k++) {
        size_t i = looks->indices[g->rest[k]];
        const uint8_t *token = token_of(g, i, &length);
        const lxm_cache_record *record =
            lxm_cache_find_record(cache, token, length, g->store_hashes[k]);
        if (record) {
            looks->ids[i] = record->ids;
            looks->counts[i] = record->count;
        } else {
            g->rest[rest++] = g->rest[k];
        }
    }
    g->rest_count = rest;
}

/* What the model is to map: the tokens that nothing had, but for those that it doesn't see. */
static size_t gather_rest(lxm_mapper *m, group *g)
{
    size_t count = 0;
    uint32_t *ids = m->fresh;
    for (size_t k = 0; k < g->rest_count; k++) {
        size_t i = g->looks.indices[g->rest[k]], length;
        const uint8_t *token = token_of(g, i, &length);
        g->looks.ids[i] = ids;
        g->looks.counts[i] = length > 0;
        *ids = lxm_vocab_find_outside(m->vocab, token, length);
        g->lasts[k] = *ids == LXM_NO_ID;
        g->indices[count] = (uint32_t)i;
        g->mappings[count] =
            (lxm_mapping){.token = token, .length = length, .ids = ids, .scratch = &m->scratch};
        count += length > 0 && (g->tokens->plain || g->lasts[k]);
        ids += length + 1;
    }
    return count;
}

/* And has the model map what nothing had. */
static lxm_status map_rest(lxm_mapper *m, group *g, lxm_error *error)
{
    size_t room = slack, failed = 0;
    for (size_t k = 0; k < g->rest_count; k++) {
        size_t length;
        token_of(g, g->looks.indices[g->rest[k]], &length);
        room += length + 1;
    }
    if (!grow(&m->allocator, &m->fresh, &m->fresh_capacity, room, sizeof *m->fresh))
        return lxm_fail_memory(error);
    size_t count = gather_rest(m, g);
    lxm_status status = map_all(m->vocab, g->mappings, count, &failed, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = g->first + g->indices[failed];
    for (size_t k = 0; k < count; k++)
        g->looks.counts[g->indices[k]] = (uint32_t)g->mappings[k].count;
    return status;
}

static inline bool copy_ids(lxm_mapper *m, const group *g)
{
    size_t room = slack;
    for (size_t i = 0; i < g->count; i++)
        room += g->looks.counts[i];
    if (!reserve_ids(m, room))
        return false;
    uint32_t *out = m->ids + m->count;
    for (size_t i = 0; i < g->count; i++) {
        size_t count = g->looks.counts[i];
        memcpy(out, g->looks.ids[i], slack * sizeof *out);
        for (size_t k = slack; __builtin_expect(k < count, 0); k += slack)
            memcpy(out + k, g->looks.ids[i] + k, slack * sizeof *out);
        out += count;
    }
    m->count = (size_t)(out - m->ids);
    return true;
}

/* Says where the ids of a group stand, of which the first is the mapper's `at`. */
static bool place_group(lxm_mapper *m, const group *g, size_t at)
{
    for (size_t i = 0; i < g->count; i++) {
        size_t length;
        token_of(g, i, &length);
        uint32_t whole = (uint32_t)length;
        if (!place(m, at, g->looks.counts[i], length, g->tokens->offsets + 2 * (g->first + i),
                   g->looks.counts[i] == 1 ? &whole : NULL))
            return false;
        at += g->looks.counts[i];
    }
    return true;
}

/* Documents that end before token `to`; ids[i] ids stand before token `from` + i. */
static void end_documents(lxm_mapper *m, const uint32_t *ids, size_t from, size_t to)
{
    for (; m->document_count && *m->documents < to; m->document_count--, m->documents++)
        *m->documents = ids[*m->documents - from];
}

static void end_documents_of(lxm_mapper *m, const group *g, size_t at)
{
    uint32_t before[batch];
    for (size_t i = 0; i < g->count; i++) {
        before[i] = (uint32_t)at;
        at += g->looks.counts[i];
    }
    end_documents(m, before, g->first, g->first + g->count);
}

/* Keeps what is new, and some of what was found far away nearer: what comes often comes there all
 * the same. */
static inline void settle(lxm_mapper *m, const group *g)
{
    for (size_t k = 0; k < g->far_count; k += promoted) {
        const lxm_cache_key key = key_of(g, g->far[k]);
        lxm_cache_promote(&m->cache, &key, g->looks.hashes[g->far[k]]);
    }
    for (size_t k = 0; k < g->rest_count; k++) {
        const lxm_cache_key key = key_of(g, g->rest[k]);
        size_t i = g->looks.indices[g->rest[k]], length;
        const uint8_t *token = token_of(g, i, &length);
        if (g->lasts[k])
            lxm_cache_put(&m->cache, token, length, &key, g->looks.hashes[g->rest[k]],
                          g->looks.ids[i], g->looks.counts[i]);
    }
}

static lxm_status map_group(lxm_mapper *m, group *g, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t at = m->count;
    lxm_cache_look_near(&m->cache, g->tokens, g->first, g->count, &g->looks);
    look_far(&m->cache, g);
    look_into_store(&m->cache, g);
    if (g->rest_count)
        status = map_rest(m, g, error);
    if (status)
        return status;
    if (!copy_ids(m, g) || (g->tokens->offsets && !place_group(m, g, at)))
        return lxm_fail_memory(error);
    if (m->document_count)
        end_documents_of(m, g, at);
    settle(m, g);
    return LXM_OK;
}

static lxm_status map_cached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    group *g = m->group;
    g->tokens = tokens;
    for (size_t i = 0; !status && i < tokens->count; i += batch) {
        size_t left = tokens->count - i;
        g->first = i;
        g->count = left < batch ? left : batch;
        status = map_group(m, g, error);
    }
    return status;
}

static lxm_status map_uncached(lxm_mapper *m, const lxm_tokens *tokens, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < tokens->count; i++) {
        uint32_t before = (uint32_t)m->count;
        end_documents(m, &before, i, i + 1);
        status = map_token(m, tokens, i, error);
    }
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
    bool cached = m->group && (!tokens->offsets || m->vocab->exact);
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

lxm_status lxm_mapper_map_documents(lxm_mapper *mapper, const lxm_tokens *tokens, uint32_t *ends,
                                    size_t count, lxm_ids *ids, lxm_error *error)
{
    if (!mapper->vocab->model->map) /* an id a token */
        return lxm_mapper_map(mapper, tokens, ids, error);
    mapper->documents = ends;
    mapper->document_count = count;
    lxm_status status = lxm_mapper_map(mapper, tokens, ids, error);
    while (mapper->document_count)
        mapper->documents[--mapper->document_count] = (uint32_t)mapper->count;
    return status;
}
