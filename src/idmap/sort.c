#include "idmap/sort.h"

uint64_t lxm_bytes_prefix(const uint8_t *bytes, size_t length)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < length ? bytes[i] : 0);
    return prefix;
}

int lxm_bytes_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    if (order)
        return order;
    return (a_length > b_length) - (a_length < b_length);
}

static inline bool is_after(const lxm_entry *a, const lxm_entry *b, const lxm_token_table *table)
{
    if (a->key != b->key || !table)
        return a->key > b->key;
    return lxm_bytes_compare(
               lxm_token_table_bytes(table, a->id), lxm_token_table_length(table, a->id),
               lxm_token_table_bytes(table, b->id), lxm_token_table_length(table, b->id)) > 0;
}

static void insertion_sort(lxm_entry *entries, size_t count, const lxm_token_table *table)
{
    for (size_t i = 1; i < count; i++) {
        lxm_entry e = entries[i];
        size_t j = i;
        for (; j > 0 && is_after(&entries[j - 1], &e, table); j--)
            entries[j] = entries[j - 1];
        entries[j] = e;
    }
}

static void merge(const lxm_entry *from, size_t middle, size_t count, lxm_entry *to,
                  const lxm_token_table *table)
{
    size_t a = 0, b = middle;
    for (size_t i = 0; i < count; i++) {
        bool second = a == middle || (b < count && is_after(&from[a], &from[b], table));
        to[i] = second ? from[b++] : from[a++];
    }
}

/* A merge sort from the bottom up: stable, and as fast on the worst input as on any. */
void lxm_sort_entries(lxm_entry *entries, lxm_entry *scratch, size_t count,
                      const lxm_token_table *table)
{
    enum { block = 8 };
    lxm_entry *from = entries, *to = scratch;
    for (size_t i = 0; i < count; i += block)
        insertion_sort(entries + i, count - i < block ? count - i : block, table);
    for (size_t width = block; width < count; width *= 2) {
        for (size_t i = 0; i < count;) {
            size_t left = count - i, middle = left < width ? left : width;
            size_t both = left - middle < width ? left : middle + width;
            merge(from + i, middle, both, to + i, table);
            i += both;
        }
        lxm_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof *entries);
}

lxm_entry *lxm_sort_by_bytes(const lxm_token_table *table)
{
    const lxm_allocator *allocator = &table->arena.allocator;
    lxm_entry *entries = lxm_allocate(allocator, table->size, sizeof *entries);
    lxm_entry *scratch = lxm_allocate(allocator, table->size, sizeof *scratch);
    if (!entries || !scratch) {
        lxm_release(allocator, entries);
        lxm_release(allocator, scratch);
        return NULL;
    }
    for (size_t i = 0; i < table->size; i++) {
        uint32_t id = (uint32_t)i;
        entries[i].key =
            lxm_bytes_prefix(lxm_token_table_bytes(table, id), lxm_token_table_length(table, id));
        entries[i].id = id;
    }
    lxm_sort_entries(entries, scratch, table->size, table);
    lxm_release(allocator, scratch);
    return entries;
}
