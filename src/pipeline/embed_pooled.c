#include "pipeline/embed_pooled.h"

#include "base/error.h"
#include "base/pool.h"
#include "embed/dtype.h"
#include "embed/finite.h"
#include "embed/pooling.h"

/* Ids and documents a piece: the same whatever came before in other pieces. */
enum { most_ids = 8192, most_values = 65536 };

typedef struct piece {
    const lxm_pooled *owner;
    uint32_t *ids;
    size_t *ends; /* of documents, as indices of ids */
    float *vectors;
    size_t count, documents;
    bool goes_on;      /* the first document began in a piece before */
    lxm_pooling first; /* what that came to here */
    lxm_pooling open;  /* what goes on in the next piece */
} piece;

struct lxm_pooled {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    const lxm_vectors_format *format;
    lxm_vector_sink *sink;
    lxm_embed_result *result;
    size_t dim, most_documents, unit;
    uint64_t border, written;
    bool open;       /* ids of a document were pushed, and it hasn't ended */
    uint64_t pushed; /* ids of that document */
    lxm_pool *pool;
    piece *ring;
    size_t ring_size, next;
    lxm_pooling carried; /* the document that goes on through pieces */
    float *vector;
    lxm_buffer held, bytes;
};

static void pool_piece(void *job)
{
    piece *p = job;
    const lxm_pooled *owner = p->owner;
    const lxm_table *table = owner->options->table;
    const lxm_pool_options *how = &owner->options->pool;
    size_t at = 0;
    p->first.count = p->open.count = 0;
    for (size_t d = 0; d < p->documents; at = p->ends[d++]) {
        bool begun = d == 0 && p->goes_on;
        lxm_pooling *pooling = begun ? &p->first : &p->open;
        lxm_pooling_add(pooling, how, table, p->ids + at, p->ends[d] - at, p->count - at);
        if (!begun)
            lxm_pooling_end(pooling, how, owner->dim, p->vectors + d * owner->dim);
    }
    lxm_pooling_add(&p->open, how, table, p->ids + at, p->count - at, p->count - at);
}

static lxm_status make_piece(lxm_pooled *pooled, piece *p, lxm_error *error)
{
    const lxm_allocator *a = &pooled->allocator;
    size_t values;
    *p = (piece){.owner = pooled};
    bool done = lxm_multiply(pooled->most_documents, pooled->dim, &values);
    done = done && (p->ids = lxm_allocate(a, most_ids, sizeof *p->ids));
    done = done && (p->ends = lxm_allocate(a, pooled->most_documents, sizeof *p->ends));
    done = done && (p->vectors = lxm_allocate(a, values, sizeof *p->vectors));
    done = done && lxm_pooling_init(&p->first, pooled->dim, a);
    done = done && lxm_pooling_init(&p->open, pooled->dim, a);
    return done ? LXM_OK : lxm_fail_memory(error);
}

static void release_piece(const lxm_pooled *pooled, piece *p)
{
    lxm_release(&pooled->allocator, p->ids);
    lxm_release(&pooled->allocator, p->ends);
    lxm_release(&pooled->allocator, p->vectors);
    lxm_pooling_free(&p->first, &pooled->allocator);
    lxm_pooling_free(&p->open, &pooled->allocator);
}

void lxm_pooled_free(lxm_pooled *pooled)
{
    if (!pooled)
        return;
    lxm_pool_free(pooled->pool);
    for (size_t i = 0; pooled->ring && i < pooled->ring_size; i++)
        release_piece(pooled, &pooled->ring[i]);
    lxm_release(&pooled->allocator, pooled->ring);
    lxm_release(&pooled->allocator, pooled->vector);
    lxm_pooling_free(&pooled->carried, &pooled->allocator);
    lxm_buffer_free(&pooled->held);
    lxm_buffer_free(&pooled->bytes);
    lxm_allocator a = pooled->allocator;
    lxm_release(&a, pooled);
}

static lxm_status make_parts(lxm_pooled *pooled, unsigned threads, lxm_error *error)
{
    const lxm_allocator *a = &pooled->allocator;
    lxm_status status = lxm_pool_new(&pooled->pool, threads, pool_piece, a, error);
    if (status)
        return status;
    pooled->ring_size = lxm_pool_window(pooled->pool) + 1;
    pooled->ring = lxm_allocate(a, pooled->ring_size, sizeof *pooled->ring);
    pooled->vector = lxm_allocate(a, pooled->dim, sizeof *pooled->vector);
    if (pooled->ring)
        memset(pooled->ring, 0, pooled->ring_size * sizeof *pooled->ring);
    if (!pooled->ring || !pooled->vector || !lxm_pooling_init(&pooled->carried, pooled->dim, a))
        return lxm_fail_memory(error);
    for (size_t i = 0; !status && i < pooled->ring_size; i++)
        status = make_piece(pooled, &pooled->ring[i], error);
    return status;
}

lxm_status lxm_pooled_new(lxm_pooled **out, const lxm_embed_options *options, size_t unit,
                          uint64_t border, lxm_vector_sink *sink, lxm_embed_result *result,
                          const lxm_job *job, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(job->allocator);
    lxm_pooled *pooled = lxm_new(&a, sizeof *pooled);
    if (!pooled)
        return lxm_fail_memory(error);
    *pooled = (lxm_pooled){.allocator = a,
                           .options = options,
                           .format = lxm_vector_sink_format(options->format),
                           .sink = sink,
                           .result = result,
                           .dim = lxm_table_dim(options->table),
                           .unit = unit,
                           .border = border};
    lxm_buffer_init(&pooled->held, &a);
    lxm_buffer_init(&pooled->bytes, &a);
    pooled->most_documents = most_values / pooled->dim + 1;
    lxm_status status = make_parts(pooled, job->threads, error);
    if (status)
        lxm_pooled_free(pooled);
    else
        *out = pooled;
    return status;
}

