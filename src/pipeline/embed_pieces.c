#include "pipeline/embed_pieces.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/pool.h"
#include "embed/dtype.h"
#include "embed/finite.h"
#include "embed/project.h"
#include "embed/table.h"

enum { piece_bytes = 1024 * 1024, most_rows = 8192 };

typedef struct piece {
    const lxm_pieces *owner;
    uint32_t *inputs, *targets;
    uint8_t *mask;
    int32_t *documents;
    float *values;   /* NULL: ids alone */
    uint8_t *narrow; /* the values in fewer bits, */
    float *scales;   /* and what int8 takes */
    lxm_buffer text; /* where the format has one */
    size_t count;
    size_t not_finite;
    size_t place; /* of the first row in its window */
    size_t batch; /* as lxm_vectors_piece */
    bool old;     /* its vectors are written already */
    lxm_status status;
    lxm_error error;
} piece;

struct lxm_pieces {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    const lxm_vectors_format *format;
    lxm_narrow *narrow; /* NULL: floats, or int8 */
    lxm_vector_sink *sink;
    size_t context;
    size_t batch;        /* rows (places) of one */
    size_t in_batch;     /* rows of it that are in pieces */
    uint64_t old;        /* rows still to come that were written by a run before */
    bool doubtful;       /* rows may hold numbers that aren't finite, */
    atomic_uchar *rows;  /* what is known of each of the table's; NULL: nothing, they change */
    uint64_t not_finite; /* and so many did */
    size_t capacity;
    lxm_pool *pool;
    piece *ring; /* one more than the pool's window: the one that is being filled */
    size_t ring_size, next;
};

/* The values in the type that is written. */
static void narrow_values(piece *p)
{
    lxm_dtype dtype = p->owner->options->dtype;
    size_t dim = lxm_table_dim(p->owner->options->table);
    if (dtype != LXM_DTYPE_I8)
        p->owner->narrow(p->values, p->count * dim, p->narrow);
    else
        for (size_t i = 0; i < p->count; i++)
            p->scales[i] = lxm_dtype_quantise(p->values + i * dim, dim, p->narrow + i * dim);
}

enum { unknown, finite, not_finite };

/* Each row of the table is looked through once, when it is first met. */
static size_t count_not_finite(const piece *p)
{
    const lxm_embed_options *options = p->owner->options;
    size_t dim = lxm_table_dim(options->table), found = 0;
    if (!p->owner->rows)
        return lxm_rows_not_finite(p->values, p->count, dim, options->dtype);
    for (size_t i = 0; i < p->count; i++) {
        if (p->mask && !p->mask[i])
            continue;
        atomic_uchar *row = &p->owner->rows[p->inputs[i]];
        unsigned char known = atomic_load_explicit(row, memory_order_relaxed);
        if (known == unknown) {
            bool bad = lxm_rows_not_finite(p->values + i * dim, 1, dim, options->dtype) > 0;
            known = bad ? not_finite : finite;
            atomic_store_explicit(row, known, memory_order_relaxed);
        }
        found += known == not_finite;
    }
    return found;
}

static void project(void *job)
{
    piece *p = job;
    const lxm_embed_options *options = p->owner->options;
    size_t dim = lxm_table_dim(options->table);
    p->status = LXM_OK;
    p->not_finite = 0;
    if (!p->values || p->old)
        return;
    p->status = lxm_project_piece(options->table, options->positions, p->inputs, p->mask, p->count,
                                  p->place, p->owner->context, p->values, &p->error);
    p->text.length = 0;
    if (!p->status && p->owner->doubtful)
        p->not_finite = count_not_finite(p);
    if (!p->status && p->narrow)
        narrow_values(p);
    if (!p->status && p->owner->format->encode &&
        !p->owner->format->encode(&p->text, p->values, p->count, dim))
        p->status = lxm_fail_memory(&p->error);
}

