/*
 * From counts to a vocabulary. The counted tokens come out of a merge in the order of bytes; those
 * that stay go into the vocabulary, at once or, in another order, by way of a list.
 *
 * Where `max_size` cuts, a first pass over the merge finds the least count that stays, from counts
 * alone, so that no token that goes is ever held.
 */
#include <inttypes.h>

#include "base/error.h"
#include "idmap/counter.h"
#include "idmap/vocab.h"

typedef struct builder {
    lxm_counter *counter;
    lxm_build_options options;
    lxm_entry *entries;    /* the counter's table in the order of bytes, where there are no runs */
    lxm_token_table roles; /* the special tokens and unk, in the order of their ids */
    size_t special_count;  /* the first of them; behind these stands unk, or nothing */
    uint32_t unk;          /* in roles, or LXM_NO_ID */
    uint64_t room;         /* tokens that may stay beside them */
    uint64_t threshold;    /* tokens with a count above stay, ... */
    uint64_t at_threshold; /* and the first so many with this one */
    lxm_token_table list;  /* those that stay, in the order of bytes */
    lxm_buffer firsts;     /* uint64_t each: their first appearance */
    lxm_vocab *vocab;
} builder;

static lxm_status set_roles(builder *b, lxm_error *error)
{
    const lxm_build_options *options = &b->options;
    lxm_status status = LXM_OK;
    uint32_t id;
    for (size_t i = 0; !status && i < options->special_count; i++)
        status = lxm_token_table_add(&b->roles, options->specials[i], strlen(options->specials[i]),
                                     0, &id, error);
    b->special_count = b->roles.size;
    if (!status && options->unk)
        status =
            lxm_token_table_add(&b->roles, options->unk, strlen(options->unk), 0, &b->unk, error);
    if (status || options->max_size == 0)
        return status;
    if (options->max_size < b->roles.size)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a vocabulary of %" PRIu64 " tokens has no room for %zu special tokens",
                        options->max_size, b->roles.size);
    b->room = options->max_size - b->roles.size;
    return LXM_OK;
}

/* Starts a pass over all that was counted; the merge is to be freed whatever the result. */
static lxm_status begin_pass(const builder *b, lxm_merge *merge, lxm_error *error)
{
    if (!b->entries)
        return lxm_runs_merge(&b->counter->runs, merge, error);
    lxm_status status = lxm_merge_init(merge, 1, &b->counter->allocator, error);
    if (!status)
        status =
            lxm_merge_add_table(merge, &b->counter->table, b->entries, b->counter->base, error);
    return status;
}

