#include "pipeline/shuffle.h"

#include "base/error.h"
#include "embed/permute.h"

enum { spool_memory = 4 << 20 };

lxm_status lxm_shuffler_init(lxm_shuffler *shuffler, const lxm_embed_options *options,
                             const lxm_allocator *allocator, lxm_error *error)
{
    const lxm_window_options *window = &options->window;
    size_t place = sizeof(uint32_t) * (1u + window->targets + window->pack) + window->pad;
    *shuffler = (lxm_shuffler){.allocator = *allocator, .options = options};
    lxm_spool_init(&shuffler->spool, spool_memory, NULL, allocator);
    if (!lxm_multiply(place, window->context, &shuffler->record))
        return lxm_fail(error, LXM_ERROR_LIMIT, "a window is too large");
    return LXM_OK;
}

void lxm_shuffler_free(lxm_shuffler *shuffler)
{
    lxm_spool_free(&shuffler->spool);
}

lxm_status lxm_shuffler_add(void *context, const lxm_window_batch *batch, lxm_error *error)
{
    lxm_shuffler *s = context;
    size_t size = s->options->window.context, ids = size * sizeof(uint32_t);
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < batch->count; i++) {
        status = lxm_spool_write(&s->spool, batch->inputs + i * size, ids, error);
        if (!status && batch->targets)
            status = lxm_spool_write(&s->spool, batch->targets + i * size, ids, error);
        if (!status && batch->documents)
            status = lxm_spool_write(&s->spool, batch->documents + i * size, ids, error);
        if (!status && batch->mask)
            status = lxm_spool_write(&s->spool, batch->mask + i * size, size, error);
    }
    s->count += batch->count;
    return status;
}

/* Some windows side by side. */
typedef struct rows {
    lxm_allocator allocator;
    uint32_t *inputs, *targets;
    int32_t *documents;
    uint8_t *mask, *record;
} rows;

static void release_rows(rows *r)
{
    lxm_release(&r->allocator, r->inputs);
    lxm_release(&r->allocator, r->targets);
    lxm_release(&r->allocator, r->documents);
    lxm_release(&r->allocator, r->mask);
    lxm_release(&r->allocator, r->record);
}

static lxm_status make_rows(rows *r, const lxm_shuffler *s, size_t batch, lxm_error *error)
{
    const lxm_window_options *window = &s->options->window;
    size_t places = 0;
    *r = (rows){.allocator = s->allocator};
    bool done = lxm_multiply(batch, window->context, &places) &&
                (r->inputs = lxm_allocate(&s->allocator, places, sizeof *r->inputs)) &&
                (r->record = lxm_allocate(&s->allocator, s->record, 1));
    if (done && window->targets)
        done = (r->targets = lxm_allocate(&s->allocator, places, sizeof *r->targets)) != NULL;
    if (done && window->pack)
        done = (r->documents = lxm_allocate(&s->allocator, places, sizeof *r->documents)) != NULL;
    if (done && window->pad)
        done = (r->mask = lxm_allocate(&s->allocator, places, 1)) != NULL;
    return done ? LXM_OK : lxm_fail_memory(error);
}

/* Puts a record in row `at`. */
static void put_row(const rows *r, size_t at, size_t context)
{
    const uint8_t *from = r->record;
    size_t ids = context * sizeof *r->inputs;
    memcpy(r->inputs + at * context, from, ids);
    from += ids;
    if (r->targets) {
        memcpy(r->targets + at * context, from, ids);
        from += ids;
    }
    if (r->documents) {
        memcpy(r->documents + at * context, from, ids);
        from += ids;
    }
    if (r->mask)
        memcpy(r->mask + at * context, from, context);
}

static lxm_status make_order(const lxm_shuffler *s, uint32_t **order, lxm_error *error)
{
    *order = NULL;
    if (s->options->shuffle != LXM_SHUFFLE_TORCH)
        return LXM_OK;
    if (s->count > UINT32_MAX)
        return lxm_fail(error, LXM_ERROR_LIMIT,
                        "PyTorch's order is for fewer than 2^32 windows: use another");
    *order = lxm_allocate(&s->allocator, (size_t)s->count, sizeof **order);
    if (!*order)
        return lxm_fail_memory(error);
    lxm_torch_order(*order, (uint32_t)s->count, s->options->shuffle_seed);
    return LXM_OK;
}

static lxm_status hand_out(lxm_shuffler *s, const rows *r, const uint32_t *order, size_t batch,
                           const lxm_window_sink *sink, lxm_error *error)
{
    lxm_permutation permutation;
    lxm_status status = LXM_OK;
    lxm_permutation_init(&permutation, s->count, s->options->shuffle_seed);
    for (uint64_t at = 0; !status && at < s->count;) {
        size_t n = 0;
        for (; !status && n < batch && at < s->count; n++, at++) {
            uint64_t window = order ? order[at] : lxm_permutation_at(&permutation, at);
            status = lxm_spool_read(&s->spool, window * s->record, r->record, s->record, error);
            if (!status)
                put_row(r, n, s->options->window.context);
        }
        lxm_window_batch windows = {n, r->inputs, r->targets, r->mask, r->documents};
        if (!status)
            status = sink->windows(sink->context, &windows, error);
    }
    return status;
}

lxm_status lxm_shuffler_drain(lxm_shuffler *s, size_t batch, const lxm_window_sink *sink,
                              lxm_error *error)
{
    rows r;
    uint32_t *order = NULL;
    lxm_status status = make_rows(&r, s, batch, error);
    if (!status)
        status = make_order(s, &order, error);
    if (!status)
        status = hand_out(s, &r, order, batch, sink, error);
    lxm_release(&s->allocator, order);
    release_rows(&r);
    return status;
}
