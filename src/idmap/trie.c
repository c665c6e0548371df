#include "idmap/trie.h"

#include "base/error.h"
#include "idmap/sort.h"

enum { block = 256, words = block / 64, open_blocks = 16, line = 64 / sizeof(uint64_t) };

static const size_t most_cells = (size_t)1 << (64 - lxm_trie_base_at);

/* A bit for each cell of a block: whether it is empty, and whether it is nobody's base. */
typedef struct room {
    uint64_t empty[words], free[words];
} room;

/* A node whose children are to be placed: the tokens [from, to) begin with its `depth` bytes. */
typedef struct node {
    uint32_t cell, from, to;
    size_t depth;
} node;

typedef struct build {
    const lxm_token_table *table;
    lxm_entry *tokens; /* in the order of their bytes */
    size_t count;
    node *stack; /* of nodes that share no token */
    size_t depth;
    uint64_t *cells;
    room *rooms; /* of the blocks of cells */
    size_t blocks, capacity;
    uint8_t bytes[block]; /* the children of the node in hand */
    uint32_t from[block + 1];
    size_t child_count;
    lxm_allocator allocator;
} build;

/* ---- room ---- */

static bool grow(build *b)
{
    size_t capacity = b->capacity ? 2 * b->capacity : 4;
    uint64_t *cells = lxm_resize(&b->allocator, b->cells, capacity, block * sizeof *cells);
    if (!cells)
        return false;
    b->cells = cells;
    room *rooms = lxm_resize(&b->allocator, b->rooms, capacity, sizeof *rooms);
    if (!rooms)
        return false;
    b->rooms = rooms;
    b->capacity = capacity;
    return true;
}

static lxm_status add_block(build *b, lxm_error *error)
{
    if (b->blocks == most_cells / block)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the tokens have too many different beginnings, more than %zu", most_cells);
    if (b->blocks == b->capacity && !grow(b))
        return lxm_fail_memory(error);
    for (size_t i = 0; i < block; i++)
        b->cells[b->blocks * block + i] = lxm_trie_empty;
    memset(&b->rooms[b->blocks++], 0xFF, sizeof *b->rooms);
    return LXM_OK;
}

static void take(uint64_t set[words], uint32_t at)
{
    set[at / 64 % words] &= ~((uint64_t)1 << at % 64);
}

static bool has(const uint64_t set[words], uint32_t at)
{
    return set[at / 64 % words] >> at % 64 & 1;
}

/* The set of i xor `by` for all i of a set; `by` is below 64. */
static uint64_t turned(uint64_t set, unsigned by)
{
    static const uint64_t halves[] = {0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F,
                                      0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF};
    for (unsigned i = 0; by >> i; i++)
        if (by >> i & 1)
            set = (set & halves[i]) << (1u << i) | (set >> (1u << i) & halves[i]);
    return set;
}

/* A base in a block from which all children fall on empty cells. */
static bool find_in(const build *b, size_t number, uint32_t *base)
{
    const room *r = &b->rooms[number];
    for (size_t w = 0; w < words; w++) {
        uint64_t good = r->free[w];
        for (size_t i = 0; good && i < b->child_count; i++)
            good &= turned(r->empty[w ^ b->bytes[i] >> 6], b->bytes[i] & 63);
        if (good) {
            *base = (uint32_t)(number * block + w * 64) + (uint32_t)__builtin_ctzll(good);
            return true;
        }
    }
    return false;
}

/* A base for an only child beside its parent, where both come from memory at once. */
static bool find_beside(const build *b, uint32_t cell, uint32_t *base)
{
    const room *r = &b->rooms[cell / block];
    for (uint32_t i = 1; i < line; i++) {
        *base = cell ^ i ^ b->bytes[0];
        if (has(r->empty, cell ^ i) && has(r->free, *base))
            return true;
    }
    return false;
}

static lxm_status find_base(build *b, uint32_t cell, uint32_t *base, lxm_error *error)
{
    if ((b->child_count == 1 && find_beside(b, cell, base)) || find_in(b, cell / block, base))
        return LXM_OK;
    for (size_t i = b->blocks > open_blocks ? b->blocks - open_blocks : 0; i < b->blocks; i++)
        if (find_in(b, i, base))
            return LXM_OK;
    *base = (uint32_t)(b->blocks * block);
    return add_block(b, error);
}

/* ---- nodes ---- */

