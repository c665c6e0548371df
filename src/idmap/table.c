#include "idmap/table.h"

#include "base/error.h"
#include "base/hash.h"

static const uint64_t empty_slot = UINT64_MAX;

void lxm_token_table_init(lxm_token_table *table, const lxm_allocator *allocator)
{
    *table = (lxm_token_table){.seeds = {lxm_random_seed(), lxm_random_seed()}};
    lxm_buffer_init(&table->arena, allocator);
}

void lxm_token_table_freeze(lxm_token_table *table)
{
    lxm_release(&table->arena.allocator, table->slots);
    table->slots = NULL;
    table->slot_count = 0;
}

void lxm_token_table_free(lxm_token_table *table)
{
    lxm_allocator allocator = table->arena.allocator;
    if (!table->viewed) {
        lxm_token_table_freeze(table);
        lxm_release(&allocator, table->starts);
        lxm_release(&allocator, table->counts);
        lxm_buffer_free(&table->arena);
    }
    lxm_token_table_init(table, &allocator);
}

/* A token that is looked for. One of up to 16 bytes is held in two words, zeros behind it, so that
 * hashing and comparing are free of branches on its length: those are foreseen badly. */
typedef struct key {
    const uint8_t *bytes;
    size_t length;
    uint64_t words[2];
    uint32_t hash;
} key;

enum { short_length = 16 };

/* Reads `length` of 16 readable bytes. */
static inline void load_words(uint64_t words[2], const uint8_t *bytes, size_t length)
{
    static const uint8_t masks[2 * short_length] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    uint64_t mask[2];
    memcpy(words, bytes, short_length);
    memcpy(mask, masks + short_length - length, short_length);
    words[0] &= mask[0];
    words[1] &= mask[1];
}

/* The product of two words folded: the step that XXH3 is made of. */
static inline uint32_t hash_words(const lxm_token_table *table, const key *k)
{
    uint64_t length = (uint64_t)k->length << 56;
    uint64_t folded =
        XXH3_mul128_fold64(k->words[0] ^ table->seeds[0], k->words[1] ^ table->seeds[1] ^ length);
    return (uint32_t)(folded * 0x9E3779B97F4A7C15u >> 32);
}

/* `readable`: how many bytes may be read, which is at least `length`. */
static inline void set_key(const lxm_token_table *table, key *k, const uint8_t *bytes,
                           size_t length, size_t readable)
{
    uint8_t copy[short_length];
    k->bytes = bytes;
    k->length = length;
    if (length > short_length) {
        k->hash = (uint32_t)(lxm_hash(bytes, length, table->seeds[0]) >> 32);
        return;
    }
    if (readable < short_length) {
        memset(copy, 0, sizeof copy);
        if (length)
            memcpy(copy, bytes, length);
        bytes = copy;
    }
    load_words(k->words, bytes, length);
    k->hash = hash_words(table, k);
}

/* The top bits of the hash say where to look first: 33 of them, for a table of 2^33 slots, are a
 * zero more. */
static inline size_t home_of(const lxm_token_table *table, uint32_t hash)
{
    return (size_t)((uint64_t)hash << 32 >> table->shift);
}

static bool grow_slots(lxm_token_table *table, size_t slot_count)
{
    uint64_t *slots = lxm_allocate(&table->arena.allocator, slot_count, sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0xFF, slot_count * sizeof *slots);
    uint64_t *old = table->slots;
    size_t old_count = table->slot_count;
    table->slots = slots;
    table->slot_count = slot_count;
    table->shift = 64 - (unsigned)__builtin_ctzll(slot_count);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i] == empty_slot)
            continue;
        size_t at = home_of(table, (uint32_t)(old[i] >> 32));
        while (slots[at] != empty_slot)
            at = (at + 1) & (slot_count - 1);
        slots[at] = old[i];
    }
    lxm_release(&table->arena.allocator, old);
    return true;
}

static bool grow_arrays(lxm_token_table *table, size_t capacity)
{
    const lxm_allocator *allocator = &table->arena.allocator;
    if (capacity == SIZE_MAX)
        return false;
    uint64_t *starts = lxm_resize(allocator, table->starts, capacity + 1, sizeof *starts);
    if (!starts)
        return false;
    table->starts = starts;
    if (table->capacity == 0)
        starts[0] = 0;
    uint64_t *counts = lxm_resize(allocator, table->counts, capacity, sizeof *counts);
    if (!counts)
        return false;
    table->counts = counts;
    table->capacity = capacity;
    return true;
}

/* ---- views ---- */

