#include "idmap/parts.h"

#include "base/error.h"
#include "base/hash.h"

/* The parts of a table of tokens, from its name on. */
enum { table_bytes, table_starts, table_slots, table_seeds, table_counts };

void lxm_parts_init(lxm_parts *parts, const lxm_allocator *allocator)
{
    *parts = (lxm_parts){.allocator = *allocator};
}

void lxm_parts_free(lxm_parts *parts)
{
    for (size_t i = 0; i < parts->made_count; i++)
        lxm_release(&parts->allocator, parts->made[i]);
    parts->count = parts->made_count = 0;
}

void lxm_parts_add(lxm_parts *parts, uint32_t name, const void *data, size_t count, size_t width)
{
    size_t at = parts->count++;
    for (; at > 0 && parts->items[at - 1].name > name; at--)
        parts->items[at] = parts->items[at - 1];
    parts->items[at] = (lxm_part){name, (uint32_t)width, data, count, 0};
}

void *lxm_parts_make(lxm_parts *parts, uint32_t name, size_t count, size_t width)
{
    size_t size;
    void *data = lxm_multiply(count, width, &size) ? lxm_new(&parts->allocator, size) : NULL;
    if (!data)
        return NULL;
    parts->made[parts->made_count++] = data;
    lxm_parts_add(parts, name, data, count, width);
    return data;
}

const lxm_part *lxm_parts_find(const lxm_parts *parts, uint32_t name)
{
    for (size_t i = 0; i < parts->count; i++)
        if (parts->items[i].name == name)
            return &parts->items[i];
    return NULL;
}

lxm_status lxm_parts_need(const lxm_parts *parts, uint32_t name, size_t width, size_t count,
                          const lxm_part **part, lxm_error *error)
{
    *part = lxm_parts_find(parts, name);
    if (!*part)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "section %u is missing: make the file anew with idmap convert", name);
    if ((*part)->width != width)
        return lxm_part_fail(*part, 0, "a section has elements of another size", error);
    if (count != SIZE_MAX && (*part)->count != count)
        return lxm_part_fail(*part, 0, "a section is longer or shorter than others say", error);
    return LXM_OK;
}

lxm_status lxm_part_fail(const lxm_part *part, size_t index, const char *what, lxm_error *error)
{
    return lxm_fail_at(error, LXM_ERROR_FORMAT, part->offset + (uint64_t)index * part->width,
                       "%s (section %u): make the file anew with idmap convert", what, part->name);
}

lxm_status lxm_part_check_ids(const lxm_part *part, uint64_t limit, uint64_t none, lxm_error *error)
{
    const uint32_t *ids = part->data;
    size_t bad = 0;
    for (size_t i = 0; i < part->count; i++)
        bad += (size_t)(ids[i] >= limit) & (size_t)(ids[i] != none);
    for (size_t i = 0; bad && i < part->count; i++)
        if (ids[i] >= limit && ids[i] != none)
            return lxm_part_fail(part, i, "a number is out of range", error);
    return LXM_OK;
}

/* ---- tables of tokens ---- */

static bool has_counts(const lxm_token_table *table)
{
    for (uint32_t id = 0; id < table->size; id++)
        if (lxm_token_table_counted(table, id))
            return true;
    return false;
}

lxm_status lxm_parts_add_table(lxm_parts *parts, uint32_t name, const lxm_token_table *table,
                               lxm_error *error)
{
    if (table->size == 0)
        return LXM_OK;
    size_t length = (size_t)table->starts[table->size];
    size_t slot_count = lxm_token_table_slot_count(table->size);
    uint64_t *seeds = lxm_parts_make(parts, name + table_seeds, 2, sizeof *seeds);
    uint64_t *slots = lxm_parts_make(parts, name + table_slots, slot_count, sizeof *slots);
    if (!seeds || !slots)
        return lxm_fail_memory(error);
    lxm_parts_add(parts, name + table_bytes, table->arena.data, length, 1);
    lxm_parts_add(parts, name + table_starts, table->starts, table->size + 1,
                  sizeof *table->starts);
    seeds[0] = lxm_hash(table->starts, (table->size + 1) * sizeof *table->starts, name);
    seeds[0] = lxm_hash(table->arena.data, length, seeds[0]);
    seeds[1] = lxm_hash(seeds, sizeof *seeds, name);
    lxm_token_table_fill(table, seeds, slots, slot_count);
    if (has_counts(table))
        lxm_parts_add(parts, name + table_counts, table->counts, table->size,
                      sizeof *table->counts);
    return LXM_OK;
}