/* Writes vectors in the type, or as the text, that is wanted. */
static lxm_status write_vectors(lxm_pooled *pooled, const float *vectors, size_t count,
                                size_t batch, lxm_error *error)
{
    lxm_dtype dtype = pooled->options->dtype;
    size_t values = count * pooled->dim, size = values * lxm_dtype_size(dtype);
    lxm_vectors_piece done = {.count = count, .bytes = vectors, .length = size, .batch = batch};
    pooled->bytes.length = 0;
    if (pooled->format->encode) {
        if (!pooled->format->encode(&pooled->bytes, vectors, count, pooled->dim))
            return lxm_fail_memory(error);
        done.length = pooled->bytes.length;
        done.bytes = pooled->bytes.data;
    } else if (dtype != LXM_DTYPE_F32) {
        if (!lxm_buffer_reserve(&pooled->bytes, size))
            return lxm_fail_memory(error);
        lxm_dtype_narrow(dtype)(vectors, values, pooled->bytes.data);
        done.bytes = pooled->bytes.data;
    }
    pooled->written += count;
    pooled->result->rows += count;
    pooled->result->not_finite += lxm_rows_not_finite(vectors, count, pooled->dim, dtype);
    return lxm_vector_sink_add(pooled->sink, &done, error);
}

/* Holds vectors until there are enough of them. */
static lxm_status hold(lxm_pooled *pooled, const float *vectors, size_t count, lxm_error *error)
{
    size_t row = pooled->dim * sizeof *vectors;
    lxm_status status = LXM_OK;
    while (!status && count > 0) {
        size_t room = pooled->unit - pooled->held.length / row, n = count < room ? count : room;
        if (!lxm_buffer_append(&pooled->held, vectors, n * row))
            return lxm_fail_memory(error);
        vectors += n * pooled->dim;
        count -= n;
        if (n < room)
            break;
        status = write_vectors(pooled, (const float *)(const void *)pooled->held.data, pooled->unit,
                               pooled->unit, error);
        pooled->held.length = 0;
    }
    return status;
}

static lxm_status emit(lxm_pooled *pooled, const float *vectors, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (pooled->unit)
        return hold(pooled, vectors, count, error);
    while (!status && count > 0) {
        size_t n = count;
        if (pooled->border && n > pooled->border - pooled->written % pooled->border)
            n = (size_t)(pooled->border - pooled->written % pooled->border);
        status = write_vectors(pooled, vectors, n, (size_t)pooled->border, error);
        vectors += n * pooled->dim;
        count -= n;
    }
    return status;
}

/* Takes the oldest piece that is under way. */
static lxm_status write_oldest(lxm_pooled *pooled, lxm_error *error)
{
    const piece *p = lxm_pool_take(pooled->pool);
    const lxm_pool_options *how = &pooled->options->pool;
    lxm_status status = LXM_OK;
    size_t begun = p->goes_on && p->documents > 0;
    if (begun) {
        lxm_pooling_merge(&pooled->carried, how->kind, pooled->dim, &p->first);
        lxm_pooling_end(&pooled->carried, how, pooled->dim, pooled->vector);
        status = emit(pooled, pooled->vector, 1, error);
    }
    if (!status)
        status = emit(pooled, p->vectors + begun * pooled->dim, p->documents - begun, error);
    lxm_pooling_merge(&pooled->carried, how->kind, pooled->dim, &p->open);
    return status;
}

static lxm_status submit(lxm_pooled *pooled, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (lxm_pool_pending(pooled->pool) == lxm_pool_window(pooled->pool))
        status = write_oldest(pooled, error);
    if (status)
        return status;
    lxm_pool_submit(pooled->pool, &pooled->ring[pooled->next]);
    pooled->next = (pooled->next + 1) % pooled->ring_size;
    piece *p = &pooled->ring[pooled->next];
    p->count = p->documents = 0;
    p->goes_on = pooled->open;
    return LXM_OK;
}

lxm_status lxm_pooled_push(lxm_pooled *pooled, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t most = pooled->options->pool.most_ids;
    if (most && count > most - pooled->pushed)
        count = (size_t)(most - pooled->pushed);
    pooled->pushed += count;
    while (!status && count > 0) {
        piece *p = &pooled->ring[pooled->next];
        size_t n = most_ids - p->count < count ? most_ids - p->count : count;
        memcpy(p->ids + p->count, ids, n * sizeof *ids);
        p->count += n;
        ids += n;
        count -= n;
        pooled->open = true;
        if (p->count == most_ids)
            status = submit(pooled, error);
    }
    return status;
}

lxm_status lxm_pooled_end_document(lxm_pooled *pooled, lxm_error *error)
{
    piece *p = &pooled->ring[pooled->next];
    p->ends[p->documents++] = p->count;
    pooled->open = false;
    pooled->pushed = 0;
    return p->documents == pooled->most_documents ? submit(pooled, error) : LXM_OK;
}

lxm_status lxm_pooled_finish(lxm_pooled *pooled, lxm_error *error)
{
    size_t row = pooled->dim * sizeof(float);
    lxm_status status = submit(pooled, error);
    while (!status && lxm_pool_pending(pooled->pool))
        status = write_oldest(pooled, error);
    size_t left = pooled->held.length / row;
    if (status || left == 0)
        return status;
    if (pooled->options->drop_last) {
        pooled->result->dropped += left;
        return LXM_OK;
    }
    return write_vectors(pooled, (const float *)(const void *)pooled->held.data, left, left, error);
}