void lxm_token_table_view(lxm_token_table *table, const lxm_token_table *other)
{
    lxm_allocator allocator = table->arena.allocator;
    *table = *other;
    table->arena.allocator = allocator;
    table->arena.capacity = table->arena.length;
    table->capacity = table->size;
    table->shift = table->slot_count ? 64 - (unsigned)__builtin_ctzll(table->slot_count) : 0;
    table->viewed = true;
}

/* Copies what a view shows; nothing changes where memory runs out. */
static bool own(lxm_token_table *table)
{
    lxm_token_table copy = {.size = table->size, .seeds = {table->seeds[0], table->seeds[1]}};
    lxm_buffer_init(&copy.arena, &table->arena.allocator);
    size_t counts = table->counts ? table->size * sizeof *table->counts : 0;
    size_t room, slots = table->slot_count;
    bool good = grow_arrays(&copy, table->size ? table->size : 16) &&
                lxm_add(table->arena.length, short_length, &room) &&
                lxm_buffer_reserve(&copy.arena, room) && (slots == 0 || grow_slots(&copy, slots));
    if (!good) {
        lxm_token_table_free(&copy);
        return false;
    }
    lxm_buffer_append(&copy.arena, table->arena.data, table->arena.length);
    memcpy(copy.starts, table->starts, (table->size + 1) * sizeof *copy.starts);
    memset(copy.counts, 0, table->size * sizeof *copy.counts);
    if (counts)
        memcpy(copy.counts, table->counts, counts);
    if (slots)
        memcpy(copy.slots, table->slots, slots * sizeof *copy.slots);
    *table = copy;
    return true;
}

static inline bool is_own(lxm_token_table *table)
{
    return !table->viewed || own(table);
}

/* At most three slots of four are taken. */
static bool has_slots(const lxm_token_table *table, size_t tokens)
{
    return tokens <= table->slot_count / 4 * 3;
}

size_t lxm_token_table_slot_count(size_t tokens)
{
    size_t slot_count = 16;
    while (tokens > slot_count / 4 * 3)
        slot_count *= 2;
    return slot_count;
}

bool lxm_token_table_reserve(lxm_token_table *table, size_t tokens, size_t bytes)
{
    size_t size;
    if (!is_own(table) || !lxm_add(table->size, tokens, &size) || size > SIZE_MAX / 4 ||
        !lxm_add(bytes, short_length, &bytes))
        return false;
    size_t slot_count = lxm_token_table_slot_count(size);
    return (size <= table->capacity || grow_arrays(table, size)) &&
           (has_slots(table, size) || grow_slots(table, slot_count)) &&
           lxm_buffer_reserve(&table->arena, bytes);
}

static inline bool is_token(const lxm_token_table *table, uint32_t id, const key *k)
{
    const uint64_t *start = table->starts + id;
    if (start[1] - start[0] != k->length)
        return false;
    const uint8_t *bytes = table->arena.data + start[0];
    if (k->length > short_length)
        return memcmp(bytes, k->bytes, k->length) == 0;
    uint64_t words[2];
    load_words(words, bytes, k->length);
    return ((words[0] ^ k->words[0]) | (words[1] ^ k->words[1])) == 0;
}

/* The table has slots. */
static inline uint32_t look_up(const lxm_token_table *table, const key *k)
{
    size_t mask = table->slot_count - 1;
    for (size_t at = home_of(table, k->hash);; at = (at + 1) & mask) {
        uint64_t slot = table->slots[at];
        uint32_t id = (uint32_t)slot;
        if (slot == empty_slot)
            return LXM_NO_ID;
        if (slot >> 32 == k->hash && is_token(table, id, k))
            return id;
    }
}

uint32_t lxm_token_table_find(const lxm_token_table *table, const void *token, size_t length)
{
    key k;
    if (table->slot_count == 0)
        return LXM_NO_ID;
    set_key(table, &k, token, length, length);
    return look_up(table, &k);
}

/* Hashes tokens, has their slots fetched, and then what the slots lead to. The table has slots. */
static inline void prepare(const lxm_token_table *table, const lxm_tokens *tokens, size_t first,
                           size_t count, key *keys)
{
    /* the spans are in order: the text reaches to the end of the last */
    size_t end = tokens->spans[tokens->count - 1].end;
    const lxm_span *spans = tokens->spans + first;
    for (size_t i = 0; i < count; i++) {
        size_t begin = spans[i].begin;
        set_key(table, &keys[i], tokens->text + begin, spans[i].end - begin, end - begin);
        __builtin_prefetch(&table->slots[home_of(table, keys[i].hash)]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)table->slots[home_of(table, keys[i].hash)];
        __builtin_prefetch(&table->starts[id == LXM_NO_ID ? 0 : id]);
    }
}

