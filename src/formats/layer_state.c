#include "formats/layer_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "embed/layer.h"
#include "formats/json.h"
#include "formats/safetensors.h"

enum { prefix = 8, alignment = 64 };

static const char optimizer_key[] = "lexmill.optimizer", rows_key[] = "lexmill.rows";

/* A slot and its id, to be sorted. */
typedef struct held {
    uint32_t id, slot;
} held;

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const held *)a)->id, y = ((const held *)b)->id;
    return x < y ? -1 : x > y;
}

/* The slots whose states are kept, in order of their ids; `count` 0 where there are no states. */
static lxm_status sort_slots(const lxm_layer *layer, held **slots, size_t *count, lxm_error *error)
{
    *count = layer->kind->state_count ? layer->moved.count : 0;
    *slots = lxm_allocate(&layer->allocator, *count + 1, sizeof **slots);
    if (!*slots)
        return lxm_fail_memory(error);
    for (uint32_t i = 0; i < *count; i++)
        (*slots)[i] = (held){lxm_sparse_rows_ids(&layer->moved)[i], i};
    qsort(*slots, *count, sizeof **slots, by_id);
    return LXM_OK;
}

/* Ties a state to the rows that it was made with: their hash, each seeding the next. */
static uint64_t hash_rows(const lxm_layer *layer, const held *slots, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = lxm_hash(lxm_sparse_rows_at(&layer->moved, slots[i].slot),
                        layer->base->dim * sizeof(float), hash ^ slots[i].id);
    return hash;
}

/* ---- writing ---- */

static json_t *describe(const char *dtype, json_t *shape, uint64_t *at, uint64_t bytes)
{
    json_t *tensor = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape,
                               "data_offsets", (json_int_t)*at, (json_int_t)(*at + bytes));
    *at += bytes;
    return tensor;
}

/* NULL where memory runs out. */
static json_t *make_json(const lxm_layer *layer, size_t count, uint64_t hash)
{
    char digits[20];
    uint64_t at = 0, dim = layer->base->dim;
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    json_t *root = json_pack("{s:{s:s, s:s, s:s}}", "__metadata__", "format", "lexmill",
                             optimizer_key, layer->kind->name, rows_key, digits);
    int failed = json_object_set_new(root, "step",
                                     describe("I64", json_pack("[i]", 1), &at, sizeof(int64_t)));
    failed |= json_object_set_new(
        root, "ids",
        describe("I64", json_pack("[I]", (json_int_t)count), &at, count * sizeof(int64_t)));
    for (size_t i = 0; i < layer->kind->state_count; i++)
        failed |= json_object_set_new(
            root, layer->kind->states[i],
            describe("F32", json_pack("[I, I]", (json_int_t)count, (json_int_t)dim), &at,
                     count * dim * sizeof(float)));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

static lxm_status write_header(const lxm_layer *layer, const held *slots, size_t count,
                               lxm_output *output, lxm_error *error)
{
    static const uint8_t zeros[prefix] = {0};
    lxm_buffer header;
    lxm_buffer_init(&header, &layer->allocator);
    json_t *json = make_json(layer, count, hash_rows(layer, slots, count));
    bool done =
        lxm_buffer_append(&header, zeros, prefix) && lxm_json_append(&header, json, JSON_COMPACT);
    json_decref(json);
    while (done && header.length % alignment)
        done = lxm_buffer_append(&header, " ", 1);
    uint64_t length = header.length - prefix;
    if (done)
        memcpy(header.data, &length, prefix);
    lxm_status status =
        done ? lxm_output_write(output, header.data, header.length, error) : lxm_fail_memory(error);
    lxm_buffer_free(&header);
    return status;
}

static lxm_status write_data(const lxm_layer *layer, const held *slots, size_t count,
                             lxm_output *output, lxm_error *error)
{
    size_t dim = layer->base->dim;
    int64_t number = (int64_t)layer->steps;
    lxm_status status = lxm_output_write(output, &number, sizeof number, error);
    for (size_t i = 0; !status && i < count; i++) {
        number = slots[i].id;
        status = lxm_output_write(output, &number, sizeof number, error);
    }
    for (size_t state = 1; state <= layer->kind->state_count; state++)
        for (size_t i = 0; !status && i < count; i++)
            status = lxm_output_write(
                output, lxm_sparse_rows_at(&layer->moved, slots[i].slot) + state * dim,
                dim * sizeof(float), error);
    return status;
}

lxm_status lxm_layer_state_write(const lxm_layer *layer, lxm_output *output, lxm_error *error)
{
    held *slots;
    size_t count;
    lxm_status status = sort_slots(layer, &slots, &count, error);
    if (!status)
        status = write_header(layer, slots, count, output, error);
    if (!status)
        status = write_data(layer, slots, count, output, error);
    lxm_release(&layer->allocator, slots);
    return status;
}

lxm_status lxm_layer_save(const lxm_layer *layer, const char *path, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, path, &layer->allocator, error);
    if (status)
        return status;
    status = lxm_layer_state_write(layer, output, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

/* ---- reading ---- */

static const lxm_tensor *find_tensor(const lxm_safetensors *c, const char *name, const char *dtype,
                                     size_t dimensions, lxm_error *error)
{
    const lxm_tensor *t = lxm_safetensors_find(c, name);
    if (t && strcmp(t->dtype, dtype) == 0 && t->dimensions == dimensions)
        return t;
    lxm_fail(error, LXM_ERROR_FORMAT, "it is no optimizer's state: no tensor '%s' %s of %zu %s",
             name, dtype, dimensions, dimensions == 1 ? "dimension" : "dimensions");
    return NULL;
}

static lxm_status check_optimizer(const lxm_layer *layer, const lxm_safetensors *c,
                                  lxm_error *error)
{
    const json_t *metadata = json_object_get(c->root, "__metadata__");
    const char *name = json_string_value(json_object_get(metadata, optimizer_key));
    char shown[40];
    if (!name)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "it is no optimizer's state: its metadata has no %s", optimizer_key);
    if (strcmp(name, layer->kind->name) == 0)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_MISMATCH, "it is the state of %s, not of %s",
                    lxm_printable(shown, sizeof shown - 8, name, strlen(name)), layer->kind->name);
}

