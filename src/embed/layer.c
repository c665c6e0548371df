#include "embed/layer.h"

#include <math.h>

#include "base/error.h"
#include "embed/finite.h"
#include "embed/project.h"

/* The floats that are worth another thread. */
enum { thread_share = 1 << 16 };

static void fill_layer(const lxm_table *table, uint64_t row, size_t column, size_t count,
                       float *values)
{
    const lxm_layer *layer = (const lxm_layer *)(const void *)table;
    uint32_t slot =
        row <= UINT32_MAX ? lxm_sparse_rows_find(&layer->moved, (uint32_t)row) : LXM_NO_SLOT;
    if (slot == LXM_NO_SLOT)
        layer->base->fill(layer->base, row, column, count, values);
    else
        memcpy(values, lxm_sparse_rows_at(&layer->moved, slot) + column, count * sizeof *values);
}

/* What the base says of itself, its words among it, but for where its numbers lie. */
static lxm_table view(const lxm_table *base)
{
    lxm_table table = *base;
    table.fill = fill_layer;
    table.dtype = LXM_DTYPE_F32;
    table.data = NULL;
    return table;
}

static void run_part(void *job)
{
    const lxm_layer_part *part = job;
    part->run(part);
}

static lxm_status prepare(lxm_layer *layer, lxm_error *error)
{
    size_t dim = layer->base->dim, width;
    if (!(layer->kind = lxm_optimizer_find(&layer->options, error)))
        return LXM_ERROR_ARGUMENT;
    if (!lxm_multiply(dim, 1 + layer->kind->state_count, &width) || width > PTRDIFF_MAX / 4)
        return lxm_fail(error, LXM_ERROR_LIMIT, "rows of %zu columns are too long", dim);
    lxm_sparse_rows_init(&layer->moved, width, &layer->allocator);
    lxm_sparse_rows_init(&layer->sums, dim, &layer->allocator);
    lxm_buffer_init(&layer->slots, &layer->allocator);
    lxm_status status =
        lxm_pool_new(&layer->pool, layer->options.threads, run_part, &layer->allocator, error);
    if (status)
        return status;
    size_t threads = lxm_pool_threads(layer->pool);
    layer->parts = lxm_allocate(&layer->allocator, threads, sizeof *layer->parts);
    return layer->parts ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_layer_new(lxm_layer **out, const lxm_table *table, const lxm_layer_options *options,
                         const lxm_allocator *allocator, lxm_error *error)
{
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_layer *layer = *out = lxm_new(&a, sizeof *layer);
    if (!layer)
        return lxm_fail_memory(error);
    layer->allocator = a;
    layer->base = table;
    layer->table = view(table);
    layer->options = *options;
    lxm_status status = prepare(layer, error);
    if (status) {
        lxm_layer_free(layer);
        *out = NULL;
    }
    return status;
}

void lxm_layer_free(lxm_layer *layer)
{
    if (!layer)
        return;
    if (layer->pool)
        lxm_pool_free(layer->pool);
    if (layer->moved.width) {
        lxm_sparse_rows_free(&layer->moved);
        lxm_sparse_rows_free(&layer->sums);
        lxm_buffer_free(&layer->slots);
    }
    lxm_allocator a = layer->allocator;
    lxm_release(&a, layer->parts);
    lxm_release(&a, layer);
}

const lxm_table *lxm_layer_table(const lxm_layer *layer)
{
    return &layer->table;
}

uint64_t lxm_layer_steps(const lxm_layer *layer)
{
    return layer->steps;
}

uint64_t lxm_layer_moved_rows(const lxm_layer *layer)
{
    return layer->moved.count;
}

uint64_t lxm_layer_not_finite(const lxm_layer *layer)
{
    uint64_t found = 0;
    for (uint32_t slot = 0; slot < layer->moved.count; slot++)
        found += lxm_rows_not_finite(lxm_sparse_rows_at(&layer->moved, slot), 1, layer->base->dim,
                                     LXM_DTYPE_F32);
    return found;
}

void lxm_layer_share(lxm_layer *layer, void (*run)(const lxm_layer_part *part), const void *work,
                     size_t count, size_t grain, size_t size)
{
    size_t threads = lxm_pool_threads(layer->pool), grains = (count + grain - 1) / grain;
    size_t worth = count * size / thread_share + 1;
    size_t parts = threads < worth ? threads : worth;
    parts = parts < grains ? parts : grains;
    for (size_t i = 0, at = 0; i < parts; i++) {
        size_t end = grains * (i + 1) / parts * grain;
        layer->parts[i] = (lxm_layer_part){layer, run, work, at, end < count ? end : count};
        at = layer->parts[i].end;
        if (parts > 1)
            lxm_pool_submit(layer->pool, &layer->parts[i]);
        else
            run(&layer->parts[i]);
    }
    while (parts > 1 && lxm_pool_take(layer->pool))
        continue;
}

typedef struct gather {
    const uint32_t *ids;
    float *vectors;
} gather;

/* All ids have a row: nothing can fail. */
static void gather_part(const lxm_layer_part *part)
{
    const gather *g = part->work;
    const lxm_table *table = &part->layer->table;
    lxm_project_rows(table, g->ids + part->begin, part->end - part->begin,
                     g->vectors + part->begin * table->dim);
}

lxm_status lxm_layer_forward(lxm_layer *layer, const uint32_t *ids, size_t count, float *vectors,
                             lxm_error *error)
{
    gather g = {ids, vectors};
    lxm_status status = lxm_project_check(&layer->table, ids, NULL, count, error);
    if (!status)
        lxm_layer_share(layer, gather_part, &g, count, 1, layer->table.dim);
    return status;
}

uint32_t lxm_layer_hold(lxm_layer *layer, uint32_t id)
{
    uint32_t before = layer->moved.count;
    uint32_t slot = lxm_sparse_rows_add(&layer->moved, id);
    if (slot == LXM_NO_SLOT || layer->moved.count == before)
        return slot;
    size_t dim = layer->base->dim;
    bool accumulates = layer->options.optimizer == LXM_OPTIMIZER_ADAGRAD;
    float *row = lxm_sparse_rows_at(&layer->moved, slot);
    float first = accumulates ? (float)layer->options.initial_accumulator : 0;
    layer->base->fill(layer->base, id, 0, dim, row);
    for (size_t i = dim; i < layer->moved.width; i++)
        row[i] = first;
    return slot;
}

/* Rows with a gradient, */
static void move_part(const lxm_layer_part *part)
{
    const lxm_layer *layer = part->layer;
    const lxm_step *step = part->work;
    for (size_t i = part->begin; i < part->end; i++) {
        uint32_t id = lxm_sparse_rows_ids(&layer->sums)[i];
        float *row = lxm_sparse_rows_at(&layer->moved, lxm_sparse_rows_find(&layer->moved, id));
        layer->kind->move(step, lxm_sparse_rows_at(&layer->sums, (uint32_t)i), row,
                          row + step->dim);
    }
}

/* or all that are held. */
static void move_all_part(const lxm_layer_part *part)
{
    const lxm_layer *layer = part->layer;
    const lxm_step *step = part->work;
    for (size_t i = part->begin; i < part->end; i++) {
        float *row = lxm_sparse_rows_at(&layer->moved, (uint32_t)i);
        uint32_t id = lxm_sparse_rows_ids(&layer->moved)[i];
        uint32_t sum = lxm_sparse_rows_find(&layer->sums, id);
        layer->kind->move(step, sum == LXM_NO_SLOT ? NULL : lxm_sparse_rows_at(&layer->sums, sum),
                          row, row + step->dim);
    }
}

lxm_status lxm_layer_step(lxm_layer *layer, lxm_error *error)
{
    for (uint32_t i = 0; i < layer->sums.count; i++)
        if (lxm_layer_hold(layer, lxm_sparse_rows_ids(&layer->sums)[i]) == LXM_NO_SLOT)
            return lxm_fail_memory(error);
    lxm_step step =
        lxm_optimizer_step(layer->kind, &layer->options, layer->base->dim, ++layer->steps);
    if (layer->kind->moves_all)
        lxm_layer_share(layer, move_all_part, &step, layer->moved.count, 1, layer->moved.width);
    else
        lxm_layer_share(layer, move_part, &step, layer->sums.count, 1, layer->moved.width);
    lxm_layer_zero_gradients(layer);
    return LXM_OK;
}

lxm_status lxm_layer_set_learning_rate(lxm_layer *layer, double learning_rate, lxm_error *error)
{
    if (!isfinite(learning_rate) || learning_rate < 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a learning rate is a number from 0 on");
    layer->options.learning_rate = learning_rate;
    return LXM_OK;
}