static lxm_status check_starts(const lxm_part *starts, const lxm_part *bytes, lxm_error *error)
{
    const uint64_t *at = starts->data;
    size_t bad = at[0] != 0;
    for (size_t i = 1; i < starts->count; i++)
        bad += (size_t)(at[i] < at[i - 1]) | (size_t)(at[i] - at[i - 1] > UINT32_MAX);
    bad += at[starts->count - 1] != bytes->count;
    for (size_t i = 0; bad && i < starts->count; i++)
        if (at[i] > bytes->count || (i == 0 ? at[i] != 0 : at[i] < at[i - 1]) ||
            (i > 0 && at[i] - at[i - 1] > UINT32_MAX))
            return lxm_part_fail(starts, i, "a token begins or ends where it can't", error);
    if (bad)
        return lxm_part_fail(starts, starts->count - 1, "the last token ends where it can't",
                             error);
    return LXM_OK;
}

static bool is_power_of_two(size_t n)
{
    return n && (n & (n - 1)) == 0;
}

/* Slots lead to tokens that are there, and enough of them are empty. */
static lxm_status check_slots(const lxm_part *part, size_t size, lxm_error *error)
{
    const uint64_t *slots = part->data;
    size_t taken = 0, bad = 0;
    if (!is_power_of_two(part->count) || part->count < 16 || part->count >> 16 > UINT32_MAX)
        return lxm_part_fail(part, 0, "a hash table has a wrong size", error);
    for (size_t i = 0; i < part->count; i++) {
        size_t full = slots[i] != UINT64_MAX;
        taken += full;
        bad += full & (size_t)((uint32_t)slots[i] >= size);
    }
    for (size_t i = 0; bad && i < part->count; i++)
        if (slots[i] != UINT64_MAX && (uint32_t)slots[i] >= size)
            return lxm_part_fail(part, i, "a hash table leads to no token", error);
    if (taken > part->count / 4 * 3)
        return lxm_part_fail(part, 0, "a hash table is too full", error);
    return LXM_OK;
}

lxm_status lxm_parts_view_table(const lxm_parts *parts, uint32_t name, lxm_token_table *table,
                                lxm_error *error)
{
    const lxm_part *bytes, *starts, *slots, *seeds, *counts = NULL;
    if (!lxm_parts_find(parts, name + table_starts))
        return LXM_OK;
    lxm_status status = lxm_parts_need(parts, name + table_bytes, 1, SIZE_MAX, &bytes, error);
    if (!status)
        status = lxm_parts_need(parts, name + table_starts, 8, SIZE_MAX, &starts, error);
    if (!status)
        status = lxm_parts_need(parts, name + table_slots, 8, SIZE_MAX, &slots, error);
    if (!status)
        status = lxm_parts_need(parts, name + table_seeds, 8, 2, &seeds, error);
    if (!status && (starts->count < 2 || starts->count > LXM_NO_ID))
        status = lxm_part_fail(starts, 0, "a table has no tokens, or too many", error);
    if (!status && lxm_parts_find(parts, name + table_counts))
        status = lxm_parts_need(parts, name + table_counts, 8, starts->count - 1, &counts, error);
    if (!status)
        status = check_starts(starts, bytes, error);
    if (!status)
        status = check_slots(slots, starts->count - 1, error);
    if (status)
        return status;
    lxm_token_table view = {
        .arena = {.data = (uint8_t *)(uintptr_t)bytes->data, .length = bytes->count},
        .starts = (uint64_t *)(uintptr_t)starts->data,
        .counts = counts ? (uint64_t *)(uintptr_t)counts->data : NULL,
        .size = starts->count - 1,
        .slots = (uint64_t *)(uintptr_t)slots->data,
        .slot_count = slots->count};
    memcpy(view.seeds, seeds->data, sizeof view.seeds);
    lxm_token_table_view(table, &view);
    return LXM_OK;
}

