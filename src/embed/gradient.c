/*
 * Gradients summed by id. Slots are given out in order on one thread; then each thread adds its own
 * columns of all gradients in order, so that every sum is made in the same order on any number of
 * threads.
 */
#include "base/error.h"
#include "embed/layer.h"
#include "embed/project.h"

enum {
    piece = 4096,    /* ids that are added at once */
    cache_line = 16, /* floats */
};

typedef struct addition {
    const uint32_t *slots;
    size_t count;
    const float *gradients;
} addition;

/* Columns from begin to end. */
static void add_part(const lxm_layer_part *part)
{
    const addition *a = part->work;
    const lxm_sparse_rows *sums = &part->layer->sums;
    size_t dim = sums->width;
    for (size_t i = 0; i < a->count; i++) {
        const float *restrict gradient = a->gradients + i * dim;
        if (a->slots[i] == LXM_NO_SLOT)
            continue;
        float *restrict sum = lxm_sparse_rows_at(sums, a->slots[i]);
        for (size_t column = part->begin; column < part->end; column++)
            sum[column] += gradient[column];
    }
}

/* LXM_NO_SLOT for what is dropped. */
static lxm_status find_slots(lxm_layer *layer, const uint32_t *ids, size_t count, uint32_t *slots,
                             lxm_error *error)
{
    lxm_sparse_rows *sums = &layer->sums;
    for (size_t i = 0; i < count; i++) {
        uint32_t before = sums->count;
        bool dropped = layer->options.has_padding && ids[i] == layer->options.padding_id;
        slots[i] = dropped ? LXM_NO_SLOT : lxm_sparse_rows_add(sums, ids[i]);
        if (slots[i] == LXM_NO_SLOT && !dropped)
            return lxm_fail_memory(error);
        if (sums->count > before)
            memset(lxm_sparse_rows_at(sums, slots[i]), 0, sums->width * sizeof(float));
    }
    return LXM_OK;
}

lxm_status lxm_layer_backward(lxm_layer *layer, const uint32_t *ids, size_t count,
                              const float *gradients, lxm_error *error)
{
    size_t dim = layer->sums.width;
    lxm_status status = lxm_project_check(&layer->table, ids, NULL, count, error);
    if (!status && !lxm_buffer_reserve(&layer->slots, piece * sizeof(uint32_t)))
        status = lxm_fail_memory(error);
    for (size_t at = 0; !status && at < count; at += piece) {
        size_t n = count - at < piece ? count - at : piece;
        uint32_t *slots = (uint32_t *)(void *)layer->slots.data;
        addition a = {slots, n, gradients + at * dim};
        status = find_slots(layer, ids + at, n, slots, error);
        if (!status)
            lxm_layer_share(layer, add_part, &a, dim, cache_line, n);
    }
    return status;
}

size_t lxm_layer_gradients(const lxm_layer *layer, const uint32_t **ids, const float **sums)
{
    *ids = lxm_sparse_rows_ids(&layer->sums);
    *sums = (const float *)(const void *)layer->sums.rows.data;
    return layer->sums.count;
}

void lxm_layer_zero_gradients(lxm_layer *layer)
{
    lxm_sparse_rows_clear(&layer->sums);
}
