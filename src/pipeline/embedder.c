/* text -> one vector in memory. */
#include "base/error.h"
#include "embed/pooling.h"
#include "embed/table.h"
#include "lexmill/pipeline.h"

struct lxm_embedder {
    lxm_allocator allocator;
    lxm_encoder *encoder;
    const lxm_table *table;
    lxm_pool_options how;
    lxm_pooling pooling;
};

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
    status = lxm_encoder_new(&embedder->encoder, tokenizer, vocab, NULL, &a, error);
    if (!status && !lxm_pooling_init(&embedder->pooling, lxm_table_dim(table), &a))
        status = lxm_fail_memory(error);
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
    lxm_encoder_free(embedder->encoder);
    lxm_pooling_free(&embedder->pooling, &a);
    lxm_release(&a, embedder);
}

lxm_status lxm_embedder_embed(lxm_embedder *embedder, const void *text, size_t length,
                              float *vector, lxm_error *error)
{
    const lxm_pool_options *how = &embedder->how;
    uint64_t limit = lxm_pool_limit(how, embedder->table);
    lxm_ids ids;
    lxm_status status = lxm_encoder_encode(embedder->encoder, text, length, &ids, error);
    if (status)
        return status;
    size_t count = how->most_ids && how->most_ids < ids.count ? how->most_ids : ids.count;
    for (size_t i = 0; i < count; i++)
        if (ids.ids[i] >= limit)
            return lxm_fail(error, LXM_ERROR_ID, "id %u has no row, or no weight: there are %llu",
                            ids.ids[i], (unsigned long long)limit);
    lxm_pooling_add(&embedder->pooling, how, embedder->table, ids.ids, count, count);
    lxm_pooling_end(&embedder->pooling, how, lxm_table_dim(embedder->table), vector);
    return LXM_OK;
}