/* A heap of the greatest counts, the least of them at the top. */
static void sift_down(uint64_t *heap, size_t count, uint64_t value)
{
    size_t at = 0, child;
    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (value <= heap[child])
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

static bool push(lxm_buffer *buffer, uint64_t value)
{
    if (!lxm_buffer_append(buffer, &value, sizeof value))
        return false;
    uint64_t *heap = (uint64_t *)(void *)buffer->data;
    size_t at = buffer->length / sizeof value - 1;
    for (; at > 0 && value < heap[(at - 1) / 2]; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = value;
    return true;
}

static lxm_status fill_heap(builder *b, lxm_merge *merge, lxm_buffer *heap, bool *over,
                            lxm_error *error)
{
    lxm_record record;
    lxm_status status = LXM_OK;
    for (bool more = true;;) {
        status = lxm_merge_next(merge, &record, &more, error);
        if (status || !more)
            return status;
        if (record.count < b->options.min_count ||
            lxm_token_table_find(&b->roles, record.token, record.length) != LXM_NO_ID)
            continue;
        size_t count = heap->length / sizeof(uint64_t);
        uint64_t *counts = (uint64_t *)(void *)heap->data;
        if (count < b->room) {
            if (!push(heap, record.count))
                return lxm_fail_memory(error);
        } else {
            *over = true;
            if (count && record.count > counts[0])
                sift_down(counts, count, record.count);
        }
    }
}

/* Finds the threshold; it stays at 0 where all tokens have room. */
static lxm_status find_threshold(builder *b, lxm_error *error)
{
    lxm_merge merge;
    lxm_buffer heap;
    bool over = false;
    lxm_buffer_init(&heap, &b->counter->allocator);
    lxm_status status = begin_pass(b, &merge, error);
    if (!status)
        status = fill_heap(b, &merge, &heap, &over, error);
    size_t count = heap.length / sizeof(uint64_t);
    const uint64_t *counts = (const uint64_t *)(const void *)heap.data;
    if (!status && over) {
        b->threshold = count ? counts[0] : UINT64_MAX;
        for (size_t i = 0; i < count; i++)
            b->at_threshold += counts[i] == b->threshold;
    }
    lxm_buffer_free(&heap);
    lxm_merge_free(&merge);
    return status;
}

/* Whether a token stays; asked in the order of bytes, so that among equals the lower do. */
static bool stays(builder *b, uint64_t count)
{
    if (count < b->options.min_count || count < b->threshold)
        return false;
    if (count > b->threshold)
        return true;
    if (b->at_threshold == 0)
        return false;
    b->at_threshold--;
    return true;
}

static lxm_status take(builder *b, const lxm_record *record, lxm_error *error)
{
    uint32_t id = lxm_token_table_find(&b->roles, record->token, record->length);
    if (id != LXM_NO_ID)
        return lxm_token_table_count(&b->roles, id, record->count, error);
    if (!stays(b, record->count))
        return LXM_OK;
    if (b->options.order == LXM_ORDER_BYTES)
        return lxm_vocab_add(b->vocab, record->token, record->length, record->count, NULL, error);
    if (b->list.size == LXM_NO_ID)
        return lxm_fail(error, LXM_ERROR_LIMIT, "more than 4294967295 different tokens");
    bool good = lxm_token_table_append(&b->list, record->token, record->length, record->count);
    if (good && b->options.order == LXM_ORDER_APPEARANCE)
        good = lxm_buffer_append(&b->firsts, &record->first, sizeof record->first);
    return good ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status take_all(builder *b, lxm_error *error)
{
    lxm_merge merge;
    lxm_record record;
    bool more = true;
    lxm_status status = begin_pass(b, &merge, error);
    while (!status && more) {
        status = lxm_merge_next(&merge, &record, &more, error);
        if (!status && more)
            status = take(b, &record, error);
    }
    lxm_merge_free(&merge);
    return status;
}

/* Sorting is stable and the list is in the order of bytes, which settles what is equal. */
static void sort_list(const builder *b, lxm_entry *entries, lxm_entry *scratch)
{
    for (size_t i = 0; i < b->list.size; i++) {
        entries[i].id = (uint32_t)i;
        if (b->options.order == LXM_ORDER_FREQUENCY)
            entries[i].key = UINT64_MAX - b->list.counts[i];
        else
            memcpy(&entries[i].key, b->firsts.data + i * sizeof(uint64_t), sizeof(uint64_t));
    }
    lxm_sort_entries(entries, scratch, b->list.size, NULL);
}

static lxm_status add_list(builder *b, lxm_error *error)
{
    const lxm_allocator *a = &b->counter->allocator;
    const lxm_token_table *list = &b->list;
    lxm_entry *entries = lxm_allocate(a, list->size, sizeof *entries);
    lxm_entry *scratch = lxm_allocate(a, list->size, sizeof *scratch);
    lxm_status status = LXM_OK;
    if (!entries || !scratch)
        status = lxm_fail_memory(error);
    else
        sort_list(b, entries, scratch);
    lxm_release(a, scratch);
    if (!status &&
        !lxm_token_table_reserve(&b->vocab->table, list->size + b->roles.size, list->arena.length))
        status = lxm_fail_memory(error);
    for (size_t i = 0; !status && i < list->size; i++) {
        uint32_t id = entries[i].id;
        status = lxm_vocab_add(b->vocab, lxm_token_table_bytes(list, id),
                               lxm_token_table_length(list, id), list->counts[id], NULL, error);
    }
    lxm_release(a, entries);
    return status;
}

/* Adds the special tokens and unk with what was counted of them so far. */
static lxm_status add_roles(builder *b, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < b->roles.size; i++) {
        uint32_t role = (uint32_t)i, id = 0;
        status =
            lxm_vocab_add(b->vocab, lxm_token_table_bytes(&b->roles, role),
                          lxm_token_table_length(&b->roles, role), b->roles.counts[i], &id, error);
        if (!status && i < b->special_count)
            status = lxm_vocab_set_special(b->vocab, id, error);
        if (!status && role == b->unk)
            status = lxm_vocab_set_unk(b->vocab, id, error);
    }
    return status;
}

static void free_counts(builder *b)
{
    lxm_release(&b->counter->allocator, b->entries);
    b->entries = NULL;
    lxm_token_table_free(&b->counter->table);
    lxm_runs_free(&b->counter->runs);
}

static lxm_status prepare_passes(builder *b, lxm_error *error)
{
    lxm_counter *counter = b->counter;
    if (lxm_runs_any(&counter->runs))
        return lxm_counter_spill(counter, error);
    lxm_token_table_freeze(&counter->table);
    b->entries = lxm_sort_by_bytes(&counter->table);
    return b->entries ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status build(builder *b, lxm_error *error)
{
    lxm_status status = set_roles(b, error);
    if (!status)
        status = prepare_passes(b, error);
    if (!status && b->options.max_size)
        status = find_threshold(b, error);
    if (!status && b->options.special_first)
        status = add_roles(b, error); /* their counts are not known yet: they come below */
    if (!status)
        status = take_all(b, error);
    free_counts(b);
    if (!status && b->options.order != LXM_ORDER_BYTES)
        status = add_list(b, error);
    if (!status)
        status = add_roles(b, error);
    return status;
}

lxm_status lxm_counter_build(lxm_counter *counter, const lxm_build_options *options,
                             lxm_vocab **vocab, lxm_error *error)
{
    *vocab = NULL;
    if (counter->spent)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the counter is spent: make a new one");
    counter->spent = true;
    builder b = {.counter = counter, .options = *options, .unk = LXM_NO_ID, .room = UINT64_MAX};
    lxm_token_table_init(&b.roles, &counter->allocator);
    lxm_token_table_init(&b.list, &counter->allocator);
    lxm_buffer_init(&b.firsts, &counter->allocator);
    lxm_status status = lxm_vocab_new(&b.vocab, &counter->allocator, error);
    if (!status)
        status = build(&b, error);
    lxm_token_table_free(&b.roles);
    lxm_token_table_free(&b.list);
    lxm_buffer_free(&b.firsts);
    if (status)
        lxm_vocab_free(b.vocab);
    else
        *vocab = b.vocab;
    return status;
}