static void list_children(build *b, const node *n, uint32_t from)
{
    b->child_count = 0;
    for (uint32_t i = from; i < n->to; i++) {
        uint8_t byte = lxm_token_table_bytes(b->table, b->tokens[i].id)[n->depth];
        if (b->child_count == 0 || b->bytes[b->child_count - 1] != byte) {
            b->bytes[b->child_count] = byte;
            b->from[b->child_count++] = i;
        }
    }
    b->from[b->child_count] = n->to;
}

static lxm_status expand(build *b, const node *n, lxm_error *error)
{
    uint32_t id = lxm_trie_no_id, from = n->from, base = 0;
    lxm_status status = LXM_OK;
    if (from < n->to && lxm_token_table_length(b->table, b->tokens[from].id) == n->depth)
        id = b->tokens[from++].id;
    list_children(b, n, from);
    if (b->child_count)
        status = find_base(b, n->cell, &base, error);
    if (status)
        return status;
    take(b->rooms[base / block].free, base);
    b->cells[n->cell] |= (uint64_t)base << lxm_trie_base_at | (uint64_t)id << lxm_trie_id_at;
    for (size_t i = b->child_count; i-- > 0;) {
        uint32_t cell = base ^ b->bytes[i];
        take(b->rooms[cell / block].empty, cell);
        b->cells[cell] = b->bytes[i];
        b->stack[b->depth++] = (node){cell, b->from[i], b->from[i + 1], n->depth + 1};
    }
    return LXM_OK;
}

/* The tokens that are found, in the order of their bytes. */
static bool list_tokens(build *b)
{
    b->tokens = lxm_sort_by_bytes(b->table);
    for (size_t i = 0; b->tokens && i < b->table->size; i++) {
        uint32_t id = b->tokens[i].id;
        size_t length = lxm_token_table_length(b->table, id);
        const uint8_t *bytes = lxm_token_table_bytes(b->table, id);
        if (length && lxm_token_table_find(b->table, bytes, length) == id)
            b->tokens[b->count++] = b->tokens[i];
    }
    b->stack = lxm_allocate(&b->allocator, b->count + 1, sizeof *b->stack);
    return b->tokens && b->stack;
}

static lxm_status fill(build *b, lxm_error *error)
{
    if (!list_tokens(b))
        return lxm_fail_memory(error);
    lxm_status status = add_block(b, error);
    if (status)
        return status;
    take(b->rooms[0].empty, 0); /* the root, and the base of nodes without children */
    take(b->rooms[0].free, 0);
    b->stack[b->depth++] = (node){.to = (uint32_t)b->count};
    while (!status && b->depth > 0) {
        node n = b->stack[--b->depth];
        status = expand(b, &n, error);
    }
    return status;
}

lxm_status lxm_trie_make(lxm_trie *trie, const lxm_token_table *table,
                         const lxm_allocator *allocator, lxm_error *error)
{
    build b = {.table = table, .allocator = *allocator};
    *trie = (lxm_trie){.allocator = *allocator};
    if (table->size > lxm_trie_no_id)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED, "more than %d tokens are too many",
                        lxm_trie_no_id);
    lxm_status status = fill(&b, error);
    trie->cells = b.cells;
    trie->count = b.blocks * block;
    lxm_release(allocator, b.tokens);
    lxm_release(allocator, b.stack);
    lxm_release(allocator, b.rooms);
    return status;
}

void lxm_trie_free(lxm_trie *trie)
{
    if (!trie->viewed)
        lxm_release(&trie->allocator, trie->cells);
    trie->cells = NULL;
}

/* ---- as a part ---- */

void lxm_trie_add_part(const lxm_trie *trie, lxm_parts *parts)
{
    lxm_parts_add(parts, lxm_part_trie, trie->cells, trie->count, sizeof *trie->cells);
}

lxm_status lxm_trie_view(lxm_trie *trie, const lxm_parts *parts, size_t size, lxm_error *error)
{
    const lxm_part *part;
    *trie = (lxm_trie){.viewed = true};
    lxm_status status = lxm_parts_need(parts, lxm_part_trie, 8, SIZE_MAX, &part, error);
    if (status)
        return status;
    if (part->count == 0 || part->count % block != 0)
        return lxm_part_fail(part, 0, "a trie has a wrong size", error);
    const uint64_t *cells = part->data;
    trie->cells = (uint64_t *)(uintptr_t)cells;
    trie->count = part->count;
    for (size_t i = 0; i < part->count; i++) {
        uint32_t id = lxm_trie_id(cells[i]);
        if (!lxm_trie_has(trie, cells[i]) || (id >= size && id != lxm_trie_no_id))
            return lxm_part_fail(part, i, "a trie leads to no node, or to no token", error);
    }
    return LXM_OK;
}
