/* Counting tokens in bounded memory. */
#include "idmap/counter.h"

#include "base/error.h"

enum { default_memory = 1 << 30, least_memory = 16 * 1024 };

lxm_status lxm_counter_new(lxm_counter **out, size_t memory, const char *folder,
                           const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_counter *counter = lxm_new(&a, sizeof *counter);
    if (!counter)
        return lxm_fail_memory(error);
    counter->allocator = a;
    counter->memory = memory == 0 ? default_memory : memory < least_memory ? least_memory : memory;
    lxm_token_table_init(&counter->table, &a);
    if (folder) {
        counter->folder = lxm_copy_string(&a, folder);
        if (!counter->folder) {
            lxm_release(&a, counter);
            return lxm_fail_memory(error);
        }
    }
    lxm_runs_init(&counter->runs, counter->memory, counter->folder, &a);
    *out = counter;
    return LXM_OK;
}

void lxm_counter_free(lxm_counter *counter)
{
    if (!counter)
        return;
    lxm_allocator a = counter->allocator;
    lxm_runs_free(&counter->runs);
    lxm_token_table_free(&counter->table);
    lxm_release(&a, counter->folder);
    lxm_release(&a, counter);
}

/* What a table of this size may need at its peak: while its arrays grow by half, while its slots
 * double (old and new, up to 32 bytes a token), and for the two entries a token of the sort. */
static bool is_full(const lxm_counter *counter)
{
    const lxm_token_table *table = &counter->table;
    uint64_t bytes =
        (uint64_t)table->arena.length + table->arena.length / 2 + (uint64_t)table->size * (24 + 32);
    return bytes > counter->memory || table->size > LXM_NO_ID - lxm_token_batch;
}

lxm_status lxm_counter_spill(lxm_counter *counter, lxm_error *error)
{
    uint64_t base = counter->base;
    counter->base += counter->table.size;
    return lxm_runs_add(&counter->runs, &counter->table, base, error);
}

lxm_status lxm_counter_add(lxm_counter *counter, const lxm_tokens *tokens, lxm_error *error)
{
    uint32_t ids[lxm_token_batch];
    lxm_status status = LXM_OK;
    if (counter->spent)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the counter is spent: make a new one");
    for (size_t i = 0; !status && i < tokens->count; i += lxm_token_batch) {
        size_t left = tokens->count - i, n = left < lxm_token_batch ? left : lxm_token_batch;
        if (is_full(counter))
            status = lxm_counter_spill(counter, error);
        if (!status)
            status = lxm_token_table_add_batch(&counter->table, tokens, i, n, ids, error);
    }
    return status;
}
