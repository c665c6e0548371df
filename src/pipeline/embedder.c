/* text -> vectors in memory. */
#include "base/error.h"
#include "embed/pooling.h"
#include "embed/table.h"
#include "lexmill/pipeline.h"
#include "pipeline/token_end.h"
#include "tokenize/joined.h"
#include "tokenize/segmenter.h"

enum { enough = 16384 }; /* bytes of ids and document ends that wait for their rows */

struct lxm_embedder {
    lxm_allocator allocator;
    lxm_segmenter *segmenter;
    lxm_joined *joined; /* short texts, where there are several; or NULL */
    lxm_mapper *mapper;
    lxm_token_end end;
    lxm_formatter ids; /* and where documents end */
    bool waits;        /* tokens gain by it, where there are several texts */
    bool joins;        /* there are */
    const lxm_table *table;
    lxm_pool_options how;
    lxm_pooling pooling;
};

static lxm_status texts_found(void *context, const lxm_tokens *tokens, uint32_t *ends, size_t count,
                              lxm_error *error)
{
    return lxm_token_end_documents(&((lxm_embedder *)context)->end, tokens, ends, count, error);
}

static lxm_status make(lxm_embedder *e, const lxm_tokenizer *tokenizer, const lxm_vocab *vocab,
                       lxm_error *error)
{
    static const lxm_id_sink none;
    const lxm_stream_options stream = {.sink = &none}; /* ids stay as they are */
    lxm_formatter_init(&e->ids, &stream, &e->allocator);
    e->end = (lxm_token_end){.formatter = &e->ids, .vocab = vocab};
    lxm_token_end_batch(&e->end, &e->allocator);
    e->waits = e->end.batch.wanted;
    lxm_token_sink sink = lxm_token_end_sink(&e->end);
    lxm_status status = lxm_segmenter_new(&e->segmenter, tokenizer, &sink, &e->allocator, error);
    if (!status)
        status = lxm_joined_new(&e->joined, tokenizer, texts_found, e, &e->allocator, error);
    if (!status)
        status = lxm_mapper_new(&e->mapper, vocab, NULL, &e->allocator, error);
    if (!status && !lxm_pooling_init(&e->pooling, lxm_table_dim(e->table), &e->allocator))
        status = lxm_fail_memory(error);
    e->end.mapper = e->mapper;
    return status;
}

lxm_status lxm_embedder_new(lxm_embedder **out, const lxm_tokenizer *tokenizer,
                            const lxm_vocab *vocab, const lxm_table *table,
                            const lxm_pool_options *pool, const lxm_allocator *allocator,
                            lxm_error *error)
{
    static const lxm_pool_options mean = {.kind = LXM_POOL_MEAN};
    const lxm_pool_options *how = pool ? pool : &mean;
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_status status = lxm_pool_options_check(how, error);
    if (!status && how->kind == LXM_POOL_NONE)
        status = lxm_fail(error, LXM_ERROR_ARGUMENT, "one vector of a text needs a way to pool");
    if (status)
        return status;
    lxm_embedder *embedder = lxm_new(&a, sizeof *embedder);
    if (!embedder)
        return lxm_fail_memory(error);
    embedder->allocator = a;
    embedder->table = table;
    embedder->how = *how;
    status = make(embedder, tokenizer, vocab, error);
    if (status) {
        lxm_embedder_free(embedder);
        return status;
    }
    *out = embedder;
    return LXM_OK;
}

void lxm_embedder_free(lxm_embedder *embedder)
{
    if (!embedder)
        return;
    lxm_allocator a = embedder->allocator;
    lxm_segmenter_free(embedder->segmenter);
    lxm_joined_free(embedder->joined);
    lxm_mapper_free(embedder->mapper);
    lxm_token_end_free(&embedder->end);
    lxm_formatter_free(&embedder->ids);
    lxm_pooling_free(&embedder->pooling, &a);
    lxm_release(&a, embedder);
}

/* ---- vectors of ids ---- */

static void forget(lxm_embedder *e)
{
    e->ids.out.length = e->ids.documents.length = 0;
    lxm_token_end_clear(&e->end);
    if (e->joined)
        lxm_joined_clear(e->joined);
    e->end.inside = false;
}

