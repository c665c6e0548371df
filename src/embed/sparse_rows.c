#include "embed/sparse_rows.h"

enum { fewest_places = 64 };

void lxm_sparse_rows_init(lxm_sparse_rows *rows, size_t width, const lxm_allocator *allocator)
{
    *rows = (lxm_sparse_rows){.allocator = *allocator, .width = width};
    lxm_buffer_init(&rows->ids, allocator);
    lxm_buffer_init(&rows->rows, allocator);
}

void lxm_sparse_rows_free(lxm_sparse_rows *rows)
{
    lxm_buffer_free(&rows->ids);
    lxm_buffer_free(&rows->rows);
    lxm_release(&rows->allocator, rows->places);
}

/* Where an id stands, or would: the finalizer of MurmurHash3 (A. Appleby, public domain) spreads
 * ids that follow one another. */
static size_t find_place(const lxm_sparse_rows *rows, uint32_t id)
{
    const uint32_t *ids = lxm_sparse_rows_ids(rows);
    uint32_t hash = id;
    hash = (hash ^ hash >> 16) * 0x85EBCA6B;
    hash = (hash ^ hash >> 13) * 0xC2B2AE35;
    size_t mask = rows->capacity - 1, place = (hash ^ hash >> 16) & mask;
    while (rows->places[place] != LXM_NO_SLOT && ids[rows->places[place]] != id)
        place = (place + 1) & mask;
    return place;
}

static bool grow(lxm_sparse_rows *rows)
{
    size_t capacity = rows->capacity ? rows->capacity * 2 : fewest_places;
    uint32_t *places = lxm_allocate(&rows->allocator, capacity, sizeof *places);
    if (!places)
        return false;
    lxm_release(&rows->allocator, rows->places);
    rows->places = places;
    rows->capacity = capacity;
    memset(places, 0xFF, capacity * sizeof *places);
    for (uint32_t slot = 0; slot < rows->count; slot++)
        places[find_place(rows, lxm_sparse_rows_ids(rows)[slot])] = slot;
    return true;
}

uint32_t lxm_sparse_rows_find(const lxm_sparse_rows *rows, uint32_t id)
{
    return rows->count ? rows->places[find_place(rows, id)] : LXM_NO_SLOT;
}

uint32_t lxm_sparse_rows_add(lxm_sparse_rows *rows, uint32_t id)
{
    size_t size = rows->width * sizeof(float);
    uint32_t slot = lxm_sparse_rows_find(rows, id);
    if (slot != LXM_NO_SLOT)
        return slot;
    if (rows->count == LXM_NO_SLOT || (rows->count >= rows->capacity / 2 && !grow(rows)) ||
        !lxm_buffer_reserve(&rows->rows, size) || !lxm_buffer_append(&rows->ids, &id, sizeof id))
        return LXM_NO_SLOT;
    rows->rows.length += size;
    slot = rows->count++;
    rows->places[find_place(rows, id)] = slot;
    return slot;
}

void lxm_sparse_rows_clear(lxm_sparse_rows *rows)
{
    if (rows->places)
        memset(rows->places, 0xFF, rows->capacity * sizeof *rows->places);
    rows->ids.length = rows->rows.length = 0;
    rows->count = 0;
}