static void release_piece(lxm_pieces *pieces, piece *p)
{
    lxm_release(&pieces->allocator, p->inputs);
    lxm_release(&pieces->allocator, p->targets);
    lxm_release(&pieces->allocator, p->mask);
    lxm_release(&pieces->allocator, p->documents);
    lxm_release(&pieces->allocator, p->values);
    lxm_release(&pieces->allocator, p->narrow);
    lxm_release(&pieces->allocator, p->scales);
    lxm_buffer_free(&p->text);
}

void lxm_pieces_free(lxm_pieces *pieces)
{
    if (!pieces)
        return;
    lxm_pool_free(pieces->pool);
    for (size_t i = 0; pieces->ring && i < pieces->ring_size; i++)
        release_piece(pieces, &pieces->ring[i]);
    lxm_release(&pieces->allocator, pieces->ring);
    lxm_allocator a = pieces->allocator;
    lxm_release(&a, pieces->rows);
    lxm_release(&a, pieces);
}

static lxm_status make_piece(lxm_pieces *pieces, piece *p, lxm_error *error)
{
    const lxm_allocator *a = &pieces->allocator;
    const lxm_window_options *window = &pieces->options->window;
    size_t rows = pieces->capacity, dim = lxm_table_dim(pieces->options->table), values = 0;
    *p = (piece){.owner = pieces};
    lxm_buffer_init(&p->text, a);
    bool fits = lxm_multiply(rows, dim, &values);
    p->inputs = lxm_allocate(a, rows, sizeof *p->inputs);
    if (fits && !pieces->options->ids_only)
        p->values = lxm_allocate(a, values, sizeof *p->values);
    bool done = p->inputs && (p->values || pieces->options->ids_only);
    if (done && window->targets)
        done = (p->targets = lxm_allocate(a, rows, sizeof *p->targets)) != NULL;
    if (done && window->pad)
        done = (p->mask = lxm_allocate(a, rows, sizeof *p->mask)) != NULL;
    if (done && window->pack)
        done = (p->documents = lxm_allocate(a, rows, sizeof *p->documents)) != NULL;
    if (done && p->values && pieces->options->dtype != LXM_DTYPE_F32)
        done =
            (p->narrow = lxm_allocate(a, values, lxm_dtype_size(pieces->options->dtype))) != NULL;
    if (done && pieces->options->dtype == LXM_DTYPE_I8)
        done = (p->scales = lxm_allocate(a, rows, sizeof *p->scales)) != NULL;
    return done ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status make_ring(lxm_pieces *pieces, lxm_error *error)
{
    pieces->ring_size = lxm_pool_window(pieces->pool) + 1;
    pieces->ring = lxm_allocate(&pieces->allocator, pieces->ring_size, sizeof *pieces->ring);
    if (!pieces->ring)
        return lxm_fail_memory(error);
    memset(pieces->ring, 0, pieces->ring_size * sizeof *pieces->ring);
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < pieces->ring_size; i++)
        status = make_piece(pieces, &pieces->ring[i], error);
    return status;
}

lxm_status lxm_pieces_new(lxm_pieces **out, const lxm_embed_options *options, size_t context,
                          size_t batch, lxm_vector_sink *sink, const lxm_job *job, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(job->allocator);
    lxm_pieces *pieces = lxm_new(&a, sizeof *pieces);
    if (!pieces)
        return lxm_fail_memory(error);
    *pieces = (lxm_pieces){.allocator = a, .options = options, .sink = sink, .context = context};
    pieces->format = lxm_vector_sink_format(options->format);
    pieces->doubtful = lxm_table_is_doubtful(options->table);
    pieces->narrow = lxm_dtype_narrow(options->dtype);
    size_t rows = piece_bytes / sizeof(float) / lxm_table_dim(options->table);
    pieces->capacity = rows < 1 ? 1 : rows > most_rows ? most_rows : rows;
    if (sink->shards)
        pieces->old = lxm_shards_old_rows(sink->shards) * context;
    lxm_status status = LXM_OK;
    if (pieces->doubtful && !options->positions &&
        !(pieces->rows = lxm_new(&a, lxm_table_rows(options->table))))
        status = lxm_fail_memory(error);
    if (!status && !lxm_multiply(batch, context, &pieces->batch))
        status = lxm_fail(error, LXM_ERROR_LIMIT, "the batch is too large");
    if (!status)
        status = lxm_pool_new(&pieces->pool, job->threads, project, &a, error);
    if (!status)
        status = make_ring(pieces, error);
    if (status)
        lxm_pieces_free(pieces);
    else
        *out = pieces;
    return status;
}