static lxm_status check_ids(const lxm_embedder *e, const uint32_t *ids, size_t count,
                            lxm_error *error)
{
    uint64_t limit = lxm_pool_limit(&e->how, e->table);
    size_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad += ids[i] >= limit;
    for (size_t i = 0; bad && i < count; i++)
        if (ids[i] >= limit)
            return lxm_fail(error, LXM_ERROR_ID, "id %u has no row, or no weight: there are %llu",
                            ids[i], (unsigned long long)limit);
    return LXM_OK;
}

static lxm_status pool_one(lxm_embedder *e, const uint32_t *ids, size_t count, size_t known,
                           float *vector, lxm_error *error)
{
    size_t most = e->how.most_ids;
    count = most && most < count ? most : count;
    lxm_status status = check_ids(e, ids, count, error);
    if (status)
        return status;
    lxm_pooling_add(&e->pooling, &e->how, e->table, ids, count, known);
    lxm_pooling_end(&e->pooling, &e->how, e->table->dim, vector);
    return LXM_OK;
}

/* The vectors of all documents that wait; *vectors is moved behind them. */
static lxm_status pool(lxm_embedder *e, float **vectors, lxm_error *error)
{
    lxm_status status = e->joined ? lxm_joined_flush(e->joined, error) : LXM_OK;
    if (!status)
        status = lxm_token_end_flush(&e->end, error);
    const uint32_t *ids = (const uint32_t *)(const void *)e->ids.out.data;
    const size_t *ends = (const size_t *)(const void *)e->ids.documents.data;
    size_t documents = e->ids.documents.length / sizeof *ends;
    size_t all = e->ids.out.length / sizeof *ids, from = 0;
    for (size_t i = 0; !status && i < documents; from = ends[i++]) {
        status = pool_one(e, ids + from, ends[i] - from, all - from, *vectors, error);
        *vectors += status ? 0 : e->table->dim;
    }
    e->ids.out.length = e->ids.documents.length = 0;
    return status;
}

/* ---- texts ---- */

static lxm_status push(lxm_embedder *e, const lxm_text *text, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (e->joined && e->joins && lxm_joined_can(e->joined, text->bytes, text->length))
        return lxm_joined_add(e->joined, text->bytes, text->length, error);
    if (e->joined)
        status = lxm_joined_flush(e->joined, error);
    if (!status)
        status = lxm_segmenter_push(e->segmenter, text->bytes, text->length, error);
    return status ? status : lxm_segmenter_end_document(e->segmenter, error);
}

/* The waiting tokens of several texts go on together; *vectors are those that are done. */
static lxm_status embed(lxm_embedder *e, const lxm_text *texts, size_t count, float **vectors,
                        lxm_error *error)
{
    lxm_status status = LXM_OK;
    e->joins = count > 1;
    e->end.batch.wanted = e->waits && e->joins;
    for (size_t i = 0; !status && i < count; i++) {
        status = push(e, &texts[i], error);
        if (!status && e->ids.out.length + e->ids.documents.length >= enough)
            status = pool(e, vectors, error);
    }
    if (!status)
        status = pool(e, vectors, error);
    if (status) {
        lxm_segmenter_reset(e->segmenter);
        forget(e);
    }
    return status;
}

lxm_status lxm_embedder_embed(lxm_embedder *embedder, const void *text, size_t length,
                              float *vector, lxm_error *error)
{
    const lxm_text one = {text, length};
    return embed(embedder, &one, 1, &vector, error);
}

lxm_status lxm_embedder_embed_all(lxm_embedder *embedder, const lxm_text *texts, size_t count,
                                  float *vectors, size_t *done, lxm_error *error)
{
    float *next = vectors;
    lxm_status status = embed(embedder, texts, count, &next, error);
    *done = (size_t)(next - vectors) / embedder->table->dim;
    if (!status || status == LXM_ERROR_MEMORY)
        return status;
    do /* each alone, for the one at fault to show itself */
        status = embed(embedder, &texts[*done], 1, &next, error);
    while (!status && ++*done < count);
    return status;
}
