/*
 * Tokens and their counts, numbered from 0 in the order they came. A vocabulary is made of one,
 * and so is a counter.
 *
 * The bytes stand one after another in an arena. Over them lies a hash table with linear probing
 * whose slots hold 32 bits of the hash and the id: a slot costs 8 bytes, and growing needs no
 * second look at the bytes. The seeds are random, so that no input can be made to collide; ids
 * never depend on them.
 */
#ifndef LXM_IDMAP_TABLE_H
#define LXM_IDMAP_TABLE_H

#include "base/memory.h"
#include "lexmill/idmap.h"

typedef struct lxm_token_table {
    lxm_buffer arena;
    uint64_t *starts; /* of each token in the arena, and the end of the last */
    uint64_t *counts;
    size_t size, capacity;
    uint64_t *slots;   /* hash << 32 | id */
    size_t slot_count; /* a power of two, or 0 */
    unsigned shift;
    uint64_t seeds[2];
    bool viewed; /* the arrays are another's and only read; `counts` may be NULL: all are 0 */
} lxm_token_table;

/* Tokens that are hashed before the first is looked up, so that memory is fetched meanwhile. */
enum { lxm_token_batch = 32 };

void lxm_token_table_init(lxm_token_table *table, const lxm_allocator *allocator);
void lxm_token_table_free(lxm_token_table *table);

/* Makes room for tokens to come, in all `bytes` long; false when memory runs out. */
bool lxm_token_table_reserve(lxm_token_table *table, size_t tokens, size_t bytes);

/* Frees the slots of a table that is no view: the tokens can be read, but neither found nor added
 * any more. */
void lxm_token_table_freeze(lxm_token_table *table);

uint32_t lxm_token_table_find(const lxm_token_table *table, const void *token, size_t length);

/* Looks up `count` tokens from the index `first`, at most lxm_token_batch; LXM_NO_ID for those
 * that aren't there. */
void lxm_token_table_find_batch(const lxm_token_table *table, const lxm_tokens *tokens,
                                size_t first, size_t count, uint32_t *ids);

/* How many slots a table of so many tokens has, where it hasn't grown. */
size_t lxm_token_table_slot_count(size_t tokens);

/* Fills the slots that a table with the same tokens and these seeds has: of the tokens that this
 * one finds, in order of ids. */
void lxm_token_table_fill(const lxm_token_table *table, const uint64_t seeds[2], uint64_t *slots,
                          size_t slot_count);

/* Makes an initialised, empty table one over the arrays of another: arena.data, arena.length,
 * starts, counts, size, slots, slot_count and seeds of `other` say which. 16 bytes behind the
 * last token are readable. What changes the table copies them first. */
void lxm_token_table_view(lxm_token_table *table, const lxm_token_table *other);

/* Finds a token or adds it with the count 0; the counts add up. On failure nothing changes:
 * LXM_ERROR_LIMIT where 2^32 - 1 tokens are there, a token is over 2^32 - 1 bytes long or a count
 * overflows. */
lxm_status lxm_token_table_add(lxm_token_table *table, const void *token, size_t length,
                               uint64_t count, uint32_t *id, lxm_error *error);

/* Adds to the count of a token that is there. */
lxm_status lxm_token_table_count(lxm_token_table *table, uint32_t id, uint64_t count,
                                 lxm_error *error);

/* The same as lxm_token_table_add with the count 1 for some tokens at once, at most
 * lxm_token_batch; what came before one that fails is added. */
lxm_status lxm_token_table_add_batch(lxm_token_table *table, const lxm_tokens *tokens, size_t first,
                                     size_t count, uint32_t *ids, lxm_error *error);

/* Adds a token, which may be empty, that the table will never find. */
bool lxm_token_table_append(lxm_token_table *table, const void *token, size_t length,
                            uint64_t count);

static inline uint64_t lxm_token_table_counted(const lxm_token_table *table, uint32_t id)
{
    return table->counts ? table->counts[id] : 0;
}

static inline const uint8_t *lxm_token_table_bytes(const lxm_token_table *table, uint32_t id)
{
    return table->arena.data + table->starts[id];
}

static inline size_t lxm_token_table_length(const lxm_token_table *table, uint32_t id)
{
    return (size_t)(table->starts[id + (size_t)1] - table->starts[id]);
}

#endif