/* Whether the rows are those that the state was made with. */
static lxm_status check_rows(const lxm_layer *layer, const lxm_safetensors *c, lxm_error *error)
{
    char digits[20];
    held *slots;
    size_t count;
    const json_t *metadata = json_object_get(c->root, "__metadata__");
    const char *said = json_string_value(json_object_get(metadata, rows_key));
    lxm_status status = sort_slots(layer, &slots, &count, error);
    if (status)
        return status;
    snprintf(digits, sizeof digits, "%016" PRIx64, hash_rows(layer, slots, count));
    lxm_release(&layer->allocator, slots);
    if (said && strcmp(said, digits) == 0)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_MISMATCH,
                    "the state was left with other rows than the table has: give the table that "
                    "was written with it, or --force");
}

static int64_t load_number(const uint8_t *data, uint64_t index)
{
    int64_t number;
    memcpy(&number, data + index * sizeof number, sizeof number);
    return number;
}

static lxm_status add_rows(lxm_layer *layer, const uint8_t *data, const lxm_tensor *ids,
                           const lxm_tensor *const *states, lxm_error *error)
{
    size_t dim = layer->base->dim, size = dim * sizeof(float);
    int64_t before = -1;
    for (uint64_t i = 0; i < ids->shape[0]; i++) {
        int64_t id = load_number(data + ids->start, i);
        if (id <= before || id > UINT32_MAX || (uint64_t)id >= layer->base->rows)
            return lxm_fail(error, LXM_ERROR_FORMAT,
                            "id %lld of the state has no row, or isn't in order", (long long)id);
        uint32_t slot = lxm_layer_hold(layer, (uint32_t)id);
        if (slot == LXM_NO_SLOT)
            return lxm_fail_memory(error);
        float *row = lxm_sparse_rows_at(&layer->moved, slot);
        for (size_t state = 0; state < layer->kind->state_count; state++)
            memcpy(row + (state + 1) * dim, data + states[state]->start + i * size, size);
        before = id;
    }
    return LXM_OK;
}

static lxm_status read_tensors(lxm_layer *layer, const lxm_safetensors *c, const uint8_t *data,
                               lxm_error *error)
{
    const lxm_tensor *states[lxm_most_states];
    const lxm_tensor *step = find_tensor(c, "step", "I64", 1, error);
    const lxm_tensor *ids = step ? find_tensor(c, "ids", "I64", 1, error) : NULL;
    if (!ids)
        return LXM_ERROR_FORMAT;
    for (size_t i = 0; i < layer->kind->state_count; i++) {
        if (!(states[i] = find_tensor(c, layer->kind->states[i], "F32", 2, error)))
            return LXM_ERROR_FORMAT;
        if (states[i]->shape[0] != ids->shape[0] || states[i]->shape[1] != layer->base->dim)
            return lxm_fail(error, LXM_ERROR_MISMATCH,
                            "'%s' has the shape [%llu, %llu], not [%llu, %zu]: it is the state of "
                            "another table",
                            states[i]->name, (unsigned long long)states[i]->shape[0],
                            (unsigned long long)states[i]->shape[1],
                            (unsigned long long)ids->shape[0], layer->base->dim);
    }
    if (step->shape[0] != 1 || load_number(data + step->start, 0) < 0)
        return lxm_fail(error, LXM_ERROR_FORMAT, "'step' of the state is no number from 0 on");
    layer->steps = (uint64_t)load_number(data + step->start, 0);
    return add_rows(layer, data, ids, states, error);
}

lxm_status lxm_layer_load(lxm_layer *layer, const char *path, bool any_rows, lxm_error *error)
{
    lxm_map map;
    lxm_safetensors c = {0};
    if (layer->steps || layer->moved.count)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a state is loaded before the first step");
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    if (!lxm_safetensors_probe(map.data, map.length))
        status = lxm_fail(error, LXM_ERROR_FORMAT, "it is no optimizer's state: no .safetensors");
    else
        status = lxm_safetensors_read(&c, map, &layer->allocator, error);
    if (!status)
        status = check_optimizer(layer, &c, error);
    if (!status)
        status = read_tensors(layer, &c, map.data + c.data, error);
    if (!status && !any_rows)
        status = check_rows(layer, &c, error);
    lxm_safetensors_free(&c);
    lxm_map_close(&map);
    if (status && error)
        error->path = path;
    return status;
}