void lxm_token_table_find_batch(const lxm_token_table *table, const lxm_tokens *tokens,
                                size_t first, size_t count, uint32_t *ids)
{
    key keys[lxm_token_batch];
    if (table->slot_count == 0) {
        memset(ids, 0xFF, count * sizeof *ids);
        return;
    }
    prepare(table, tokens, first, count, keys);
    for (size_t i = 0; i < count; i++)
        ids[i] = look_up(table, &keys[i]);
}

bool lxm_token_table_append(lxm_token_table *table, const void *token, size_t length,
                            uint64_t count)
{
    size_t size = table->size, room;
    if (!is_own(table))
        return false;
    if (size == table->capacity && !grow_arrays(table, size < 16 ? 16 : size + size / 2))
        return false;
    /* what load_words may read behind the last token */
    if (!lxm_add(length, short_length, &room) || !lxm_buffer_reserve(&table->arena, room))
        return false;
    lxm_buffer_append(&table->arena, token, length);
    table->starts[size + 1] = table->arena.length;
    table->counts[size] = count;
    table->size = size + 1;
    return true;
}

/* A token that isn't there. */
static lxm_status insert(lxm_token_table *table, const key *k, uint64_t count, uint32_t *id,
                         lxm_error *error)
{
    if (k->length == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a token can't be empty");
    if (k->length > UINT32_MAX)
        return lxm_fail(error, LXM_ERROR_LIMIT, "a token is longer than 4 GiB");
    if (table->size >= LXM_NO_ID)
        return lxm_fail(error, LXM_ERROR_LIMIT, "more than 4294967295 different tokens");
    if (!is_own(table))
        return lxm_fail_memory(error);
    if (!has_slots(table, table->size + 1) &&
        !grow_slots(table, table->slot_count ? 2 * table->slot_count : 16))
        return lxm_fail_memory(error);
    if (!lxm_token_table_append(table, k->bytes, k->length, count))
        return lxm_fail_memory(error);
    *id = (uint32_t)(table->size - 1);
    size_t at = home_of(table, k->hash);
    while (table->slots[at] != empty_slot)
        at = (at + 1) & (table->slot_count - 1);
    table->slots[at] = (uint64_t)k->hash << 32 | *id;
    return LXM_OK;
}

lxm_status lxm_token_table_count(lxm_token_table *table, uint32_t id, uint64_t count,
                                 lxm_error *error)
{
    if (!is_own(table))
        return lxm_fail_memory(error);
    if (__builtin_add_overflow(table->counts[id], count, &count))
        return lxm_fail(error, LXM_ERROR_LIMIT, "the count of a token is over 2^64 - 1");
    table->counts[id] = count;
    return LXM_OK;
}

static inline lxm_status add(lxm_token_table *table, const key *k, uint64_t count, uint32_t *id,
                             lxm_error *error)
{
    *id = table->slot_count ? look_up(table, k) : LXM_NO_ID;
    if (*id == LXM_NO_ID)
        return insert(table, k, count, id, error);
    return lxm_token_table_count(table, *id, count, error);
}

lxm_status lxm_token_table_add(lxm_token_table *table, const void *token, size_t length,
                               uint64_t count, uint32_t *id, lxm_error *error)
{
    key k;
    set_key(table, &k, token, length, length);
    return add(table, &k, count, id, error);
}

lxm_status lxm_token_table_add_batch(lxm_token_table *table, const lxm_tokens *tokens, size_t first,
                                     size_t count, uint32_t *ids, lxm_error *error)
{
    key keys[lxm_token_batch];
    /* no slots or no starts: nothing to prepare */
    if (table->slot_count == 0 && !lxm_token_table_reserve(table, count, 0))
        return lxm_fail_memory(error);
    prepare(table, tokens, first, count, keys);
    for (size_t i = 0; i < count; i++) {
        lxm_status status = add(table, &keys[i], 1, &ids[i], error);
        if (status)
            return status;
    }
    return LXM_OK;
}

void lxm_token_table_fill(const lxm_token_table *table, const uint64_t seeds[2], uint64_t *slots,
                          size_t slot_count)
{
    lxm_token_table filled = *table;
    filled.seeds[0] = seeds[0];
    filled.seeds[1] = seeds[1];
    filled.shift = 64 - (unsigned)__builtin_ctzll(slot_count);
    memset(slots, 0xFF, slot_count * sizeof *slots);
    for (uint32_t id = 0; id < table->size; id++) {
        key k;
        const uint8_t *bytes = lxm_token_table_bytes(table, id);
        size_t length = lxm_token_table_length(table, id);
        if (lxm_token_table_find(table, bytes, length) != id)
            continue;
        set_key(&filled, &k, bytes, length, length);
        size_t at = home_of(&filled, k.hash);
        while (slots[at] != empty_slot)
            at = (at + 1) & (slot_count - 1);
        slots[at] = (uint64_t)k.hash << 32 | id;
    }
}