size_t lxm_pieces_capacity(const lxm_pieces *pieces)
{
    return pieces->capacity;
}

/* Writes the oldest piece that is under way. */
static lxm_status write_oldest(lxm_pieces *pieces, lxm_error *error)
{
    piece *p = lxm_pool_take(pieces->pool);
    if (p->status) {
        if (error)
            *error = p->error;
        return p->status;
    }
    pieces->not_finite += p->not_finite;
    lxm_vectors_piece done = {.count = p->count,
                              .inputs = p->inputs,
                              .targets = p->targets,
                              .mask = p->mask,
                              .documents = p->documents,
                              .scales = p->scales,
                              .batch = p->batch};
    size_t number = lxm_dtype_size(pieces->options->dtype);
    if (pieces->format->encode)
        done.bytes = p->text.data;
    else
        done.bytes = p->narrow ? (const void *)p->narrow : p->values;
    done.length = pieces->format->encode
                      ? p->text.length
                      : p->count * lxm_table_dim(pieces->options->table) * number;
    return lxm_vector_sink_add(pieces->sink, &done, error);
}

static lxm_status submit(lxm_pieces *pieces, lxm_error *error)
{
    lxm_status status = LXM_OK;
    piece *p = &pieces->ring[pieces->next];
    if (p->count == 0)
        return LXM_OK;
    if (lxm_pool_pending(pieces->pool) == lxm_pool_window(pieces->pool))
        status = write_oldest(pieces, error);
    if (status)
        return status;
    p->old = pieces->old >= p->count;
    pieces->old -= p->old ? p->count : 0;
    lxm_pool_submit(pieces->pool, p);
    pieces->next = (pieces->next + 1) % pieces->ring_size;
    pieces->ring[pieces->next].count = 0;
    return LXM_OK;
}

static void append(piece *p, const lxm_window_batch *batch, size_t at, size_t count)
{
    memcpy(p->inputs + p->count, batch->inputs + at, count * sizeof *p->inputs);
    if (p->targets)
        memcpy(p->targets + p->count, batch->targets + at, count * sizeof *p->targets);
    if (p->mask)
        memcpy(p->mask + p->count, batch->mask + at, count);
    if (p->documents)
        memcpy(p->documents + p->count, batch->documents + at, count * sizeof *p->documents);
    p->count += count;
}

lxm_status lxm_pieces_add(lxm_pieces *pieces, const lxm_window_batch *batch, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t total = batch->count * pieces->context;
    for (size_t at = 0; !status && at < total;) {
        piece *p = &pieces->ring[pieces->next];
        if (p->count == 0) {
            p->place = at % pieces->context;
            p->batch = pieces->in_batch ? 0 : batch->count;
        }
        size_t n = pieces->capacity - p->count;
        n = n < total - at ? n : total - at;
        n = n < pieces->batch - pieces->in_batch ? n : pieces->batch - pieces->in_batch;
        append(p, batch, at, n);
        at += n;
        pieces->in_batch = (pieces->in_batch + n) % pieces->batch;
        if (p->count == pieces->capacity || pieces->in_batch == 0)
            status = submit(pieces, error);
    }
    return status;
}

lxm_status lxm_pieces_finish(lxm_pieces *pieces, lxm_error *error)
{
    lxm_status status = submit(pieces, error);
    while (!status && lxm_pool_pending(pieces->pool))
        status = write_oldest(pieces, error);
    return status;
}

uint64_t lxm_pieces_not_finite(const lxm_pieces *pieces)
{
    return pieces->not_finite;
}