/* ---- pairs ---- */

static size_t rank_of(uint64_t slot)
{
    return slot & ((1u << lxm_pair_rank_bits) - 1);
}

/* A pair of ids that there may be: the one above them stands beside the symbols of every token that
 * is merged, and would merge with what isn't there. */
static bool is_pair(uint64_t slot, size_t ranks)
{
    const uint32_t above = lxm_pair_max_id + 1;
    uint64_t key = slot >> lxm_pair_rank_bits;
    return rank_of(slot) < ranks && key >> lxm_pair_id_bits != above && (key & above) != above;
}

/* The pair of each rank, for a table that has none above; the caller's to release. */
static uint64_t *list_keys(const lxm_pairs *pairs, size_t ranks, const lxm_allocator *a)
{
    uint64_t *keys = lxm_allocate(a, ranks, sizeof *keys);
    if (!keys)
        return NULL;
    memset(keys, 0xFF, ranks * sizeof *keys);
    for (size_t i = 0; i < pairs->slot_count; i++)
        if (pairs->slots[i] != UINT64_MAX)
            keys[rank_of(pairs->slots[i])] = pairs->slots[i] >> lxm_pair_rank_bits;
    return keys;
}

lxm_status lxm_parts_add_pairs(lxm_parts *parts, const lxm_pairs *pairs, size_t ranks,
                               lxm_error *error)
{
    lxm_pairs same = {.slots = NULL};
    uint64_t *keys = list_keys(pairs, ranks, &parts->allocator), *slots, *factor;
    if (!keys || !lxm_pairs_of(&same, keys, ranks, &parts->allocator) ||
        !(slots = lxm_parts_make(parts, lxm_part_pairs, same.slot_count, sizeof *slots)) ||
        !(factor = lxm_parts_make(parts, lxm_part_pair_facts, 1, sizeof *factor))) {
        lxm_release(&parts->allocator, keys);
        lxm_pairs_free(&same);
        return lxm_fail_memory(error);
    }
    memcpy(slots, same.slots, same.slot_count * sizeof *slots);
    *factor = same.factors[0];
    lxm_release(&parts->allocator, keys);
    lxm_pairs_free(&same);
    return LXM_OK;
}

lxm_status lxm_parts_view_pairs(const lxm_parts *parts, size_t ranks, lxm_pairs *pairs,
                                lxm_error *error)
{
    const lxm_part *part, *factor;
    size_t taken = 0, bad = 0;
    lxm_status status = lxm_parts_need(parts, lxm_part_pairs, 8, SIZE_MAX, &part, error);
    if (!status)
        status = lxm_parts_need(parts, lxm_part_pair_facts, 8, 1, &factor, error);
    if (status)
        return status;
    if (!is_power_of_two(part->count) || part->count < 16)
        return lxm_part_fail(part, 0, "a table of pairs has a wrong size", error);
    const uint64_t *slots = part->data;
    for (size_t i = 0; i < part->count; i++) {
        size_t full = slots[i] != UINT64_MAX;
        taken += full;
        bad += full & (size_t)!is_pair(slots[i], ranks);
    }
    for (size_t i = 0; bad && i < part->count; i++)
        if (slots[i] != UINT64_MAX && !is_pair(slots[i], ranks))
            return lxm_part_fail(part, i, "a pair has an id or a rank that isn't there", error);
    if (taken > part->count / 2)
        return lxm_part_fail(part, 0, "a table of pairs is too full", error);
    lxm_pairs_view(pairs, slots, part->count, *(const uint64_t *)factor->data);
    pairs->size = taken;
    return LXM_OK;
}
